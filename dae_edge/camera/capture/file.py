"""Files: every frame counts."""

from __future__ import annotations

import threading
import time
from collections import deque

from dae_edge.camera.capture.capture import Captured
from dae_edge.camera.sources import Source

_AHEAD = 4  # frames read ahead of the loop


class FileCapture:
    """Reads a few frames ahead and waits for the loop; nothing is dropped.

    What the source raises, `take` raises after the last frame before it.
    """

    dropped = 0
    reopened = 0
    status = ""

    def __init__(self, source: Source) -> None:
        self.period = 1 / source.rate
        self._source = source
        self._captured: deque[Captured] = deque()
        self._changed = threading.Condition()
        self._finished = self._stopping = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._read, name="capture", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        return self._finished and not self._captured

    def take(self, timeout: float) -> Captured | None:
        with self._changed:
            self._changed.wait_for(lambda: self._captured or self._finished, timeout)
            if self._captured:
                captured = self._captured.popleft()
                self._changed.notify_all()
                return captured
            if self._failure is not None:
                raise self._failure
            return None

    def close(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout=0.5)

    def _read(self) -> None:
        number = 0
        try:
            while not self._stopping and (shot := self._source.read()) is not None:
                self._put(Captured(shot, time.monotonic(), number))
                number += 1
        except Exception as failure:  # whatever it is, the loop must hear of it
            self._failure = failure
        finally:
            self._source.close()
            with self._changed:
                self._finished = True
                self._changed.notify_all()

    def _put(self, captured: Captured) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._captured) < _AHEAD or self._stopping)
            self._captured.append(captured)
            self._changed.notify_all()
