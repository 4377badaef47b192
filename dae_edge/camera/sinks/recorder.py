"""Video files of what is shown, begun and ended while the loop runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from dae_edge.camera.controls import Controls
from dae_edge.camera.notices import Notices
from dae_edge.camera.overlay import Compose
from dae_edge.camera.sinks.steady import Moments, Steady
from dae_edge.camera.sinks.video_file import VideoFile
from dae_edge.camera.sinks.worker import Worker
from dae_edge.camera.view import Frame, View

_ROOM = 8  # frames that may wait for the encoder: a third of a second
_FINISH = 10.0  # seconds that the end of the loop waits at most; an encoder needs a fraction of one


class Recorder:
    """Records while `controls.recording` is on; each time it is turned on begins a new file.

    From a live source the frames are laid out by the clock, so the video lasts as long as what was
    seen; from a file every frame is written once. What goes wrong ends the recording, not the loop.
    """

    def __init__(
        self,
        controls: Controls,
        compose: Compose,
        names: Iterator[Path],
        *,
        rate: float,
        live: bool,
        force: bool = False,
        notices: Notices | None = None,
    ) -> None:
        self._controls, self._compose, self._names = controls, compose, names
        self._rate, self._live, self._force = rate, live, force
        self._notices = notices or Notices()
        self._recording: _Recording | None = None
        self._ending: list[_Recording] = []
        self.written: list[Path] = []
        self.failures: list[Exception] = []

    def show(self, view: View) -> None:
        self._collect()
        if not self._controls.recording or view.number < 0:
            self._end()
            return
        try:
            if self._recording is None:
                self._recording = _Recording(next(self._names), self._rate, self._live, self._force)
                self._controls.say(f"recording {self._recording.path}")
            self._recording.add(self._compose(view), view)
        except Exception as failure:  # a full disk must not end the picture
            self._end()
            self._fail(failure)

    def close(self) -> None:
        self._end()
        until = time.monotonic() + _FINISH
        for recording in self._ending:
            recording.close(max(0.01, until - time.monotonic()))
        self._collect(last=True)

    def _end(self) -> None:
        if self._recording is not None:
            self._recording.close(0)
            self._ending.append(self._recording)
            self._recording = None

    def _collect(self, *, last: bool = False) -> None:
        """See which files have become whole behind our back."""
        for recording in [r for r in self._ending if last or r.done]:
            self._ending.remove(recording)
            if recording.failure is not None:
                self._fail(recording.failure)
            elif recording.done and recording.path.exists():
                self.written.append(recording.path)
                self._controls.say(f"wrote {recording.path}")

    def _fail(self, failure: Exception) -> None:
        self._controls.recording = False
        if not any(str(failure) == str(known) for known in self.failures):
            self.failures.append(failure)
            self._notices.say("recording", f"recording failed: {failure}")
            self._controls.say(f"recording failed: {failure}")


class _Recording:
    """One file and the thread that encodes it."""

    def __init__(self, path: Path, rate: float, live: bool, force: bool) -> None:
        self.path = path
        self._file = VideoFile(path, rate=rate, force=force, live=live)
        self._moments = Moments()
        self._steady = Steady(rate) if live else None
        self._last: Frame | None = None
        self._number: int | None = None
        self._worker: Worker[tuple[Frame, float]] = Worker(
            self._write, finish=self._file.close, room=_ROOM, every=not live
        )

    @property
    def done(self) -> bool:
        return self._worker.done

    @property
    def failure(self) -> Exception | None:
        return self._worker.failure

    def add(self, picture: Frame, view: View) -> None:
        if self._steady is None and view.number == self._number:
            return  # a file that stands still
        self._number = view.number
        self._worker.put((picture, self._moments.of(view)))

    def close(self, timeout: float) -> None:
        self._worker.close(timeout)

    def _write(self, item: tuple[Frame, float]) -> None:
        """In the worker's thread."""
        picture, moment = item
        if self._steady is None:
            self._file.write(picture)
            return
        for _ in range(self._steady.missing(moment)):
            self._file.write(self._last if self._last is not None else picture)
        if self._steady.due(moment):
            self._file.write(picture)
        self._last = picture
