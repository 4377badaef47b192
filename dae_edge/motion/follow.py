"""A denoiser's memory kept where things are, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dae_edge.manifest import Manifest
from dae_edge.motion.carry import States, carry
from dae_edge.motion.flow import Flow, Frame, small_grey, stirred
from dae_edge.opencv import cv2, many_threaded

# Grey levels, root mean square, that must have been cleaned away for memory to be moved: with less noise
# what a frame shows itself is better than what was seen before, moved between pixels.
_NOISY = 4.0
_ROWS = 4  # every fourth is enough to tell


class Follower:
    """Knows the frame before, and moves memory from there to the next one."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._flow = Flow()
        # Small, as it came and denoised; copies, as the denoised frame is the caller's to draw on.
        self._before: tuple[Frame, Frame] | None = None

    def forget(self) -> None:
        """The next frame is the first of a new clip."""
        self._before = None

    def carry(self, states: Mapping[str, NDArray[Any]], frame: Frame) -> States:
        """The states that were left by the frame before, for this one."""
        if self._before is None:
            return dict(states)
        (seen, denoised), now = self._before, small_grey(frame)
        if not stirred(seen, denoised, now):
            return dict(states)
        with many_threaded():
            moves = self._flow(denoised, now)
            return dict(states) if moves is None else carry(states, moves, self._manifest)

    def saw(self, frame: Frame, denoised: Frame, strength: float) -> None:
        """A frame and what became of it, with `strength` of the noise taken away."""
        noisy = is_noisy(frame, denoised, strength)
        self._before = (small_grey(frame), small_grey(denoised)) if noisy else None


def is_noisy(frame: Frame, denoised: Frame, strength: float) -> bool:
    """Whether a frame had so much noise that motion is worth following, by what denoising changed."""
    if strength == 0:
        return False
    one, other = (np.ascontiguousarray(picture[::_ROWS]) for picture in (frame, denoised))
    return bool(cv2.norm(one, other, cv2.NORM_L2) / one.size**0.5 >= _NOISY * strength)
