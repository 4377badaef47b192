"""A streaming denoiser laid out over a whole clip, or over frames torn out of clips."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from dae_edge.models.carry import carried


def unroll(model: keras.Model, frames: int, height: int, width: int, *, follow: bool = False) -> keras.Model:
    """The same weights over a whole clip, for training.

    Input `clip` (B, frames, height, width, 3) float in [0, 1]; output the denoised clip, same shape.
    With `follow` there is an input `moves` (B, frames, height / 2, width / 2, 2) too, along which memory is
    carried from the frame before to each.
    """
    inputs, _, denoised = _laid_out(model, frames, height, width, follow)
    return keras.Model(inputs, ops.stack(denoised, axis=1), name=f"{model.name}_clip")


def memories(
    model: keras.Model, frames: int, height: int, width: int, *, follow: bool = False
) -> keras.Model:
    """The memory that each frame of a clip meets.

    Inputs as of `unroll`; outputs by the states' names, (B, frames, h, w, channels) each.
    """
    inputs, met, _ = _laid_out(model, frames, height, width, follow)
    outputs = {name: ops.stack([state[name] for state in met], axis=1) for name in met[0]}
    return keras.Model(inputs, outputs, name=f"{model.name}_memories")


def apart(model: keras.Model, frames: int, height: int, width: int) -> keras.Model:
    """The same weights over frames that are denoised each by itself, with the memory that it met.

    Input `clip` as of `unroll`, and what `memories` gives of the same frames; output as of `unroll`.
    """
    inputs = {"clip": keras.Input((frames, height, width, 3), name="clip")}
    divisor = model.get_layer("analysis").strides[0]
    for name, shape in _states(model).items():
        inputs[name] = keras.Input((frames, height // divisor, width // divisor, shape), name=name)
    alone = {name: ops.reshape(tensor, (-1, *tensor.shape[2:])) for name, tensor in inputs.items()}
    denoise = keras.Model(model.input, model.output["denoised"])
    denoised = denoise({"frame": alone.pop("clip"), **alone})
    return keras.Model(
        inputs, ops.reshape(denoised, (-1, frames, height, width, 3)), name=f"{model.name}_apart"
    )


def freeze_memory(model: keras.Model) -> None:
    """Let training leave alone what decides what memory holds."""
    states = [tensor for name, tensor in model.output.items() if name.startswith("state_")]
    for layer in keras.Model(model.input, states).layers:
        layer.trainable = False


def freeze_all_but_memory(model: keras.Model) -> None:
    """Let training change the gate alone, and what it is told."""
    for layer in model.layers:
        layer.trainable = layer.name.startswith("gate")


def _laid_out(
    model: keras.Model, frames: int, height: int, width: int, follow: bool
) -> tuple[Any, list[dict[str, Any]], list[Any]]:
    """The inputs, and of each frame the states that it meets and what comes of it."""
    clip = keras.Input((frames, height, width, 3), name="clip")
    moves = keras.Input((frames, height // 2, width // 2, 2), name="moves") if follow else None
    state = no_memory(model, clip[:, 0])
    met, denoised = [], []
    for index in range(frames):
        if moves is not None and index:
            state = carried(model, state, moves[:, index])
        met.append(state)
        out = model({"frame": clip[:, index], **state})
        denoised.append(out["denoised"])
        state = {name: out[f"{name}_next"] for name in state}
    return (clip if moves is None else {"clip": clip, "moves": moves}), met, denoised


def no_memory(model: keras.Model, frames: Any) -> dict[str, Any]:
    """The states at the start of clips whose first frames these are, (B, H, W, 3): zeros."""
    divisor = model.get_layer("analysis").strides[0]
    nothing = 0 * frames[:, ::divisor, ::divisor, :1]
    return {name: nothing * np.ones(channels, np.float32) for name, channels in _states(model).items()}


def _states(model: keras.Model) -> dict[str, int]:
    """The channels of each state, by name."""
    return {name: tensor.shape[-1] for name, tensor in model.input.items() if name.startswith("state_")}
