"""Optical flow between two frames, where it is to be trusted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2

SMALLEST = 64  # pixels a side: below it there is too little to find anything again
_BETTER = 0.9  # the error that is left where flow is trusted, at most, of that of standing still
_CLEARLY = 1.0  # and by how many grey levels it must be less: in the dark anything fits a bit better
_AROUND = 9  # blocks a side over which errors are compared
# Grey levels, root mean square, that must have been cleaned away for memory to be moved: with less noise
# what a frame shows itself is better than what was seen before, moved between pixels.
_NOISY = 4.0
_ROWS = 4  # every fourth is enough to tell

Frame = NDArray[np.uint8]
Moves = NDArray[np.float32]


class Flow:
    """Finds where each 2 x 2 block of a frame was in the one before.

    Dense inverse search (Kroeger et al., "Fast optical flow using dense inverse search", ECCV 2016), as
    OpenCV has it, at half resolution, where noise is half as strong. What stands still as well as it moves
    does stand still: so noise moves nothing, and a camera on a stand loses nothing.
    """

    def __init__(self) -> None:
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._search.setFinestScale(1)

    def __call__(self, before: Frame, now: Frame) -> Moves | None:
        """(H, W, 3) uint8 each -> (H/2, W/2, 2): x and y, in blocks, from a block now to where it was before.

        Sides are rounded up. None where nothing has moved, and for frames too small to tell.
        """
        if min(now.shape[:2]) < SMALLEST:
            return None
        was, is_ = _small_grey(before), _small_grey(now)
        nowhere = np.zeros((*was.shape, 2), np.float32)  # where to begin
        moves = np.asarray(self._search.calc(is_, was, nowhere), np.float32)
        moves *= _trusted(was, is_, moves)[..., None]
        if not moves.any():
            return None
        return moves


def is_noisy(frame: Frame, denoised: Frame, strength: float) -> bool:
    """Whether a frame had so much noise that motion is worth following, by what denoising changed."""
    if strength == 0:
        return False
    one, other = (np.ascontiguousarray(picture[::_ROWS]) for picture in (frame, denoised))
    return bool(cv2.norm(one, other, cv2.NORM_L2) / one.size**0.5 >= _NOISY * strength)


def _small_grey(frame: Frame) -> Frame:
    sides = (-(-frame.shape[1] // 2), -(-frame.shape[0] // 2))
    small = cv2.resize(frame, sides, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


def _trusted(was: Frame, is_: Frame, moves: Moves) -> NDArray[np.bool_]:
    """(h, w): where what moved fits better than what stands still, all around."""
    there = cv2.remap(was, *places(moves), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    around = (_AROUND, _AROUND)
    moved, still = (cv2.boxFilter(cv2.absdiff(is_, other), cv2.CV_32F, around) for other in (there, was))
    return moved < _BETTER * still - _CLEARLY


def places(moves: Moves) -> tuple[Moves, Moves]:
    """x and y, each (h, w), of where everything was."""
    height, width = moves.shape[:2]
    x = np.asarray(moves[..., 0] + np.arange(width, dtype=np.float32), np.float32)
    y = np.asarray(moves[..., 1] + np.arange(height, dtype=np.float32)[:, None], np.float32)
    return x, y
