"""What moves in a clip and what does not: where flicker and ghosts are looked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2

Frame = NDArray[np.uint8]
Mask = NDArray[np.bool_]

STILL = 3.0  # levels of 255 that a pixel may change and still count as at rest: what a codec leaves
MOVED = 10.0  # levels by which a pixel changed that shows something else now
TRAIL = 4  # frames for which what an object uncovered counts as just uncovered
ENOUGH = 400  # pixels below which a figure would say nothing


def at_rest(clean: Sequence[Frame]) -> Mask | None:
    """(H, W) where nothing changes through all the clean frames, away from what does; None for too little."""
    if len(clean) < 2:
        return None
    calm = [_smooth(frame) for frame in clean]
    change = np.max([np.abs(frame - calm[0]) for frame in calm[1:]], axis=0).max(axis=2)
    moving = cv2.dilate((change > STILL).astype(np.uint8), np.ones((9, 9), np.uint8))
    mask = moving == 0
    return mask if np.count_nonzero(mask) >= ENOUGH else None


def uncovered(clean: Sequence[Frame], index: int) -> Mask:
    """(H, W) of frame `index` that showed something else within the last frames, and is at rest since.

    The ground that an object has left, and the plain surface of one that has come: where a memory
    that does not let go leaves a ghost.
    """
    if index < 2:
        return np.zeros(clean[index].shape[:2], np.bool_)
    now, before = _smooth(clean[index]), _smooth(clean[index - 1])
    rest = np.abs(now - before).max(axis=2) <= STILL
    earlier = [_smooth(frame) for frame in clean[max(index - TRAIL, 0) : index - 1]]
    other = np.max([np.abs(now - frame).max(axis=2) for frame in earlier], axis=0) > MOVED
    return rest & other


def flicker(frames: Sequence[Frame], mask: Mask) -> float:
    """Temporal standard deviation in levels of 255, root mean square over `mask` and the channels."""
    stack = np.stack([frame[mask] for frame in frames]).astype(np.float32)
    return float(np.sqrt(stack.var(axis=0, ddof=1).mean()))


def error_in(frame: Frame, clean: Frame, mask: Mask) -> float:
    """Mean squared error in levels of 255 over the pixels of `mask`."""
    difference = frame[mask].astype(np.float32) - clean[mask]
    return float((difference * difference).mean(dtype=np.float64))


def _smooth(frame: Frame) -> NDArray[np.float32]:
    """Without the grain that a codec leaves."""
    return cv2.blur(frame, (3, 3)).astype(np.float32)
