"""Pictures of what was shown, before and after beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dae_edge.camera.controls import Controls
from dae_edge.camera.notices import Notices
from dae_edge.camera.overlay import side_by_side
from dae_edge.camera.sinks.worker import Worker
from dae_edge.camera.view import View
from dae_edge.data.pictures import SUFFIXES
from dae_edge.errors import BadValueError, OutputError
from dae_edge.files import check_output, writing
from dae_edge.opencv import cv2


class Snapshots:
    """Writes a picture of the next view whenever `controls.snapshot()` was called."""

    def __init__(self, controls: Controls, names: Iterator[Path], *, notices: Notices | None = None) -> None:
        self._controls, self._names = controls, names
        self._notices = notices or Notices()
        self._worker: Worker[View] | None = None
        self.written: list[Path] = []

    def show(self, view: View) -> None:
        if self._controls.take_snapshots() and view.number >= 0:
            if self._worker is None or self._worker.done:
                self._worker = Worker(self._write, room=4)
            self._worker.put(view)

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close(timeout=1.0)

    def _write(self, view: View) -> None:
        path = next(self._names)
        try:
            write_snapshot(view, path)
        except OutputError as failure:
            self._controls.say(f"no snapshot: {failure}")
            self._notices.say("snapshot", str(failure))
            return
        self.written.append(path)
        self._controls.say(f"wrote {path}")


def check_snapshot(path: Path, *, force: bool = False) -> None:
    """Refuse a name that `write_snapshot` could not or must not write, before the work begins."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadValueError(f"`--snapshot` (={path}) must end in {', '.join(SUFFIXES)}.")
    check_output(path, force=force)


def write_snapshot(view: View, path: Path, *, force: bool = False) -> None:
    """Write before and after, labelled, as one picture; raises `OutputError`."""
    with writing(path, force=force) as temporary:
        if not cv2.imwrite(str(temporary), side_by_side(view.before, view.after)):
            raise OutputError(f"{path.name} cannot be encoded as {path.suffix}.")
