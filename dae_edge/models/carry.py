"""A memory carried along a flow while training, as `dae_edge.motion.carry` carries it on a device."""

from __future__ import annotations

from typing import Any

import keras
from keras import KerasTensor, layers, ops

from dae_edge.motion.carry import KEPT

_A = -0.75  # of the cubic kernel, as in OpenCV


def carried(model: keras.Model, state: dict[str, Any], moves: KerasTensor) -> dict[str, Any]:
    """The states of `lowlight` with what moved where it is now.

    `moves` (B, H/2, W/2, 2) are as `Flow` gives them.

    No gradient passes through what moved: the frames in between are enough to learn from, and a gather's
    gradient is slow.
    """
    fine = layers.UpSampling2D(2, interpolation="bilinear")(2 * moves)
    pixels = ops.depth_to_space(model.get_layer("synthesis")(state["state_average"]), 2)
    average = model.get_layer("analysis")(Cubic()(pixels, fine))
    count = KEPT * Nearest()(state["state_count"], moves)
    moved = ops.any(ops.not_equal(moves, 0), axis=-1, keepdims=True)
    partly = ops.greater(ops.max_pool(ops.max(ops.abs(fine), axis=-1, keepdims=True), 2), 0)  # or a neighbour
    return {
        "state_average": ops.where(partly, ops.stop_gradient(average), state["state_average"]),
        "state_count": ops.where(moved, ops.stop_gradient(count), state["state_count"]),
    }


class Cubic(layers.Layer):  # type: ignore[misc]
    """(B, H, W, C) where each pixel was, between pixels by a cubic; edges go on outside."""

    def call(self, picture: KerasTensor, moves: KerasTensor) -> KerasTensor:
        x, y = _places(moves)
        left, top = ops.floor(x), ops.floor(y)
        across, down = _weights(x - left), _weights(y - top)
        out = 0.0
        for row in range(4):
            line = 0.0
            for column in range(4):
                line += across[column] * _at(picture, left + column - 1, top + row - 1)
            out += down[row] * line
        return out


class Nearest(layers.Layer):  # type: ignore[misc]
    """(B, H, W, C) at the nearest place; 0 from outside."""

    def call(self, planes: KerasTensor, moves: KerasTensor) -> KerasTensor:
        x, y = (ops.round(place) for place in _places(moves))
        _, height, width, _ = planes.shape
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        return ops.where(inside[..., None], _at(planes, x, y), 0.0)


def _places(moves: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    _, height, width, _ = moves.shape
    x = moves[..., 0] + ops.arange(width, dtype="float32")
    y = moves[..., 1] + ops.arange(height, dtype="float32")[:, None]
    return x, y


def _weights(part: KerasTensor) -> list[KerasTensor]:
    """Of the four pixels around, (B, H, W, 1) each, where `part` of the way is gone from the second."""
    rest = 1 - part
    one = _A * part * rest * rest
    four = _A * rest * part * part
    two = ((_A + 2) * part - (_A + 3)) * part * part + 1
    return [weight[..., None] for weight in (one, two, 1 - one - two - four, four)]


def _at(planes: KerasTensor, x: KerasTensor, y: KerasTensor) -> KerasTensor:
    """(B, H, W, C) of whole numbers of pixels; the nearest edge where they are outside."""
    _, height, width, channels = planes.shape
    batch = ops.shape(planes)[0]
    x = ops.cast(ops.clip(x, 0, width - 1), "int32")
    y = ops.cast(ops.clip(y, 0, height - 1), "int32")
    index = (ops.arange(batch, dtype="int32")[:, None, None] * height + y) * width + x
    return ops.take(ops.reshape(planes, (-1, channels)), index, axis=0)
