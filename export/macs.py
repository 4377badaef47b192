"""What a network costs in arithmetic, whatever runs it."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import keras
from keras import layers

from dae_edge.export.picture_model import PictureModel

_SIDES = 8  # multiples of the stride: the size of the picture that is counted on


@lru_cache(maxsize=4)
def macs_per_pixel(model: PictureModel) -> float:
    """Multiply-adds of all convolutions and dense layers for each pixel of a frame.

    Biases, activations and the arithmetic around the layers are not counted, as is usual.
    """
    height, width = model.size or (_SIDES * model.stride, _SIDES * model.stride)
    picture = keras.Input(batch_shape=(1, height, width, model.channels), name=model.picture)
    states = {
        name: keras.Input(batch_shape=model.state_shape(name, height, width), name=name)
        for name in model.states
    }
    inputs = {model.picture: picture, **states} if isinstance(model.model.input, dict) else picture
    return _macs_of(model.model, inputs) / (height * width)


def _macs_of(model: keras.Model, inputs: Any) -> int:
    """Of a whole model, by calling its layers once on tensors that have a shape and nothing else."""
    total = 0

    def count(layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        nonlocal total
        out = layer(*args, **kwargs)
        total += _macs_of(layer, args[0]) if isinstance(layer, keras.Model) else _macs(layer, args[0], out)
        return out

    keras.models.clone_model(
        keras.Model(model.inputs, model.outputs),  # a Sequential one too, and inputs in one known order
        input_tensors=keras.tree.flatten(inputs),
        clone_function=lambda layer: layer,
        call_function=count,
    )
    return total


def _macs(layer: keras.Layer, given: Any, out: Any) -> int:
    if isinstance(layer, layers.Conv2DTranspose):  # each pixel that goes in meets the whole kernel
        return math.prod(given.shape[1:3]) * math.prod(layer.kernel.shape)
    if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
        return math.prod(out.shape[1:3]) * math.prod(layer.kernel.shape)
    if isinstance(layer, layers.Dense):
        return math.prod(given.shape[1:-1]) * math.prod(layer.kernel.shape)
    return 0
