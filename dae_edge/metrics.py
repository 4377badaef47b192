"""PSNR of 8-bit frames: the one definition behind the loop, the exporter's check and the benchmark."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2

Frame = NDArray[np.uint8]


class MeanError:
    """The mean squared error over all frames seen, in levels of 255; takes no room as it grows."""

    def __init__(self) -> None:
        self._sum, self._frames = 0.0, 0

    def add(self, frame: Frame, clean: Frame) -> None:
        """Two uint8 frames of one shape; by OpenCV, as a float frame in numpy would cost more."""
        self._sum += cv2.norm(frame, clean, cv2.NORM_L2SQR) / frame.size
        self._frames += 1

    @property
    def psnr(self) -> float | None:
        """PSNR in dB of that mean; None before the first frame, infinite without error."""
        if not self._frames:
            return None
        mean = self._sum / self._frames
        return math.inf if mean == 0 else 10 * math.log10(255**2 / mean)


def psnr(frames: Iterable[Frame], clean: Iterable[Frame]) -> float:
    """PSNR in dB of the mean squared error over all pairs of uint8 frames."""
    error = MeanError()
    for frame, reference in zip(frames, clean, strict=True):
        error.add(frame, reference)
    found = error.psnr
    assert found is not None, "there must be a frame"
    return found


def finite(figures: dict[str, float | None]) -> dict[str, float | None]:
    """Infinite figures as None: JSON has no infinity, and readers in other languages refuse it."""
    return {k: v if v is None or math.isfinite(v) else None for k, v in figures.items()}
