"""What is drawn over and beside the frames: before and after, the figures, the keys."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dae_edge.camera.controls import Controls
from dae_edge.camera.view import View
from dae_edge.opencv import cv2

Frame = NDArray[np.uint8]

_WHITE = (245, 245, 245)
_AMBER = (60, 190, 255)


class Compose:
    """The picture of a view as the controls want it compared; made once, for however many sinks ask.

    figures: write frame rate, latency and status on it
    """

    def __init__(self, controls: Controls, *, figures: bool = True) -> None:
        self._controls, self._figures = controls, figures
        self._of: tuple[View, str] | None = None
        self._picture: Frame | None = None

    def __call__(self, view: View) -> Frame:
        """(H, W, 3), or (H, 2 W, 3) side by side; not to be written into."""
        compare = self._controls.compare
        if self._picture is None or self._of is None or self._of[0] is not view or self._of[1] != compare:
            self._of, self._picture = (view, compare), self._draw(view, compare)
        return self._picture

    def _draw(self, view: View, compare: str) -> Frame:
        if compare == "side":
            picture = side_by_side(view.before, view.after)
        elif compare == "split":
            picture = split(view.before, view.after)
        else:
            alone = view.before if compare == "before" else view.after
            if not self._figures:
                return alone
            picture = alone.copy()
        if self._figures:
            figures(picture, f"{view.figures.fps:.0f} fps   {view.figures.infer_ms:.0f} ms")
            if view.figures.status:
                status(picture, view.figures.status)
        return picture


def side_by_side(before: Frame, after: Frame) -> Frame:
    """(H, W, 3) twice -> (H, 2 W, 3), labelled."""
    height, width = before.shape[:2]
    joined = np.empty((height, 2 * width, 3), np.uint8)
    joined[:, :width], joined[:, width:] = before, after
    label(joined, "camera", 0)
    label(joined, "dae-edge", width)
    cv2.line(joined, (width, 0), (width, joined.shape[0]), _WHITE, 1)
    return joined


def split(before: Frame, after: Frame) -> Frame:
    """The left half of one and the right half of the other in one frame, (H, W, 3)."""
    middle = before.shape[1] // 2
    joined = after.copy()
    joined[:, :middle] = before[:, :middle]
    label(joined, "camera", 0)
    label(joined, "dae-edge", middle)
    cv2.line(joined, (middle, 0), (middle, joined.shape[0]), _WHITE, 1)
    return joined


def fit(frame: Frame, size: tuple[int, int]) -> Frame:
    """`frame` in `size` (width, height): as it is, or scaled with its shape kept, black around it."""
    height, width = frame.shape[:2]
    if (width, height) == size:
        return frame
    scale = min(size[0] / width, size[1] / height)
    inner = (min(size[0], max(1, round(width * scale))), min(size[1], max(1, round(height * scale))))
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    fitted = np.zeros((size[1], size[0], 3), np.uint8)
    fitted[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        frame, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    return fitted


def label(frame: Frame, text: str, left: int) -> None:
    """A caption in the top corner that begins at `left`, in place."""
    write(frame, text, left + 10, 10)


def figures(frame: Frame, text: str) -> None:
    """A line of figures in the bottom left corner, in place."""
    write(frame, text, 10, frame.shape[0] - 10 - _high(frame))


def status(frame: Frame, text: str) -> None:
    """What is the matter, above the figures, in place."""
    write(frame, text, 10, frame.shape[0] - 22 - 2 * _high(frame), colour=_AMBER)


def notice(frame: Frame, text: str) -> None:
    """What was just done, below the captions, in place."""
    write(frame, text, 10, 22 + _high(frame))


def table(frame: Frame, rows: Sequence[tuple[str, str]]) -> None:
    """Two columns in the middle of the frame, in place."""
    high = _high(frame)
    line = round(1.6 * high)
    widest = max(_width(name, high) for name, _ in rows) + high
    whole = widest + max(_width(text, high) for _, text in rows)
    x = max(8, (frame.shape[1] - whole) // 2)
    y = max(8, (frame.shape[0] - line * len(rows)) // 2)
    pad = high
    _darken(frame, x - pad, y - pad, x + whole + pad, y + line * len(rows) + pad // 2)
    for index, (name, text) in enumerate(rows):
        _text(frame, name, x, y + index * line, high, _AMBER)
        _text(frame, text, x + widest, y + index * line, high, _WHITE)


def write(frame: Frame, text: str, x: int, y: int, *, colour: tuple[int, int, int] = _WHITE) -> None:
    """Light text on a darkened strip, readable on anything, in place; (x, y) its top left."""
    high = _high(frame)
    room = frame.shape[1] - x - 6
    while _width(text, high) > room and high > 8:  # a long sentence on a small frame
        high -= 1
    _darken(frame, x - 6, y - 4, x + _width(text, high) + 6, y + high + 4)
    _text(frame, text, x, y, high, colour)


def _text(frame: Frame, text: str, x: int, y: int, high: int, colour: tuple[int, int, int]) -> None:
    scale, weight = _pen(high)
    base = (x, y + round(high * 0.78))
    cv2.putText(frame, text, base, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, weight, cv2.LINE_AA)


def _darken(frame: Frame, left: int, top: int, right: int, bottom: int) -> None:
    strip = frame[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if strip.size:
        cv2.convertScaleAbs(strip, strip, 0.3)


def _width(text: str, high: int) -> int:
    scale, weight = _pen(high)
    return int(cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, weight)[0][0])


def _pen(high: int) -> tuple[float, int]:
    return high / 30, max(1, round(high / 15))


def _high(frame: Frame) -> int:
    return max(12, round(frame.shape[0] / 26))
