"""Some seconds of a source, kept: what measuring a camera needs."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dae_edge.camera.capture import Capture, FileCapture, LiveCapture
from dae_edge.camera.sources import Source
from dae_edge.errors import CameraError

Stack = NDArray[np.uint8]

SETTLE = 1.0  # seconds that a camera gets to find its exposure
_PATIENCE = 10.0  # seconds without a frame before a source counts as dead
_PIXELS = 3e7  # that are kept at most: 90 MB
_LEAST, _MOST = 24, 150  # frames


def record(source: Source, seconds: float, tell: Callable[[int, int], None] = lambda *_: None) -> Stack:
    """(F, H, W, 3) uint8 BGR: the frames of `seconds`, or as many as are of use; closes the source.

    A live source is given a second to settle first. Frames of another size, or of a camera that was
    lost and found again, begin anew. Raises `CameraError` where no frame comes for ten seconds.
    """
    capture: Capture = LiveCapture(source) if source.live else FileCapture(source)
    try:
        return np.stack(_frames(capture, source, seconds, tell))
    finally:
        capture.close()


def _frames(
    capture: Capture, source: Source, seconds: float, tell: Callable[[int, int], None]
) -> list[NDArray[np.uint8]]:
    frames: list[NDArray[np.uint8]] = []
    clip = 0
    settled: float | None = None  # from the first frame on, since some cameras take seconds to give it
    while True:
        captured = capture.take(_PATIENCE)
        if captured is None:
            if capture.ended and frames:
                return frames
            raise CameraError(f"{source.name} gave no frame{_after(capture)}.")
        frame = captured.shot.frame
        if settled is None:
            settled = time.monotonic() + (SETTLE if source.live else 0.0)
        if time.monotonic() < settled:
            continue
        if frames and (frames[0].shape != frame.shape or captured.clip != clip):
            frames.clear()
        clip = captured.clip
        frames.append(frame.copy())
        wanted = int(np.clip(_PIXELS / (frame.shape[0] * frame.shape[1]), _LEAST, _MOST))
        wanted = min(wanted, max(round(seconds * source.rate), 1))
        tell(len(frames), wanted)
        # A camera may give fewer frames a second than it says.
        if len(frames) >= wanted or (source.live and time.monotonic() > settled + seconds):
            return frames


def _after(capture: Capture) -> str:
    return "" if capture.ended else f" for {_PATIENCE:g} seconds"
