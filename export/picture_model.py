"""A Keras model as the exporter sees it: one picture in, one picture out, memory explicit."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import ExportError

STATE = "state_"
NEXT = "_next"
_STRIDES = (1, 2, 4, 8, 16, 32)

Frame = NDArray[np.uint8]
Tensors = dict[str, NDArray[np.float32]]


class PictureModel:
    """A Functional model with one picture in and out, and states named `state_*` -> `state_*_next`.

    The picture is (1, H, W, C) float in [0, 1], C 1 or 3. A model whose picture has no fixed size
    is probed for its stride: the smallest number that H and W must be multiples of.
    """

    def __init__(self, model: keras.Model) -> None:
        if isinstance(model, keras.Sequential):  # it knows its outputs, but not as a graph's
            model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
        inputs = _by_name(model.inputs, getattr(model, "input_names", None))
        outputs = _outputs_by_name(model)
        self.model = model
        self.states = [name for name in inputs if name.startswith(STATE)]
        pictures = [name for name in inputs if name not in self.states]
        restored = [name for name in outputs if name not in [s + NEXT for s in self.states]]
        if len(pictures) != 1 or len(restored) != 1:
            raise ExportError(
                f"the model must have one picture in and one out; it has {len(pictures)} in "
                f"({', '.join(pictures)}) and {len(restored)} out ({', '.join(restored)})."
            )
        self.picture, self.restored = pictures[0], restored[0]
        shape = inputs[self.picture].shape
        if len(shape) != 4 or shape[3] not in (1, 3):
            raise ExportError(f"the model's picture must be (1, H, W, 1 or 3); it is {shape}.")
        self.channels = int(shape[3])
        self.size: tuple[int, int] | None = None if None in shape[1:3] else (shape[1], shape[2])
        self._state_channels = {name: int(inputs[name].shape[3]) for name in self.states}
        self.stride, self.state_divisors = self._probe()

    def state_shape(self, name: str, height: int, width: int) -> tuple[int, int, int, int]:
        """NHWC shape of a state for frames of (height, width)."""
        divisor = self.state_divisors[name]
        sides = (self.padded(side) // divisor for side in (height, width))
        return (1, *sides, self._state_channels[name])  # type: ignore[return-value]

    def state_channels(self, name: str) -> int:
        return self._state_channels[name]

    def start(self, height: int, width: int) -> Tensors:
        """The states at the start of a clip: zeros."""
        return {name: np.zeros(self.state_shape(name, height, width), np.float32) for name in self.states}

    def padded(self, side: int) -> int:
        """`side` rounded up to a multiple of the stride."""
        return -(-side // self.stride) * self.stride

    def call(self, picture: Any, states: Mapping[str, Any]) -> dict[str, Any]:
        """The model on backend tensors, whatever the structure of its inputs: outputs by name."""
        return self._named(self.model(self._fed(picture, states), training=False))

    def restore(self, frame: Frame, states: Tensors) -> tuple[NDArray[np.float32], Tensors]:
        """The reference that files are held against: plain Keras, padding and all in numpy.

        (H, W, C) uint8 and NHWC states -> (H, W, C) float in 0..255, unrounded, and the next states.
        """
        height, width = frame.shape[:2]
        # Compiled, which takes a fifth of the time of layer by layer.
        out = self._named(self.model.predict_on_batch(self._fed(self.prepare(frame), states)))
        restored = 255 * np.clip(out[self.restored][0, :height, :width], 0, 1)
        return restored, {name: out[name + NEXT] for name in self.states}

    def _fed(self, picture: Any, states: Mapping[str, Any]) -> Any:
        named = self.states or isinstance(self.model.input, dict)
        return {self.picture: picture, **states} if named else picture

    def _named(self, out: Any) -> dict[str, Any]:
        return out if isinstance(out, dict) else {self.restored: out}

    def prepare(self, frame: Frame) -> NDArray[np.float32]:
        """(H, W, C) uint8 -> the model's own picture, (1, H, W, C) in [0, 1], padded to the stride."""
        height, width = frame.shape[:2]
        margins = [(0, self.padded(height) - height), (0, self.padded(width) - width), (0, 0)]
        return np.pad(frame, margins, mode="reflect")[None].astype(np.float32) / np.float32(255)

    def _probe(self) -> tuple[int, dict[str, int]]:
        """The stride, and what each state's sides are divided by."""
        if self.size is not None:
            return 1, {}
        for stride in _STRIDES:
            for divisors in itertools.product((d for d in _STRIDES if d <= stride), repeat=len(self.states)):
                if self._accepts(stride, dict(zip(self.states, divisors, strict=True))):
                    return stride, dict(zip(self.states, divisors, strict=True))
        raise ExportError(
            f"the model takes pictures of any size, but none up to a multiple of {_STRIDES[-1]} "
            "comes back with its own size."
        )

    def _accepts(self, stride: int, divisors: dict[str, int]) -> bool:
        """Whether a picture of odd multiples of `stride` comes back with its own size."""
        height, width = 5 * stride, 7 * stride
        picture = keras.KerasTensor((1, height, width, self.channels), name=self.picture)
        states = {
            name: keras.KerasTensor((1, height // d, width // d, self._state_channels[name]), name=name)
            for name, d in divisors.items()
        }
        try:
            out = self.call(picture, states)
        except Exception:  # each backend has its own kind for shapes that do not meet
            return False
        kept = all(out[name + NEXT].shape == tensor.shape for name, tensor in states.items())
        return kept and out[self.restored].shape == picture.shape


def _by_name(tensors: list[keras.KerasTensor], names: list[str] | None) -> dict[str, keras.KerasTensor]:
    return dict(zip(names or [tensor.name for tensor in tensors], tensors, strict=True))


def _outputs_by_name(model: keras.Model) -> dict[str, keras.KerasTensor]:
    if isinstance(model.output, dict):
        return dict(model.output)
    return _by_name(model.outputs, getattr(model, "output_names", None))
