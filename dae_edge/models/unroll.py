"""A streaming denoiser laid out over a whole clip."""

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
    clip = keras.Input((frames, height, width, 3), name="clip")
    moves = keras.Input((frames, height // 2, width // 2, 2), name="moves") if follow else None
    state = no_memory(model, clip[:, 0])
    denoised = []
    for index in range(frames):
        if moves is not None and index:
            state = carried(model, state, moves[:, index])
        out = model({"frame": clip[:, index], **state})
        denoised.append(out["denoised"])
        state = {name: out[f"{name}_next"] for name in state}
    inputs = clip if moves is None else {"clip": clip, "moves": moves}
    return keras.Model(inputs, ops.stack(denoised, axis=1), name=f"{model.name}_clip")


def no_memory(model: keras.Model, frames: Any) -> dict[str, Any]:
    """The states at the start of clips whose first frames these are, (B, H, W, 3): zeros."""
    divisor = model.get_layer("analysis").strides[0]
    nothing = 0 * frames[:, ::divisor, ::divisor, :1]
    return {
        name: nothing * np.ones(tensor.shape[-1], np.float32)
        for name, tensor in model.input.items()
        if name.startswith("state_")
    }
