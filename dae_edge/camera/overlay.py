"""What is drawn over and beside the frames: before and after, and the figures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2

Frame = NDArray[np.uint8]

_WHITE = (245, 245, 245)


def side_by_side(before: Frame, after: Frame) -> Frame:
    """(H, W, 3) twice -> (H, 2 W, 3), labelled."""
    joined = np.hstack([before, after])
    width = before.shape[1]
    label(joined, "camera", 0)
    label(joined, "dae-edge", width)
    cv2.line(joined, (width, 0), (width, joined.shape[0]), _WHITE, 1)
    return joined


def split(before: Frame, after: Frame) -> Frame:
    """The left half of one and the right half of the other in one frame, (H, W, 3)."""
    middle = before.shape[1] // 2
    joined = np.hstack([before[:, :middle], after[:, middle:]])
    label(joined, "camera", 0)
    label(joined, "dae-edge", middle)
    cv2.line(joined, (middle, 0), (middle, joined.shape[0]), _WHITE, 1)
    return joined


def label(frame: Frame, text: str, left: int) -> None:
    """A caption in the top corner that begins at `left`, in place."""
    write(frame, text, left + 10, 10)


def figures(frame: Frame, text: str) -> None:
    """A line of figures in the bottom left corner, in place."""
    write(frame, text, 10, frame.shape[0] - 10 - _high(frame))


def write(frame: Frame, text: str, x: int, y: int) -> None:
    """Light text on a darkened strip, readable on anything, in place; (x, y) its top left."""
    high = _high(frame)
    scale = high / 30
    weight = max(1, round(scale * 2))
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, weight)
    strip = frame[max(y - 4, 0) : y + high + 4, max(x - 6, 0) : x + width + 6]
    strip[:] = strip // 3
    base = (x, y + round(high * 0.78))
    cv2.putText(frame, text, base, cv2.FONT_HERSHEY_SIMPLEX, scale, _WHITE, weight, cv2.LINE_AA)


def _high(frame: Frame) -> int:
    return max(12, round(frame.shape[0] / 26))
