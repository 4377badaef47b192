"""A Keras model's weights, and the ranges that its activations have on frames to calibrate on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.export.moments import Gather, Moments
from dae_edge.export.picture_model import Frame, PictureModel, Tensors
from dae_edge.export.ranges import Samples, activations, signed_scale, unsigned_scale
from dae_edge.models.camera import THRESHOLDS, TOLD
from dae_edge.models.parts import result

Array = NDArray[np.float32]
# Of activations, finest first: of night scenes, wider where a card of hard edges takes that, nothing cut off.
Ranges: TypeAlias = Literal["fine", "edges", "whole"]

# Of the widest channel's range: one that calibration hardly lit may be for what it did not see.
_NARROWEST = 0.1
_SPARE = 1.5  # of what cameras that calibration did not see may have their layers told


@dataclass(frozen=True)
class Told:
    """Thresholds that a layer gets at run time, and how finely all of it is rounded.

    kernel: (code, F) from the camera's code to the thresholds
    step:   of the thresholds, around 128
    scale:  of what they are taken from, around `zero`: no lower than what the lowest threshold lifts to 0
    """

    kernel: Array
    step: float
    scale: float
    zero: int


class Calibrated:
    """Every convolution's weights, and the steps that its output and input round best in.

    `also` are further tensors of the model to sample, by a name of their own; with `whole` no step cuts off
    what calibration saw. `edges` are examples of hard edges: they count for what is named in `edged` alone
    ("<name> in" is what a layer sees), whose ranges they leave, as wider ones everywhere would cost what is
    soft 0.1 dB.
    """

    edged: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        model: PictureModel,
        examples: Iterable[tuple[Frame, Tensors]],
        also: Mapping[str, keras.KerasTensor] | None = None,
        *,
        whole: bool = False,
        edges: Iterable[tuple[Frame, Tensors]] = (),
    ) -> None:
        self.model, self.whole = model, whole
        layers = {a.name: a for a in model.model.layers if isinstance(a, keras.layers.Conv2D)}
        self._weights = {name: layer.get_weights() for name, layer in layers.items()}
        told = [a.name.removesuffix(THRESHOLDS) for a in model.model.layers if a.name.endswith(THRESHOLDS)]
        self._thresholds = {name: model.model.get_layer(name + THRESHOLDS).get_weights()[0] for name in told}
        watched = {name: result(model.model, name).output for name in layers}
        also_told = [name + end for name in told for end in (THRESHOLDS, TOLD)]
        watched |= {name: model.model.get_layer(name).output for name in also_told}
        watched |= {f"{name} in": layer.input for name, layer in layers.items()}
        gather = {
            f"{name} in": Gather(layer.kernel_size, layer.strides, layer.dilation_rate[0])
            for name, layer in layers.items()
        }
        self._samples = activations(model, watched | dict(also or {}), examples, gather)
        if edges := list(edges):
            wider = [name + end for name in self.edged for end in ("", THRESHOLDS, TOLD)]
            tensors = {name: watched[name] for name in wider if name in watched}
            for name, values in activations(model, tensors, edges, {}).items():
                self._samples[name] = np.concatenate([self._samples[name], values])
        self._moments = {name: gathered.moments() for name, gathered in gather.items()}

    def equalize(self, writers: Sequence[str], readers: Sequence[str]) -> None:
        """Bring the channels between convolutions and those that read them nearer to one range.

        One step must do for all of them. What a filter loses its readers gain, through sums and ReLUs: the
        network stays what it was. Several writers are added up, by and by; the last reader reads the sum of
        all. One with more filters than there are channels goes from depth to space. Nagel et al., "Data-free
        quantization through weight equalization and bias correction" (ICCV 2019); here by ranges of
        activations, as weights have a step a filter anyway.
        """
        ranges = np.abs(self._samples[f"{readers[-1]} in"]).max(axis=(0, 1))
        factors = np.sqrt(np.maximum(ranges / max(float(ranges.max()), 1e-9), _NARROWEST)).astype(np.float32)
        for writer in writers:
            kernel, bias = self._weights[writer]
            each = np.tile(factors, len(bias) // len(factors))
            self._weights[writer] = [kernel / each, bias / each]
            self._samples[writer] = self._samples[writer] / each
            if writer in self._thresholds:
                self._thresholds[writer] = self._thresholds[writer] / each
                for name in (writer + THRESHOLDS, writer + TOLD):
                    self._samples[name] = self._samples[name] / each
        for reader in readers:
            kernel, bias = self._weights[reader]
            self._weights[reader] = [kernel * factors[:, None], bias]
            name = f"{reader} in"
            self._samples[name] = self._samples[name] / factors
            self._moments[name] = self._moments[name].through(np.diag(1 / factors))

    def first(self, name: str, to_keras: NDArray[np.float64]) -> tuple[Array, Array, Moments]:
        """Kernel, bias, and moments of what it sees, of a convolution over other channels than Keras has.

        `to_keras` (C, C): what each of them is of those that Keras sees.
        """
        kernel, bias = self.weights(name)
        moments = self.moments(name).through(np.linalg.inv(to_keras.T).astype(np.float64))
        return np.einsum("pb,hwbf->hwpf", to_keras, kernel).astype(np.float32), bias, moments

    def kernel(self, name: str) -> Array:
        """(h, w, C, F)."""
        return self._weights[name][0]

    def weights(self, name: str) -> tuple[Array, Array]:
        """Kernel (h, w, C, F) and bias (F,)."""
        kernel, bias = self._weights[name]
        return kernel, bias

    def moments(self, name: str) -> Moments:
        """Of what a convolution's weights see."""
        return self._moments[f"{name} in"]

    def told(self, name: str) -> Told:
        """How a convolution that ends in a ReLU is told of the camera."""
        thresholds, after = self._samples[name + THRESHOLDS], self._samples[name + TOLD]
        lifted = _SPARE * max(float(-thresholds.min()), 0.0)
        highest = 255 * unsigned_scale(np.maximum(after + thresholds, 0), whole=self.whole)
        scale = (highest + lifted) / 255
        return Told(*self.thresholds(name), scale, round(lifted / scale))

    def thresholds(self, name: str) -> tuple[Array, float]:
        """(code, F) from the camera's code to a layer's thresholds, and the step to round those in."""
        widest = _SPARE * float(np.abs(self._samples[name + THRESHOLDS]).max())
        return self._thresholds[name], max(widest, 1e-6) / 127

    def samples(self, name: str) -> Samples:
        """(examples, places, channels): what a convolution gives in the end; "<name> in" is what it sees."""
        return self._samples[name]

    def relu_scale(self, name: str) -> float:
        return unsigned_scale(self._samples[name], whole=self.whole)

    def signed_scale(self, name: str) -> float:
        return signed_scale(self._samples[name], whole=self.whole)
