"""Some seconds of a source, kept: what measuring a camera needs."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dae_edge.camera.capture import Capture
from dae_edge.camera.sources import Source
from dae_edge.errors import CameraError

Stack = NDArray[np.uint8]

SETTLE = 1.0  # seconds that a camera gets to find its exposure
_PATIENCE = 10.0  # seconds without a frame before a source counts as dead
_PIXELS = 3e7  # that are kept at most: 90 MB
_LEAST, _MOST = 24, 150  # frames


def record(source: Source, seconds: float, tell: Callable[[int, int], None] = lambda *_: None) -> Stack:
    """(F, H, W, 3) uint8 BGR: the frames of `seconds`, or as many as are of use.

    Closes the source. A size that changes begins anew.
    """
    capture = Capture(source)
    frames: list[NDArray[np.uint8]] = []
    settled = time.monotonic() + (SETTLE if source.live else 0.0)
    until = settled + seconds
    wanted = _MOST
    try:
        while len(frames) < wanted and (not source.live or time.monotonic() < until):
            shot = capture.take(_PATIENCE)
            if shot is None:
                break
            if time.monotonic() < settled:
                continue
            if frames and frames[0].shape != shot.frame.shape:
                frames.clear()
            frames.append(shot.frame.copy())
            pixels = shot.frame.shape[0] * shot.frame.shape[1]
            wanted = int(np.clip(_PIXELS / pixels, _LEAST, _MOST))
            if not source.live:
                wanted = min(wanted, max(round(seconds * source.rate), 1))
            tell(len(frames), wanted)
    finally:
        capture.close()
    if not frames:
        raise CameraError(f"{source.name} gave no frame.")
    return np.stack(frames)
