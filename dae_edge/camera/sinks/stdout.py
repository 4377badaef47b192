"""Raw frames on the standard output, for `ffmpeg -f rawvideo -i -` and whatever else reads a pipe."""

from __future__ import annotations

import os
import sys

import numpy as np

from dae_edge.camera.controls import Controls
from dae_edge.camera.overlay import fit
from dae_edge.camera.sinks.steady import Moments, Steady
from dae_edge.camera.sinks.worker import Worker
from dae_edge.camera.view import Frame, View
from dae_edge.errors import BadValueError


def take_stdout() -> int:
    """Take the standard output for frames: a descriptor of it; all that is printed goes to stderr now.

    To be called before anything is printed. Raises `BadValueError` where it is a terminal.
    """
    if sys.stdout.isatty():
        raise BadValueError("`--stdout` writes raw frames; send it to a program or a file, such as | ffplay.")
    sys.stdout.flush()
    frames = os.dup(1)
    os.dup2(2, 1)
    return frames


class Stdout:
    """Denoised frames, bgr24, all of the first one's size and at a steady rate, so that a reader may count.

    When the reader goes away the loop is stopped, as a pipe's writer is.
    """

    def __init__(self, descriptor: int, controls: Controls, *, rate: float, live: bool) -> None:
        self._pipe, self._controls = descriptor, controls
        self._moments = Moments()
        self._steady = Steady(rate) if live else None
        self._size: tuple[int, int] | None = None
        self._number: int | None = None
        self._last: Frame | None = None
        self._worker: Worker[tuple[Frame, float]] = Worker(
            self._write, finish=self._finish, room=2, every=not live
        )

    def show(self, view: View) -> None:
        if view.number < 0 or (self._steady is None and view.number == self._number):
            return
        self._number = view.number
        if self._size is None:
            self._size = (view.after.shape[1], view.after.shape[0])
        self._worker.put((fit(view.after, self._size), self._moments.of(view)))

    def close(self) -> None:
        self._worker.close(timeout=0.5)

    def _write(self, item: tuple[Frame, float]) -> None:
        """In the worker's thread."""
        frame, moment = item
        if self._steady is None:
            self._send(frame)
            return
        for _ in range(self._steady.missing(moment)):
            self._send(self._last if self._last is not None else frame)
        if self._steady.due(moment):
            self._send(frame)
        self._last = frame

    def _send(self, frame: Frame) -> None:
        left = np.ascontiguousarray(frame).data.cast("B")
        try:
            while left:
                left = left[os.write(self._pipe, left) :]
        except BrokenPipeError:
            self._controls.stop()

    def _finish(self) -> None:
        os.close(self._pipe)
