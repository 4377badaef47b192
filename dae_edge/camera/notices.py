"""What the loop tells the log: never a flood, never a secret."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from dae_edge.camera.sources.address import hide_credentials

LOG = logging.getLogger("dae_edge.camera")


class Notices:
    """Lines for the log `dae_edge.camera`; of each kind at most one every `every` seconds.

    Those held back are counted and the next line says how many there were. User names, passwords and
    tokens in URLs are hidden.
    """

    def __init__(self, every: float = 10.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._every, self._clock = every, clock
        self._last: dict[str, float] = {}
        self._held: dict[str, int] = {}

    def say(self, kind: str, text: str) -> None:
        """Log `text`, unless one of its kind was logged a moment ago."""
        now = self._clock()
        last = self._last.get(kind)
        if last is not None and now - last < self._every:
            self._held[kind] = self._held.get(kind, 0) + 1
            return
        self._last[kind] = now
        held = self._held.pop(kind, 0)
        LOG.warning("%s%s", hide_credentials(text), f" ({held} more like this before it)" if held else "")
