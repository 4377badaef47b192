"""Live sources: the newest frame wins, and one that falls silent is opened anew, for as long as it takes."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from dae_edge.camera.capture.capture import Captured
from dae_edge.camera.capture.patience import Patience
from dae_edge.camera.capture.reader import Reader
from dae_edge.camera.capture.sameness import Sameness
from dae_edge.camera.notices import Notices
from dae_edge.camera.sources import Shot, Source

_LOOK = 0.05  # seconds between two looks at the reader while waiting
_STUCK = 8  # readers left behind in a read() that never returns; no more are begun than that


class LiveCapture:
    """Reads a live source; what nobody took before the next frame came is dropped and counted.

    Whether the source lives is judged by its frames, by their age and by their being equal to the
    last bit, and not by what read() says. It is looked at whenever `take` is called.
    """

    ended = False

    def __init__(
        self, source: Source, *, patience: Patience | None = None, notices: Notices | None = None
    ) -> None:
        self._source = source
        self._patience = patience or Patience()
        self._notices = notices or Notices()
        self.dropped = 0
        self.reopened = 0
        self.status = ""
        self._changed = threading.Condition()
        self._newest: Captured | None = None
        self._number = 0
        self._sameness = Sameness(self._patience)
        self._wait = self._patience.first_wait
        self._due = 0.0  # when to open again
        self._lost = False
        self._stuck: list[Reader] = []
        self._reader: Reader | None = self._read(lambda: source)

    @property
    def period(self) -> float:
        measured = self._reader.period if self._reader is not None else 0.0
        return measured or 1 / self._source.rate

    def take(self, timeout: float) -> Captured | None:
        until = time.monotonic() + timeout
        with self._changed:
            while True:
                now = time.monotonic()
                self._tend(now)
                if self._newest is not None:
                    newest, self._newest = self._newest, None
                    return newest
                if now >= until:
                    return None
                self._changed.wait(min(_LOOK, until - now))

    def close(self) -> None:
        if self._reader is not None:
            self._reader.leave()
            self._reader.join(timeout=0.5)

    def _read(self, open_source: Callable[[], Source]) -> Reader:
        return Reader(open_source, self._put, self._patience)

    def _put(self, reader: Reader, shot: Shot, now: float) -> None:
        """A frame, in the reader's thread."""
        if not reader.left:
            self._sameness.add(shot.frame, now)
        with self._changed:
            if reader.left:
                return  # it was given up while this frame was on its way
            if self._newest is not None:
                self.dropped += 1
            self._newest = Captured(shot, now, self._number, self.reopened)
            self._number += 1
            self._changed.notify_all()

    def _tend(self, now: float) -> None:
        """Give up a reader that does not live; begin a new one when its time has come."""
        reader = self._reader
        if reader is None:
            self._try_again(now)
            return
        complaint = reader.complaint(now)
        if not complaint and self._sameness.suspicious(now):
            complaint = "the same frame again and again"
            self._sameness.excuse()
        if complaint:
            self._give_up(reader, complaint, now)
        elif reader.frames:
            silence = reader.silence(now)
            self.status = f"no frame for {silence:.0f} s" if silence > max(1.0, 3 * reader.period) else ""
            if self._lost:
                self._lost = False
                self._notices.say("back", f"{self._source.name} is back.")

    def _give_up(self, reader: Reader, complaint: str, now: float) -> None:
        reader.leave()
        self._reader, self._lost = None, True
        if reader.source is not None:
            self._source = reader.source
        if reader.frames >= self._patience.frames:
            self._wait = self._patience.first_wait  # it had come back
        self._due = now + self._wait
        self._notices.say(
            "lost", f"{self._source.name} is lost: {complaint}; trying again in {self._wait:.1f} s."
        )
        self._wait = min(2 * self._wait, self._patience.last_wait)
        self._stuck.append(reader)
        self._say_when(now)

    def _try_again(self, now: float) -> None:
        self._stuck = [reader for reader in self._stuck if reader.is_alive()]
        if now < self._due:
            self._say_when(now)
        elif len(self._stuck) >= _STUCK:
            self.status = f"camera lost, {len(self._stuck)} attempts to read it hang in its driver"
        else:
            self.status = "camera lost, trying again"
            self.reopened += 1
            self._reader = self._read(self._source.again)

    def _say_when(self, now: float) -> None:
        self.status = f"camera lost, trying again in {max(1, math.ceil(self._due - now))} s"
