"""Takes: clips as a camera delivered them, beside how they should be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dae_edge.bench import motion
from dae_edge.bench.clips import files_of, read_clip, room
from dae_edge.bench.pairs import Pair, read_pair
from dae_edge.errors import MediaError
from dae_edge.sensor import SimulatedCamera, preset

Frame = NDArray[np.uint8]

SHOWN = (1, 2, 4, 8, 16, 32)  # frames, counted from 1, at which convergence is read
SETTLED = 8  # frames a memory is given before the "later" figures begin
_EVERY = 8  # of the later frames, which are scored
_RUN = 4  # last frames, all scored, over which flicker is measured


class Frames:
    """A take's frames, (H, W, 3) uint8 BGR in order, and what of them is looked at."""

    def __init__(self, noisy: Sequence[Frame], clean: Sequence[Frame]) -> None:
        self.noisy, self.clean = list(noisy), list(clean)

    def __len__(self) -> int:
        return len(self.noisy)

    @cached_property
    def scored(self) -> list[int]:
        """The frames that every method is measured on, slow ones too: from 0, in order."""
        last = len(self)
        wanted = {
            *(n - 1 for n in SHOWN), *range(2 * _EVERY - 1, last, _EVERY), *range(last - _RUN, last)
        }  # fmt: skip
        return sorted(index for index in wanted if 0 <= index < last)

    @cached_property
    def later(self) -> list[int]:
        """Those of them from the ninth frame on; the last one where there are none."""
        return [index for index in self.scored if index >= SETTLED] or [len(self) - 1]

    @cached_property
    def spaced(self) -> list[int]:
        """Those of the later ones, and the last, that lie apart: where ghosts are looked for."""
        return [index for index in self.later if (index + 1) % _EVERY == 0 or index == len(self) - 1]

    @cached_property
    def rest(self) -> motion.Mask | None:
        """What does not move over the last frames."""
        return motion.at_rest(self.clean[-_RUN:])

    @cached_property
    def uncovered(self) -> dict[int, motion.Mask]:
        """What was just uncovered, in the frames where ghosts are looked for; empty for next to nothing."""
        masks = {index: motion.uncovered(self.clean, index) for index in self.spaced}
        masks = {index: mask for index, mask in masks.items() if mask.any()}
        return masks if sum(int(mask.sum()) for mask in masks.values()) >= motion.ENOUGH else {}

    @property
    def last_run(self) -> list[int]:
        return list(range(max(len(self) - _RUN, 0), len(self)))


@dataclass(frozen=True)
class Take:
    """What a take is made of; `load` makes it. light: a preset's name, "clean", or "real" for pairs."""

    name: str
    light: str
    source: Path | Pair | None  # None for the drawn room
    frames: int
    size: tuple[int, int]  # (width, height) at most
    seed: int

    @cached_property
    def key(self) -> str:
        """A digest of everything that decides its frames, the files' contents included."""
        content = hashlib.sha256()
        for path in self._files():
            try:
                content.update(hashlib.sha256(path.read_bytes()).digest())
            except OSError as failure:
                raise MediaError(f"{path} cannot be read: {failure.strerror}.") from failure
        sensor = "" if self.light in ("clean", "real") else repr(preset(self.light))
        decides = (self.name, self.light, sensor, self.frames, self.size, self.seed, content.hexdigest())
        return hashlib.sha256(repr(decides).encode()).hexdigest()[:16]

    def load(self) -> Frames:
        if isinstance(self.source, Pair):
            return Frames(*read_pair(self.source, self.frames, self.size))
        if self.source is None:
            clip = room(self.frames, self.size)
        else:
            clip = read_clip(self.source, self.frames, self.size)
        if self.light == "clean":
            return Frames(clip.frames, clip.frames)
        camera = SimulatedCamera(preset(self.light), seed=self.seed)
        noisy = [camera.capture(frame) for frame in clip.frames]
        return Frames(noisy, [camera.clean(frame) for frame in clip.frames])

    def _files(self) -> Sequence[Path]:
        if isinstance(self.source, Pair):
            return [*self.source.noisy[: self.frames], *self.source.clean[: self.frames]]
        return files_of(self.source, self.frames) if self.source is not None else []
