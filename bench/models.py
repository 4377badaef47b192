"""Our own models as methods to measure."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dae_edge.bench.method import Frame, Knob, Memory, Output, Setting, each
from dae_edge.errors import ModelLoadError
from dae_edge.manifest import digest
from dae_edge.runtime import Denoiser, load
from dae_edge.runtime.load import COMPANIONS
from dae_edge.runtime.opening import read_model

_WARM_UP = 2  # first frames that make room, left out of the time


@dataclass(frozen=True)
class Model:
    """An exported file; it is loaded where it runs."""

    name: str
    path: Path
    threads: int
    follow: bool | None = None
    kind: str = "model"
    memory: Memory = "past"
    knobs: tuple[Knob, ...] = ()
    tries: int = 0
    most: int = 0
    note: str = ""

    @property
    def identity(self) -> str:
        beside = [self.path.with_suffix(suffix) for suffix in COMPANIONS.get(self.path.suffix, ())]
        files = [self.path, *(path for path in beside if path.is_file())]
        settings = f"threads {self.threads} follow {self.follow}"
        return " ".join([*(digest(read_model(path)) for path in files), settings])

    def run(
        self, frames: Sequence[Frame], wanted: Sequence[int], setting: Setting, *, timed: bool = False
    ) -> Output:
        denoise = _load(self.path, self.threads, self.follow)
        if denoise.manifest.channels != 3:
            raise ModelLoadError("it takes grey pictures; clips are in colour")
        denoise.reset()
        done = each(denoise, (np.ascontiguousarray(frame) for frame in frames[: max(wanted) + 1]))
        return Output([done.frames[index] for index in wanted], done.ms[_WARM_UP:] or done.ms)


@functools.lru_cache(maxsize=4)
def _load(path: Path, threads: int, follow: bool | None) -> Denoiser:
    denoise = load(path, threads=threads)
    denoise.follow_if_able(follow)
    return denoise
