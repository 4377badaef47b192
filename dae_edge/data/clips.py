"""Pairs of noisy and clean clips: drawn scenes seen through random cameras."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.data.observe import observe, vary
from dae_edge.data.pictures import loose_pictures, pictures_in, read_picture
from dae_edge.errors import BadValueError
from dae_edge.scenes import draw_clip
from dae_edge.sensor import Sensor

Clip = NDArray[np.uint8]
Batch = NDArray[np.float32]

POOL = 96  # drawn clips in use at a time; each serves about 2 * batch times, never twice alike
REUSE = 4  # steps between one clip leaving the pool and a new one entering it
CUTS = 0.04  # share of clips with a cut to another scene; what remembers is reset at most of them
_PIECES = 3  # of each of the user's validation clips
_SPARE = 48  # pixels drawn beyond the patch, so that each use may cut out another piece


class DrawnClips(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of (noisy, clean), each (batch, frames, patch, patch, 3) float32 BGR in [0, 1].

    Step `s` of a given seed is the same batch on every machine and after every resume. `pictures`
    are the user's own, used as backgrounds beside the drawn ones; `camera` is a measured one to
    train for, None for any; `h264` the share of clips that come over H.264.
    """

    def __init__(
        self,
        *,
        batch: int,
        frames: int,
        patch: int,
        steps: int,
        seed: int,
        first_epoch: int = 0,
        pictures: tuple[Path, ...] = (),
        camera: Sensor | None = None,
        h264: float = 0.0,
    ) -> None:
        super().__init__(workers=1)
        self._pictures, self._camera, self._h264 = pictures, camera, h264
        self._batch, self._frames, self._patch = batch, frames, patch
        self._steps, self._seed, self._epoch = steps, seed, first_epoch
        self._pool: OrderedDict[int, Clip] = OrderedDict()

    def __len__(self) -> int:
        return self._steps

    @property
    def epoch(self) -> int:
        return self._epoch

    def on_epoch_end(self) -> None:
        """Keras calls this after each epoch; the next one continues the sequence of steps."""
        self._epoch += 1

    def __getitem__(self, index: int) -> tuple[Batch, Batch]:
        return self.at(self._epoch * self._steps + index)

    def at(self, step: int) -> tuple[Batch, Batch]:
        """The batch of a step of the run, whatever the epoch."""
        random = np.random.default_rng([self._seed, 1, step])
        noisy, clean = zip(*(self._draw(random, step) for _ in range(self._batch)), strict=True)
        return _to_unit(noisy), _to_unit(clean)

    def _draw(self, random: np.random.Generator, step: int) -> tuple[Clip, Clip]:
        scene = vary(random, self._clip(step // REUSE + int(random.integers(POOL))), self._patch)
        if random.random() < CUTS:
            after = vary(random, self._clip(step // REUSE + int(random.integers(POOL))), self._patch)
            moment = int(random.integers(1, self._frames)) if self._frames > 1 else 0
            scene[moment:] = after[moment:]
        return observe(random, scene, self._camera, h264=self._h264)

    def _clip(self, number: int) -> Clip:
        if number not in self._pool:
            random = np.random.default_rng([self._seed, 2, number])
            side = self._patch + _SPARE
            self._pool[number] = draw_clip(
                random,
                self._frames,
                side,
                side,
                bank=self._seed,
                background=self._background(random),
                lifelike=True,
            )
            while len(self._pool) > POOL:
                self._pool.popitem(last=False)
        return self._pool[number]

    def _background(self, random: np.random.Generator) -> NDArray[np.uint8] | None:
        """One of the user's pictures for every second clip, where there are any."""
        if not self._pictures or random.random() < 0.5:
            return None
        return read_picture(self._pictures[random.integers(len(self._pictures))])


def real_clips(
    folder: Path, frames: int, patch: int, *, seed: int = 1_000_003, camera: Sensor | None = None
) -> tuple[Batch, Batch]:
    """A folder of clips as `DrawnClips` gives drawn ones: (noisy, clean), three pieces of each clip.

    A subfolder of pictures is a clip, in order of name; a picture lying loose is one held still.
    """
    random = np.random.default_rng(seed)
    sources = [[path] * frames for path in loose_pictures(folder)]
    sources += [list(pictures_in(sub)[:frames]) for sub in sorted(folder.iterdir()) if sub.is_dir()]
    pairs = []
    for paths in sources:
        if len(paths) < frames:
            raise BadValueError(f"{paths[0].parent} has {len(paths)} pictures; a clip needs {frames}.")
        pictures = {path: read_picture(path) for path in paths}
        if len({picture.shape for picture in pictures.values()}) != 1:
            raise BadValueError(f"{paths[0].parent}: the pictures of a clip must all be of one size.")
        clip = np.stack([pictures[path] for path in paths])
        if min(clip.shape[1:3]) < patch:
            raise BadValueError(f"{paths[0]} must be {patch} pixels a side at least.")
        pairs += [observe(random, vary(random, clip, patch), camera) for _ in range(_PIECES)]
    if not pairs:
        raise BadValueError(f"{folder} holds neither pictures nor folders of pictures.")
    noisy, clean = zip(*pairs, strict=True)
    return _to_unit(noisy), _to_unit(clean)


def _to_unit(clips: Sequence[Clip]) -> Batch:
    return np.stack(clips).astype(np.float32) / np.float32(255)
