"""The low-light network's weights as its 8-bit graph wants them, and the ranges of its activations."""

from __future__ import annotations

from collections.abc import Iterable

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.export.block_planes import PIXELS
from dae_edge.export.picture_model import NEXT, Frame, PictureModel, Tensors
from dae_edge.export.ranges import activations, signed_scale, unsigned_scale
from dae_edge.models.lowlight import BANDS

# Coarse bands go from end to end of what a frame can hold, in two lanes each: (lowest, highest).
# Three lanes were too narrow for the noise of a dark first frame; with colour in one, the noise of a
# bright, saturated surface fell outside and stayed.
_WHOLE = ((0.0, 3**0.5), (-(0.5**0.5), 0.5**0.5), (-2 / 6**0.5, 2 / 6**0.5))
_LANES = 2

Array = NDArray[np.float32]


class Network:
    """The Keras model's weights with the transform folded in, and the range of every activation.

    blocks:            residual blocks at 1/4 and at 1/8
    fine:              whether there are 3x3 convolutions at half resolution
    transform:         (12 pixels, 12 bands)
    bands:             (15,) the band that each lane carries
    centres, steps:    (15,) of the lanes, in units of the bands
    correction_scale:  step of the masked correction, in steps of the lanes
    """

    def __init__(self, model: PictureModel, examples: Iterable[tuple[Frame, Tensors]]) -> None:
        layers = {a.name: a for a in model.model.layers if isinstance(a, keras.layers.Conv2D)}
        self._weights = {name: layer.get_weights() for name, layer in layers.items()}
        self.fine = "half_out" in layers
        self.blocks = sum(name.startswith("eighth_block_") for name in layers) // 2
        self.transform: Array = self._weights["analysis"][0].reshape(PIXELS, BANDS)
        watched = {name: layer.output for name, layer in layers.items() if name != "analysis"}
        watched |= {f"{name} in": layer.input for name, layer in layers.items() if name != "analysis"}
        watched["average"] = model.model.output["state_average" + NEXT]
        self._seen = activations(model, watched, examples)
        self._set_lanes()

    def weights(self, name: str) -> tuple[Array, Array]:
        kernel, bias = self._weights[name]
        return kernel, bias

    def relu_scale(self, name: str) -> float:
        return unsigned_scale(self._seen[name])

    def signed_scale(self, name: str) -> float:
        return signed_scale(self._seen[name])

    def first(self, name: str, coarse_step: float, age_step: float) -> tuple[Array, Array]:
        """A first convolution over 12 pixels in levels, 3 block means and 1 age in these steps.

        In Keras it sees 12 bands, 3 coarse bands, and the age.
        """
        kernel, bias = self.weights(name)
        means = self.transform.reshape(4, 3, BANDS)[..., :3].sum(axis=0)  # (BGR, coarse bands)
        parts = [
            np.einsum("pb,hwbf->hwpf", self.transform / 255, kernel[:, :, :BANDS]),
            np.einsum("cb,hwbf->hwcf", means / 255 * coarse_step, kernel[:, :, BANDS : BANDS + 3]),
            kernel[:, :, BANDS + 3 :] * age_step,
        ]
        return np.concatenate(parts, axis=2).astype(np.float32), bias

    def _set_lanes(self) -> None:
        """Steps and centres of the lanes the bands travel in, and the step of the correction.

        A coarse band takes two lanes, each for half of its range: what saturates in one goes on
        in the next, so the difference of two values is the sum over its lanes, twice as fine.
        The other bands take one each, as wide as calibration says; what both the picture and the
        average have beyond it cancels, so strong edges pass as they are.
        """
        picture, logits = np.split(self._seen["head"], 2, axis=-1)
        average = self._seen["average"]
        share = (1 / (1 + np.exp(logits))).astype(np.float32)  # (1 - mask)
        coarse = len(_WHOLE) * _LANES
        self.bands = np.array([*np.repeat(range(len(_WHOLE)), _LANES), *range(len(_WHOLE), BANDS)])
        self.centres = np.zeros(len(self.bands), np.float32)
        self.steps = np.zeros(len(self.bands), np.float32)
        for lane in range(coarse):
            lowest, highest = _WHOLE[self.bands[lane]]
            self.steps[lane] = (highest - lowest) / _LANES / 255
            self.centres[lane] = lowest + (lane % _LANES * 255 + 128) * self.steps[lane]
        for lane in range(coarse, len(self.bands)):
            band = self.bands[lane]
            samples = picture[..., band], average[..., band], share[..., band]
            largest = float(np.abs(np.concatenate(samples[:2])).max()) + 1e-6
            candidates = largest / 127 * np.geomspace(0.02, 1, 40)
            errors = [_rounding_error(*samples, step) for step in candidates]
            self.steps[lane] = candidates[int(np.argmin(errors))]
        c, m = (
            np.clip((v[..., self.bands] - self.centres) / self.steps, -128, 127) for v in (picture, average)
        )
        self.correction_scale = signed_scale(share[..., self.bands] * (c - m))


def _rounding_error(picture: Array, average: Array, share: Array, step: float) -> float:
    """Mean squared error that bytes of `step` leave in share * (picture - average)."""
    c, m = (np.clip(np.rint(v / step), -128, 127) for v in (picture, average))
    difference = np.clip(c - m, -128, 127) * step
    return float(np.square(share * (difference - (picture - average))).mean())
