"""What all that is measured has in common, our models and their opponents alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
Setting = tuple[float, ...]
Input = TypeVar("Input")

# What a method sees beside the frame it denoises: nothing, the frames before, or those after as well.
Memory = Literal["none", "past", "future"]


@dataclass(frozen=True)
class Knob:
    """A strength that a user would have to choose: its name and the values to try, in order."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Output:
    """Denoised frames, and the milliseconds that single ones took; none where it was not asked."""

    frames: list[Frame]
    ms: list[float] = field(default_factory=list)


class Method(Protocol):
    """A way to denoise.

    name:     for people, and the same for the same thing
    kind:     "noisy" for the frames as they are, "model", or "opponent"
    memory:   what it sees beside the frame; without any, single frames are as good as a clip
    knobs:    empty where there is nothing to choose
    tries:    frames that a setting is tried on; 0 for all that are scored, 1 where the method is slow:
              then on the middle half of one frame
    most:     frames that are scored, where the method is very slow; 0 for all
    note:     what a reader of its row must know
    identity: all else that decides what it gives: versions, the digest of a file
    """

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def memory(self) -> Memory: ...
    @property
    def knobs(self) -> tuple[Knob, ...]: ...
    @property
    def tries(self) -> int: ...
    @property
    def most(self) -> int: ...
    @property
    def note(self) -> str: ...
    @property
    def identity(self) -> str: ...

    def run(
        self, frames: Sequence[Frame], wanted: Sequence[int], setting: Setting, *, timed: bool = False
    ) -> Output:
        """Denoise a clip, (H, W, 3) uint8 BGR, from a fresh start; give the frames at `wanted`, in order."""
        ...


@dataclass(frozen=True)
class Noisy:
    """The frames as they are."""

    name: str = "noisy"
    kind: str = "noisy"
    memory: Memory = "none"
    knobs: tuple[Knob, ...] = ()
    tries: int = 0
    most: int = 0
    note: str = ""
    identity: str = ""

    def run(
        self, frames: Sequence[Frame], wanted: Sequence[int], setting: Setting, *, timed: bool = False
    ) -> Output:
        return Output([frames[index] for index in wanted])


def each(denoise: Callable[[Input], Frame], frames: Iterable[Input]) -> Output:
    """One frame after the other, each timed."""
    denoised, ms = [], []
    for frame in frames:
        began = time.perf_counter()
        denoised.append(denoise(frame))
        ms.append(1000 * (time.perf_counter() - began))
    return Output(denoised, ms)
