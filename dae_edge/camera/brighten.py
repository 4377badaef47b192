"""A gentle lift of the dark tones after denoising: a clean dark frame is still dark."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2

Frame = NDArray[np.uint8]

_GOAL = 0.42  # mean brightness, of 1, that full brightening heads for
_STRONGEST = 4.0  # the darkest tones are lifted by five at most
_FOLLOW = 2.0  # seconds in which the curve follows the scene
_FASTEST = 0.25  # natural logarithms a second by which it may follow at most
_SPARSE = 16  # one pixel in so many, both ways, is measured

_STEPS = np.arange(256, dtype=np.float64) / 255


class Brighten:
    """Lifts frames along x (1 + a) / (1 + a x), which keeps black, white and the order of all tones.

    The lift `a` comes from the scene's mean brightness and the amount. That mean is followed slowly
    and never faster than a limit, so that neither noise, nor a lamp that flickers, nor a hand before
    the lens makes the picture pump; a change of the amount shows at once.
    """

    def __init__(self) -> None:
        self._mean: float | None = None
        self._then = 0.0
        self._lift = 0.0
        self._curve = _curve(0.0)

    def __call__(self, frame: Frame, amount: float, now: float) -> Frame:
        """(H, W, 3) uint8 -> the same, lifted; `amount` 0 (untouched) to 1, `now` in seconds."""
        if amount <= 0:
            self._mean = None  # when it is next turned on, it begins from the scene of then
            return frame
        lift = lift_for(self._follow(frame, now), amount)
        if abs(lift - self._lift) > 1e-4:
            self._lift, self._curve = lift, _curve(lift)
        return cv2.LUT(frame, self._curve).astype(np.uint8, copy=False)

    def _follow(self, frame: Frame, now: float) -> float:
        seen = max(float(frame[::_SPARSE, ::_SPARSE].mean()) / 255, 1 / 255)
        if self._mean is None:
            self._mean = seen
        else:
            past = min(max(now - self._then, 0.0), 1.0)
            step = math.log(seen / self._mean) * (1 - math.exp(-past / _FOLLOW))
            self._mean *= math.exp(max(-_FASTEST * past, min(_FASTEST * past, step)))
        self._then = now
        return self._mean


def lift_for(mean: float, amount: float) -> float:
    """The `a` that brings `mean` (0 to 1) the share `amount` (0 to 1) of the way to the goal."""
    if mean >= _GOAL:
        return 0.0
    goal = mean + amount * (_GOAL - mean)
    return min((goal - mean) / (mean * (1 - goal)), _STRONGEST * amount)


def _curve(lift: float) -> NDArray[np.uint8]:
    return np.rint(255 * _STEPS * (1 + lift) / (1 + lift * _STEPS)).astype(np.uint8)
