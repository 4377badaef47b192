"""Where a clip showed something else lately, and memory may haunt the picture."""

from __future__ import annotations

from keras import KerasTensor, ops

TRAIL = 4  # frames for which a pixel that shows something new may be haunted
MOVED = 10 / 255  # change of a pixel that shows something else now


def lately_changed(clean: KerasTensor) -> KerasTensor:
    """(B, frames, H, W, 1): 1 where up to `TRAIL` frames ago there was something else, 0 elsewhere."""
    changed = ops.zeros_like(clean[..., :1])
    for frames in range(1, min(TRAIL + 1, clean.shape[1])):
        before = ops.concatenate([clean[:, :1]] * frames + [clean[:, :-frames]], axis=1)
        change = ops.max(ops.abs(clean - before), axis=-1, keepdims=True)
        changed = ops.maximum(changed, ops.cast(change > MOVED, changed.dtype))
    return changed
