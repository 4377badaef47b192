"""PSNR and SSIM of 8-bit frames: the one definition behind the loop, the export check and the benchmark."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import BadValueError
from dae_edge.opencv import cv2

Frame = NDArray[np.uint8]

_WINDOW = 11  # pixels a side, of SSIM's Gaussian window
_SIGMA = 1.5


class MeanError:
    """The mean squared error over all frames seen, in levels of 255; takes no room as it grows."""

    def __init__(self) -> None:
        self._sum, self._frames = 0.0, 0

    def add(self, frame: Frame, clean: Frame) -> None:
        """Two uint8 frames of one shape; by OpenCV, as a float frame in numpy would cost more.

        Raises `BadValueError` where the two differ in shape or are not uint8.
        """
        _check(frame, clean)
        self._sum += cv2.norm(frame, clean, cv2.NORM_L2SQR) / frame.size
        self._frames += 1

    @property
    def psnr(self) -> float | None:
        """PSNR in dB of that mean; None before the first frame, infinite without error."""
        return decibels(self._sum / self._frames) if self._frames else None


def psnr(frames: Iterable[Frame], clean: Iterable[Frame]) -> float:
    """PSNR in dB of the mean squared error over all pairs of uint8 frames.

    Raises `BadValueError` for no frame, or two that differ in shape or are not uint8.
    """
    error = MeanError()
    for frame, reference in zip(frames, clean, strict=True):
        error.add(frame, reference)
    found = error.psnr
    if found is None:
        raise BadValueError("`frames` must hold a frame at least.")
    return found


def decibels(error: float) -> float:
    """A mean squared error in levels of 255 as PSNR in dB; infinite for none."""
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def ssim(frame: Frame, clean: Frame) -> float:
    """Structural similarity of two uint8 frames, (H, W) or (H, W, C): 1 for equal ones.

    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural
    similarity" (IEEE TIP 2004): Gaussian window of 11 pixels, sigma 1.5, K1 0.01, K2 0.03; the mean
    over all windows that lie in the picture, and over the channels. The same as scikit-image's
    `structural_similarity(gaussian_weights=True, use_sample_covariance=False, data_range=255)`.

    Raises `BadValueError` where the two differ in shape, are not uint8, or are smaller than the window.
    """
    _check(frame, clean)
    if min(frame.shape[:2]) < _WINDOW:
        raise BadValueError(f"`frame` {frame.shape} must have {_WINDOW} pixels a side at least.")
    # Taken from the middle grey, so that 32 bits are enough for variances.
    x, y = (picture.astype(np.float32) - np.float32(128) for picture in (frame, clean))
    mean_x, mean_y = _blur(x), _blur(y)
    spread_x = _blur(x * x) - mean_x * mean_x
    spread_y = _blur(y * y) - mean_y * mean_y
    together = _blur(x * y) - mean_x * mean_y
    mean_x += 128
    mean_y += 128
    c1, c2 = np.float32((0.01 * 255) ** 2), np.float32((0.03 * 255) ** 2)
    brightness = (2 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
    structure = (2 * together + c2) / (spread_x + spread_y + c2)
    inside = slice(_WINDOW // 2, -(_WINDOW // 2))
    return float((brightness * structure)[inside, inside].mean(dtype=np.float64))


def finite(figures: dict[str, float | None]) -> dict[str, float | None]:
    """Infinite figures as None: JSON has no infinity, and readers in other languages refuse it."""
    return {k: v if v is None or math.isfinite(v) else None for k, v in figures.items()}


def _blur(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return cv2.GaussianBlur(picture, (_WINDOW, _WINDOW), _SIGMA).astype(np.float32, copy=False)


def _check(frame: Frame, clean: Frame) -> None:
    if frame.shape != clean.shape:
        raise BadValueError(f"`frame` {frame.shape} and `clean` {clean.shape} must have one shape.")
    for name, picture in (("frame", frame), ("clean", clean)):
        if picture.dtype != np.uint8:
            raise BadValueError(f"`{name}` must be uint8, 0 to 255; got {picture.dtype}.")
