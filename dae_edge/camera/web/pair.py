"""Before and after in one JPEG, so that both are always of the same frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dae_edge.camera.view import View
from dae_edge.opencv import cv2

Frame = NDArray[np.uint8]

NARROWEST, WIDEST = 320, 1280  # pixels that a page may ask for

_QUALITY = 80
_BLOCK = 16  # a JPEG with halved colour codes blocks of 16 lines


@dataclass(frozen=True)
class Pair:
    """A JPEG with the frame before denoising at its top and the one after at line `below`.

    width, height: of each of the two, pixels. Between them lie 16 lines or more that belong to
    neither: a JPEG's blocks, and the smoothing of its colour, would carry noise across a seam.
    """

    jpeg: bytes
    width: int
    height: int
    below: int


class PairEncoder:
    """Encodes each view once, however many pages ask for it."""

    def __init__(self) -> None:
        self._last: tuple[Frame, int, Pair] | None = None

    def __call__(self, view: View, width: int) -> Pair:
        """The view's pair at some `width` pixels, never more than it has."""
        width = _good_width(view.after.shape[1], min(max(width, NARROWEST), WIDEST))
        if self._last is not None and self._last[0] is view.after and self._last[1] == width:
            return self._last[2]
        pair = _encode(view, width)
        self._last = (view.after, width, pair)
        return pair


def _good_width(own: int, asked: int) -> int:
    """The width asked for, or the next whole part of the frame's own where that is half or less."""
    parts = own // asked
    return min(own, asked) if parts < 2 else own // parts


def _encode(view: View, width: int) -> Pair:
    high, wide = view.after.shape[:2]
    height = max(1, round(high * width / wide))
    gap = -(-height // _BLOCK) * _BLOCK  # where the lines that continue the upper picture end
    below = gap + _BLOCK
    both = np.empty((below + height, width, 3), np.uint8)
    _fit(view.before, both[:height])
    _fit(view.after, both[below:])
    both[height:gap], both[gap:below] = both[height - 1], both[below]
    _, jpeg = cv2.imencode(".jpg", both, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return Pair(jpeg.tobytes(), width, height, below)


def _fit(frame: Frame, space: Frame) -> None:
    """Scale the frame into its space, in place."""
    if frame.shape == space.shape:
        np.copyto(space, frame)
    else:
        # Averages over whole pixels are quick, over parts of them slow: 0.2 and 4.3 ms for half of
        # 1280x720 and for less of it. Within a factor of two interpolation (0.7 ms) skips no pixel.
        way = cv2.INTER_AREA if frame.shape[1] >= 2 * space.shape[1] else cv2.INTER_LINEAR
        cv2.resize(frame, (space.shape[1], space.shape[0]), dst=space, interpolation=way)
