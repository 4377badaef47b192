"""Optical flow between two frames, where it is to be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2

SMALLEST = 32  # blocks a side: below it there is too little to find anything again
_BETTER = 0.9  # the error that is left where flow is trusted, at most, of that of standing still
_CLEARLY = 1.0  # and by how many grey levels it must be less: in the dark anything fits a bit better
_AROUND = 9  # blocks a side over which errors are compared
# Of all blocks that must have moved: what crosses the picture before a camera that stands gains nothing by
# being followed, and in a few places noise looks like motion.
_ENOUGH = 0.02
_STEPS = 5  # of the search at each scale: as good as OpenCV's 12, an eighth sooner
# Where more than noise has changed: a difference this many times as large as the noise of the frame before,
# on this share of the frame. Cameras that stand change a thousandth like that at most, those that move a
# hundredth or more.
_LOUDER, _STIRRED = 2.0, 0.004
_SILENCE = 0.5  # grey levels that noise is taken for at least

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
        self._search.setGradientDescentIterations(_STEPS)

    def __call__(self, before: Frame, now: Frame) -> Moves | None:
        """(h, w) of `small_grey` each -> (h, w, 2): x and y, in blocks, from a block now to where it was.

        None where next to nothing has moved, and for frames too small to tell.
        """
        if min(now.shape) < SMALLEST:
            return None
        nowhere = np.zeros((*now.shape, 2), np.float32)  # where to begin
        moves = np.asarray(self._search.calc(now, before, nowhere), np.float32)
        trusted = _trusted(before, now, moves)
        if np.mean(trusted) < _ENOUGH:
            return None
        return np.asarray(cv2.copyTo(moves, trusted.view(np.uint8)), np.float32)  # zeros elsewhere


def stirred(seen: Frame, before: Frame, now: Frame) -> bool:
    """Whether so much has changed between two frames that it pays to look for motion.

    `small_grey` of each, (h, w): the frame before as the camera gave it, the same denoised, and this one.
    """
    noise, change = (_around(cv2.absdiff(frame, before)) for frame in (seen, now))
    return bool(np.mean(change > _LOUDER * (noise + _SILENCE)) > _STIRRED)


def small_grey(frame: Frame) -> Frame:
    """(H, W, 3) uint8 -> (H/2, W/2) uint8, sides rounded up: a number a block."""
    sides = (-(-frame.shape[1] // 2), -(-frame.shape[0] // 2))
    small = cv2.resize(frame, sides, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


def _trusted(before: Frame, now: Frame, moves: Moves) -> NDArray[np.bool_]:
    """(h, w): where what moved fits better than what stands still, all around."""
    there = moved(before, moves, cv2.INTER_LINEAR)
    follows, stays = (_around(cv2.absdiff(now, other)) for other in (there, before))
    return follows < _BETTER * stays - _CLEARLY


def _around(errors: NDArray[Any]) -> NDArray[np.float32]:
    """(h, w): the mean around each block."""
    return np.asarray(cv2.boxFilter(errors, cv2.CV_32F, (_AROUND, _AROUND)), np.float32)


def moved(
    picture: NDArray[Any], moves: Moves, between: int, outside: int = cv2.BORDER_REPLICATE
) -> NDArray[Any]:
    """`picture`, (h, w) or (h, w, C), each pixel from where `moves` (h, w, 2), in its pixels, say it was.

    `between` is OpenCV's interpolation, `outside` its border; a constant border is 0.
    """
    how = between | cv2.WARP_RELATIVE_MAP
    return cv2.remap(picture, moves, None, how, borderMode=outside)  # type: ignore[call-overload]
