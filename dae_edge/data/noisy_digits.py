"""Digits with new noise every time they are shown."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.data.noise import corrupt

Batch = NDArray[np.float32]


class FreshNoise(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of (noisy, clean) digits, (batch, 28, 28, 1) in [0, 1], shuffled anew each epoch.

    Each digit's sigma is drawn from `sigmas` (low, high). A given seed and epoch are always the
    same batches.
    """

    def __init__(
        self, clean: Batch, *, sigmas: tuple[float, float], batch: int, seed: int, first_epoch: int = 0
    ) -> None:
        super().__init__(workers=1)
        self._clean, self._sigmas, self._batch = clean, sigmas, batch
        self._seed, self._epoch = seed, first_epoch
        self._shuffle()

    def __len__(self) -> int:
        return -(-len(self._clean) // self._batch)

    def __getitem__(self, index: int) -> tuple[Batch, Batch]:
        random = np.random.default_rng([self._seed, self._epoch, index])
        clean = self._clean[self._order[index * self._batch : (index + 1) * self._batch]]
        sigma = random.uniform(*self._sigmas, size=(len(clean), 1, 1, 1)).astype(np.float32)
        return corrupt(clean, sigma, random), clean

    def on_epoch_end(self) -> None:
        """Keras calls this after each epoch."""
        self._epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        self._order = np.random.default_rng([self._seed, self._epoch]).permutation(len(self._clean))
