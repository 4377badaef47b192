"""Ctrl-C and kill -TERM as a wish to stop, so that files are finished."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dae_edge.camera.controls import Controls

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping(controls: Controls) -> Iterator[None]:
    """Inside the block the first Ctrl-C or kill -TERM calls `controls.stop()`; a second one acts as ever."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only there can signals be handled
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def stop(number: int, frame: FrameType | None) -> None:
        controls.stop()
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in _SIGNALS:
        signal.signal(number, stop)
    try:
        yield
    finally:
        restore()
