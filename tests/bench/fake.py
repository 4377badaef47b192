"""A place where models are pretended, so that the benchmark is tested without engines.

A file's text says what its model does, for example "median=0.001 size=80x60"; run as a program it
is the child that loads one alone.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dae_edge.bench.alone import Facts, Frame, serve
from dae_edge.bench.latency import Clip, Size
from dae_edge.errors import ModelLoadError


class Fake:
    """A `latency.Place`."""

    version = "0"
    child = (sys.executable, __file__)
    can_profile = True

    def open(self, path: Path, engine: str, threads: int) -> Pretended:
        return Pretended(path)

    def clip(self, size: Size, channels: int) -> Clip:
        frames = [np.full((size[1], size[0], channels), 10 * index, np.uint8) for index in range(8)]
        return Clip("grey steps", frames, frames)

    def psnr(self, frames: Sequence[Frame], clean: Sequence[Frame]) -> float:
        return 30.0


class Pretended:
    def __init__(self, path: Path) -> None:
        does = dict(word.split("=") for word in path.read_text().split())
        if does.get("load") == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if does.get("load") == "refuse":
            raise ModelLoadError("it is no model.")
        self._seconds = float(does.get("seconds", 0))
        self._frames = int(does.get("frames", 10**9))  # after so many it fails
        self._crash = does.get("run") == "crash"
        width, _, height = does.get("size", "").partition("x")
        size = (int(width), int(height)) if width else None
        name, format = does.get("name", "pretended"), does.get("format", "onnx-int8")
        self.facts = Facts(name, format, "int8", int(does.get("channels", 3)), size, 1000.0)
        self.seen: list[int] = []
        self.stages = (0.0, self._seconds, 0.0)

    def begin(self) -> None:
        self.seen.append(-1)

    def __call__(self, frame: Frame) -> Frame:
        if self._crash:
            os.kill(os.getpid(), signal.SIGSEGV)
        self._frames -= 1
        if self._frames < 0:
            raise RuntimeError("the engine gave up\nand says much more")
        self.seen.append(int(frame.flat[0]))
        time.sleep(self._seconds)
        return frame


if __name__ == "__main__":
    serve(sys.argv[1], Fake().open, lambda *_: [{"name": "Conv", "ms": 1.0, "share": 1.0, "calls": 2.0}])
