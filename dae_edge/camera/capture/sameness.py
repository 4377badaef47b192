"""Frames that are equal to the last bit: a camera that is gone, or a picture that stands still."""

from __future__ import annotations

import numpy as np

from dae_edge.camera.capture.patience import Patience
from dae_edge.camera.sources import Frame

_ROWS = 16  # one row in so many is looked at first: in frames that differ, they differ too


class Sameness:
    """Suspects a source whose frames repeat, once.

    Some backends go on giving the last frame of a camera that was unplugged, and say all is well.
    But a test picture, or a stream whose encoder skips what does not change, repeats too. So the
    source is opened anew, and if the very same picture comes back, it is the scene that stands
    still, and there is no more suspicion until something changes.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._last: Frame | None = None
        self._since = 0.0
        self._repeats = 0
        self._excused = False

    def add(self, frame: Frame, now: float) -> None:
        """The next frame of the source, and when it came."""
        if self._last is not None and _equal(frame, self._last):
            self._repeats += 1
        else:
            self._since, self._repeats, self._excused = now, 0, False
            self._last = frame

    def suspicious(self, now: float) -> bool:
        patience = self._patience
        return (
            not self._excused
            and self._repeats >= patience.same_frames
            and now - self._since >= patience.sameness
        )

    def excuse(self) -> None:
        """The source was opened anew because of this."""
        self._excused = True


def _equal(one: Frame, other: Frame) -> bool:
    if one.shape != other.shape:
        return False
    return np.array_equal(one[::_ROWS], other[::_ROWS]) and np.array_equal(one, other)
