"""Run functions in a process of their own, which may die without taking the run along."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any


class Died(Exception):
    """The process ended before it answered; the message says how."""


class Apart:
    """One process that answers calls one by one; a new one where the last has died.

    Functions and arguments must be picklable. What the function raises is raised here.
    """

    def __init__(self) -> None:
        self._process: multiprocessing.process.BaseProcess | None = None
        self._ours: Connection | None = None

    def __enter__(self) -> Apart:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The function's result. Raises `Died` where the process dies on it."""
        if self._ours is None:
            self._start()
        assert self._ours is not None
        try:
            self._ours.send((function, arguments))
            good, result = self._ours.recv()
        except (EOFError, OSError) as failure:
            raise Died(self._end()) from failure
        if not good:
            raise result
        return result

    def close(self) -> None:
        """End the process, in the middle of a call too."""
        if self._process is not None:
            self._process.kill()
        self._end()

    def _start(self) -> None:
        # A fresh interpreter: a copy of this one would inherit locks that other threads hold.
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def _end(self) -> str:
        """Tidy up after the process; say how it ended."""
        process, self._process = self._process, None
        if self._ours is not None:
            self._ours.close()
            self._ours = None
        if process is None:
            return ""
        process.join(5)
        code = process.exitcode
        process.close()
        if code is not None and code < 0:
            return f"its process died of {signal.Signals(-code).name}"
        return f"its process ended with code {code}"


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the process that asks
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)  # what native libraries print as they die
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            function, arguments = pipe.recv()
            try:
                answer = (True, function(*arguments))
            except Exception as failure:
                answer = (False, failure)
            try:
                pipe.send(answer)
            except (TypeError, AttributeError, ValueError):  # what cannot be pickled is said in words
                pipe.send((False, RuntimeError(str(answer[1]))))
