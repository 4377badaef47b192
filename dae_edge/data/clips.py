"""Pairs of noisy and clean clips: drawn scenes seen through random cameras."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import MediaError
from dae_edge.opencv import cv2
from dae_edge.scenes import draw_clip
from dae_edge.sensor import SimulatedCamera, draw_sensor

Clip = NDArray[np.uint8]
Batch = NDArray[np.float32]

POOL = 96  # drawn clips in use at a time; each serves about 2 * batch times, never twice alike
REUSE = 2  # steps between one clip leaving the pool and a new one entering it
_SPARE = 48  # pixels drawn beyond the patch, so that each use may cut out another piece


class DrawnClips(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of (noisy, clean), each (batch, frames, patch, patch, 3) float32 BGR in [0, 1].

    Step `s` of a given seed is the same batch on every machine and after every resume. `pictures`
    are the user's own, used as backgrounds beside the drawn ones.
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
    ) -> None:
        super().__init__(workers=1)
        self._pictures = pictures
        self._batch, self._frames, self._patch = batch, frames, patch
        self._steps, self._seed, self._epoch = steps, seed, first_epoch
        self._pool: OrderedDict[int, Clip] = OrderedDict()

    def __len__(self) -> int:
        return self._steps

    def on_epoch_end(self) -> None:
        """Keras calls this after each epoch; the next one continues the sequence of steps."""
        self._epoch += 1

    def __getitem__(self, index: int) -> tuple[Batch, Batch]:
        step = self._epoch * self._steps + index
        random = np.random.default_rng([self._seed, 1, step])
        noisy, clean = zip(*(self._draw(random, step) for _ in range(self._batch)), strict=True)
        return _to_unit(noisy), _to_unit(clean)

    def _draw(self, random: np.random.Generator, step: int) -> tuple[Clip, Clip]:
        scene = vary(random, self._clip(step // REUSE + int(random.integers(POOL))), self._patch)
        return observe(random, scene)

    def _clip(self, number: int) -> Clip:
        if number not in self._pool:
            random = np.random.default_rng([self._seed, 2, number])
            side = self._patch + _SPARE
            self._pool[number] = draw_clip(
                random, self._frames, side, side, bank=self._seed, background=self._background(random)
            )
            while len(self._pool) > POOL:
                self._pool.popitem(last=False)
        return self._pool[number]

    def _background(self, random: np.random.Generator) -> NDArray[np.uint8] | None:
        """One of the user's pictures for every second clip, where there are any."""
        if not self._pictures or random.random() < 0.5:
            return None
        path = self._pictures[random.integers(len(self._pictures))]
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            raise MediaError(f"{path} cannot be read as a picture.")
        return picture.astype(np.uint8, copy=False)


def _to_unit(clips: Sequence[Clip]) -> Batch:
    return np.stack(clips).astype(np.float32) / np.float32(255)


def vary(random: np.random.Generator, clip: Clip, patch: int) -> Clip:
    """A random piece of a clip, (frames, patch, patch, 3), turned, mirrored, reversed, recoloured."""
    top = random.integers(clip.shape[1] - patch + 1)
    left = random.integers(clip.shape[2] - patch + 1)
    piece = clip[:, top : top + patch, left : left + patch]
    if random.random() < 0.5:
        piece = piece[::-1]
    if random.random() < 0.5:
        piece = piece[:, :, ::-1]
    if random.random() < 0.5:
        piece = piece.transpose(0, 2, 1, 3)
    if random.random() < 0.5:
        piece = piece[..., random.permutation(3)]
    return np.ascontiguousarray(piece)


def observe(random: np.random.Generator, scene: Clip) -> tuple[Clip, Clip]:
    """A clean scene -> (noisy, clean) as one random camera shows it, both as `scene`."""
    camera = SimulatedCamera(draw_sensor(random), seed=int(random.integers(2**32)))
    noisy = np.stack([camera.capture(frame) for frame in scene])
    clean = np.stack([camera.clean(frame) for frame in scene])
    return noisy, clean
