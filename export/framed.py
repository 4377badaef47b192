"""Frame in, frame out: the model wrapped so that a camera's own uint8 frame goes in and comes out.

Scaling, padding to the stride, clipping and rounding become part of the graph, so a user in
C++, Kotlin or JavaScript needs no code of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from dae_edge.export.picture_model import NEXT, PictureModel

FRAME, DENOISED, STRENGTH = "frame", "denoised", "strength"

Size = tuple[int, int] | None  # (height, width), None for any


def framed(model: PictureModel, size: Size) -> tuple[Callable[..., dict[str, Any]], list[tf.TensorSpec]]:
    """A function of `frame` and the states, and its signature.

    `frame` (1, H, W, C) uint8 -> `denoised`, the same; states pass through as float32, NHWC.
    """

    def run(frame: Any, *states: Any) -> dict[str, Any]:
        shape = tf.shape(frame)
        padded = _pad(frame, model.stride, shape, size)
        picture = tf.cast(padded, tf.float32) / 255
        out = model.call(picture, dict(zip(model.states, states, strict=True)))
        restored = out[model.restored]
        if size is None:
            restored = restored[:, : shape[1], : shape[2]]
        elif size != (model.padded(size[0]), model.padded(size[1])):
            restored = restored[:, : size[0], : size[1]]
        levels = tf.round(tf.clip_by_value(restored * 255, 0, 255))
        result = {DENOISED: tf.cast(levels, tf.uint8)}
        for name in model.states:
            result[name + NEXT] = tf.identity(out[name + NEXT])
        return result

    sides = size or (None, None)
    signature = [tf.TensorSpec((1, *sides, model.channels), tf.uint8, name=FRAME)]
    for name in model.states:
        free = (1, None, None, model.state_channels(name))
        state = model.state_shape(name, *size) if size else free
        signature.append(tf.TensorSpec(state, tf.float32, name=name))
    return run, signature


def _pad(frame: Any, stride: int, shape: Any, size: Size) -> Any:
    """Reflect the frame over its lower and right edges up to a multiple of the stride."""
    if stride == 1:
        return frame
    if size is not None:
        below, right = (-side % stride for side in size)
        if not below and not right:
            return frame
    else:
        # tf2onnx gets the remainder of a negative number wrong.
        below, right = ((stride - shape[axis] % stride) % stride for axis in (1, 2))
    return tf.pad(frame, [[0, 0], [0, below], [0, right], [0, 0]], mode="REFLECT")
