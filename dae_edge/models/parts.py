"""What the streaming denoisers are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import keras
from keras import KerasTensor, layers, ops

from dae_edge.models.camera import TOLD, told

RELU = "_relu"  # behind a convolution's name: the ReLU of one that is told of the camera
MASK = "mask_share"  # the layer that gives it
MEMORY = 32  # frames the average may stand on at most
# A cut is where the mean of the frames stood on falls to this share of what it was, or below. What moves
# in a scene costs 3 % of it a frame at most, measured; from the upper share on nothing else is lost.
CUT, NO_CUT = 0.65, 0.8

Convolve: TypeAlias = Callable[..., KerasTensor]  # `convolution`, its precision settled


def convolution(
    x: KerasTensor,
    filters: int,
    name: str,
    *,
    size: int = 3,
    strides: int = 1,
    dilation: int = 1,
    relu: bool = True,
    silent: bool = False,
    code: KerasTensor | None = None,
    precision: str,
) -> KerasTensor:
    """With a `code` the layer is told of the camera before its ReLU, which is a layer of its own.

    One that is `silent` gives zeros at first.
    """
    alone = code is None
    x = layers.Conv2D(
        filters,
        size,
        strides,
        padding="same",
        dilation_rate=dilation,
        activation="relu" if relu and alone else None,
        kernel_initializer="zeros" if silent else "he_normal" if relu else "glorot_uniform",
        dtype=precision,
        name=name,
    )(x)
    if alone:
        return x
    x = told(x, code, name, precision)
    return layers.ReLU(dtype=precision, name=name + RELU)(x) if relu else x


def result(model: keras.Model, name: str) -> keras.layers.Layer:
    """The layer that gives what the convolution `name` does in the end, thresholds and ReLU included."""
    names = {layer.name for layer in model.layers}
    return model.get_layer(next(n for n in (name + RELU, name + TOLD, name) if n in names))


def step_up(x: KerasTensor, filters: int, name: str, convolve: Convolve) -> KerasTensor:
    """Twice the size: a 1x1 convolution and depth to space, the only form fast everywhere."""
    return ops.depth_to_space(convolve(x, 4 * filters, name, size=1, relu=False), 2)


def mask_of(logits: KerasTensor, learning: bool) -> KerasTensor:
    """How much of the average stays as it is, from 0 to 1: a straight line between them.

    While `learning` it has the gradient of a sigmoid, as it would have none where it is cut off: a mask that
    shut over a poor picture would never open again.

    In 8 bits a sigmoid's table took 2 % of all time, and what is beyond either end is cut off for nothing.
    After Howard et al., "Searching for MobileNetV3" (ICCV 2019).
    """
    mask = layers.Activation("hard_sigmoid", name=MASK)(logits)
    if not learning:
        return mask
    soft = ops.sigmoid(logits)
    return soft + ops.stop_gradient(mask - soft)


def frames_stood_on(count: KerasTensor, motion: KerasTensor) -> KerasTensor:
    """How many frames the average stands on with this one, (1, h, w, n) as `count`, that it stood on before.

    What moved, by `motion` from 0 to 1, starts anew; and everything does at a cut, where the rest only
    looks as if it stood still.
    """
    kept = (1 - motion) * ops.minimum(count, MEMORY - 1)
    share = (1 + _mean(kept)) / ops.maximum(_mean(count), 1)
    return 1 + kept * ops.clip((share - CUT) / (NO_CUT - CUT), 0, 1)


def _mean(planes: KerasTensor) -> KerasTensor:
    return ops.mean(planes, axis=(1, 2, 3), keepdims=True)
