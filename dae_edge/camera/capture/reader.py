"""One thread that reads one opened source, until it fails or is left alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from dae_edge.camera.capture.patience import Patience
from dae_edge.camera.sources import Shot, Source
from dae_edge.errors import DaeEdgeError

Put = Callable[["Reader", Shot, float], None]

_PAUSE = 0.005  # seconds between reads that come back with nothing


class Reader(threading.Thread):
    """Opens a source, gives each shot to `put`, and closes the source, all in its own thread.

    So a source is never released while a read() is in progress, which can crash: where a read()
    never returns, the thread stays behind with it. It is a daemon and does not keep the process.
    """

    def __init__(self, open_source: Callable[[], Source], put: Put, patience: Patience) -> None:
        super().__init__(name="capture", daemon=True)
        self._open, self._put, self._patience = open_source, put, patience
        self.source: Source | None = None
        self.left = False
        self._begun = time.monotonic()
        self._last: float | None = None  # when the last frame came
        self._refused: float | None = None  # since when reads give nothing
        self._failure: Exception | None = None
        self.frames = 0
        self.period = 0.0
        self.start()

    def leave(self) -> None:
        """End after the read() in progress, and give nothing more."""
        self.left = True

    def complaint(self, now: float) -> str:
        """What is wrong with the source, or ""."""
        patience = self._patience
        if self._failure is not None:
            return _sentence(self._failure)
        if self._refused is not None and now - self._refused > patience.refusal:
            return "it gives no frames"
        if self._last is None:
            return "" if now - self._begun < patience.opening else "it does not answer"
        # Before the second frame nobody knows whether the source gives thirty a second or one a minute.
        usual = patience.periods * self.period or patience.opening
        if self.silence(now) > max(patience.silence, usual):
            return f"no frame for {self.silence(now):.1f} s"
        return ""

    def silence(self, now: float) -> float:
        """Seconds since the last frame; 0 before the first one."""
        return now - self._last if self._last is not None else 0.0

    def run(self) -> None:
        source = None
        try:
            source = self.source = self._open()
            while not self.left:
                shot = source.read()
                now = time.monotonic()
                if shot is None:
                    self._refused = self._refused or now
                    time.sleep(_PAUSE)
                elif not self.left:
                    self._note(now)
                    self._put(self, shot, now)
        except Exception as failure:  # whatever it is: the source is lost, and is tried again
            self._failure = failure
        finally:
            if source is not None:
                source.close()

    def _note(self, now: float) -> None:
        self._refused = None
        if self._last is not None:
            past = now - self._last
            self.period = past if self.period == 0 else 0.9 * self.period + 0.1 * past
        self._last = now
        self.frames += 1


def _sentence(failure: Exception) -> str:
    text = str(failure) if isinstance(failure, DaeEdgeError) else f"{type(failure).__name__}: {failure}"
    return text.strip().rstrip(".") or type(failure).__name__
