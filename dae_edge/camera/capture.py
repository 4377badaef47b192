"""A thread that reads the source, so that the loop never waits on a camera's buffer."""

from __future__ import annotations

import threading
from collections import deque

from dae_edge.camera.sources import Shot, Source
from dae_edge.errors import CameraError

_AHEAD = 4  # frames read ahead of a file's loop


class Capture:
    """Reads a source in its own thread.

    From a live source the newest frame wins and those nobody took are counted as `dropped`; from a
    file every frame is kept and the thread waits for the loop. `take` gives None at the end.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.dropped = 0
        self._shots: deque[Shot] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._stopping = False
        self._failure: Exception | None = None
        # A daemon: a read() that blocks for ever must not keep the process alive.
        self._thread = threading.Thread(target=self._read, name="capture", daemon=True)
        self._thread.start()

    def take(self, timeout: float) -> Shot | None:
        """The next shot, or None at the end; `CameraError` where none came for `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._shots or self._ended, timeout):
                raise CameraError(f"{self.source.name} gave no frame for {timeout:g} seconds.")
            if self._shots:
                shot = self._shots.popleft()
                self._changed.notify_all()
                return shot
            if self._failure is not None:
                raise self._failure
            return None

    def close(self) -> None:
        """Stop reading; waits a second for the thread, no longer."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout=1.0)
        if not self._thread.is_alive():  # releasing under a read() in progress can crash
            self.source.close()

    def _read(self) -> None:
        try:
            while not self._stopping:
                shot = self.source.read()
                if shot is None:
                    break
                self._put(shot)
        except Exception as failure:  # whatever it is, the loop must hear of it
            self._failure = failure
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _put(self, shot: Shot) -> None:
        with self._changed:
            if self.source.live:
                self.dropped += len(self._shots)
                self._shots.clear()
            else:
                self._changed.wait_for(lambda: len(self._shots) < _AHEAD or self._stopping)
            self._shots.append(shot)
            self._changed.notify_all()
