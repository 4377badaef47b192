"""What the sources that OpenCV reads have in common."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence

import numpy as np

from dae_edge.camera.sources.source import DEFAULT_RATE, Shot
from dae_edge.opencv import cv2


class OpenCVSource:
    """A `cv2.VideoCapture`: opened or not, `read` and `close`."""

    _fastest = 1000.0  # frames a second that are believed

    def __init__(self, target: str | int, *, backend: int = cv2.CAP_ANY, options: Sequence[int] = ()) -> None:
        """`options` are OpenCV properties and their values in turn, for the opening itself."""
        _prepare()
        self._capture = cv2.VideoCapture(target, backend, list(options))
        self._opened = self._capture.isOpened()

    def read(self) -> Shot | None:
        ok, frame = self._capture.read()
        if not ok or frame is None:
            return None
        if frame.ndim == 2:
            frame = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR)
        return Shot(frame.astype(np.uint8, copy=False))

    def close(self) -> None:
        self._capture.release()

    def _granted_rate(self) -> float:
        rate = self._capture.get(cv2.CAP_PROP_FPS) if self._opened else 0.0
        return rate if 0 < rate <= self._fastest else DEFAULT_RATE

    def _granted_size(self) -> tuple[int, int]:
        if not self._opened:
            return (0, 0)
        width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        return (width, int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))


@functools.cache
def _prepare() -> None:
    """Settings of OpenCV's FFmpeg and V4L2, from the environment; those that are set already stay.

    They are kept off the terminal: our errors say better what went wrong, and a stream with errors
    makes them print thousands of lines.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
    # Reopening a stream should not take the five seconds that FFmpeg studies one by default.
    # `prefer_tcp` is OpenCV's own default, which is lost where this variable is set.
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_flags;prefer_tcp|analyzeduration;1000000")
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "4")  # seconds; ten by default
    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
