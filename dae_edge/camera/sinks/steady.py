"""From views that come when they come to frames at a steady rate."""

from __future__ import annotations

import time

from dae_edge.camera.view import View


class Moments:
    """When each view belongs in a recording, in seconds of time.monotonic().

    A new frame belongs where it was captured. A frame that is held, because the camera is lost or the
    view is frozen, stays on while time goes on.
    """

    def __init__(self) -> None:
        self._number: int | None = None
        self._lag = 0.0  # from a frame's capture to its being shown

    def of(self, view: View) -> float:
        now = time.monotonic()
        if view.number == self._number:
            return now - self._lag
        self._number, self._lag = view.number, now - view.taken
        return view.taken


class Steady:
    """Counts out the frames of a constant rate, so that what is written lasts as long as what was seen.

    A camera that gives five frames a second, or that stalls, has its frames repeated.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._begun: float | None = None
        self._written = 0

    def missing(self, moment: float) -> int:
        """How often the last frame is due again before one of `moment` is."""
        if self._begun is None:
            self._begun = moment
        due = round((moment - self._begun) * self._rate)
        missing = max(0, due - self._written)
        self._written += missing
        return missing

    def due(self, moment: float) -> bool:
        """Whether a frame of `moment` has a place, after `missing`; two in one place are one too many."""
        assert self._begun is not None, "ask for what is missing first"
        if round((moment - self._begun) * self._rate) < self._written:
            return False
        self._written += 1
        return True
