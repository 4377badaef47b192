"""From a captured frame to the frame that is shown: the model, the brightening, and what if it fails."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dae_edge.camera.auto import Level
from dae_edge.camera.brighten import Brighten
from dae_edge.camera.capture import Captured
from dae_edge.camera.controls import Controls
from dae_edge.camera.models import Models
from dae_edge.camera.notices import Notices
from dae_edge.opencv import cv2
from dae_edge.runtime import Denoiser

Frame = NDArray[np.uint8]

_IN_A_ROW = 3  # failures after which denoising rests
_REST = 2.0  # seconds, so that a model that cannot work does not slow the picture down
_GRID = 16  # working sizes are multiples of it


@dataclass(frozen=True)
class Denoised:
    """What became of a frame; `raw` where it is the camera's own because denoising failed.

    clean: before brightening, of the frame's size, which a known clean picture is compared with
    """

    after: Frame
    clean: Frame
    milliseconds: float
    raw: bool
    work: str


class Denoising:
    """Applies the controls' model, strength and brightening to frame after frame.

    Where the model fails, the frame passes as it is, the cause is said once and is the `status`, and
    the clip begins anew.
    """

    def __init__(self, models: Models, controls: Controls, notices: Notices) -> None:
        self._models, self._controls, self._notices = models, controls, notices
        self._brighten = Brighten()
        self._clip: int | None = None
        self._failures = 0
        self._rest_until = 0.0
        self.status = ""

    def __call__(self, captured: Captured, level: Level) -> Denoised:
        frame = captured.shot.frame
        if not self._models.choose(level.model, self._notices):
            self._controls.model = self._models.name
        denoise = self._models.current
        if captured.clip != self._clip:
            denoise.reset()
            self._clip = captured.clip
        denoise.strength = self._controls.strength
        if level.follow is not None and level.follow != denoise.follow:
            denoise.follow_if_able(level.follow)
        size = working_size(frame, level.scale)
        began = time.perf_counter()
        clean = self._try(denoise, frame, size, captured.taken)
        milliseconds = 1000 * (time.perf_counter() - began)
        raw = clean is None
        kept = frame if clean is None else clean
        after = self._brighten(kept, self._controls.brighten, captured.taken)
        return Denoised(after, kept, milliseconds, raw, f"{self._models.name} at {size[0]}x{size[1]}")

    def _try(self, denoise: Denoiser, frame: Frame, size: tuple[int, int], now: float) -> Frame | None:
        if now < self._rest_until:
            return None
        try:
            clean = _at_size(denoise, frame, size)
        except Exception as failure:  # a runtime raises anything; whatever it is, the picture goes on
            self._fail(failure, now)
            denoise.reset()
            return None
        self._failures, self.status = 0, ""
        return clean

    def _fail(self, failure: Exception, now: float) -> None:
        self._failures += 1
        if self._failures >= _IN_A_ROW:
            self._rest_until = now + _REST
        cause = (str(failure).strip().splitlines() or [type(failure).__name__])[0]
        if not self.status:
            self._notices.say("model", f"denoising failed, the camera's own picture is shown: {cause}")
        self.status = f"not denoised: {cause}"


def working_size(frame: Frame, scale: float) -> tuple[int, int]:
    """(width, height) that a frame is denoised at."""
    height, width = frame.shape[:2]
    if scale == 1:
        return width, height
    return (
        max(_GRID, round(width * scale / _GRID) * _GRID),
        max(_GRID, round(height * scale / _GRID) * _GRID),
    )


def _at_size(denoise: Denoiser, frame: Frame, size: tuple[int, int]) -> Frame:
    height, width = frame.shape[:2]
    if size == (width, height):
        return denoise(frame)
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    clean = denoise(small)
    return cv2.resize(clean, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
