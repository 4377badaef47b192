"""What keeps a network whole through the first part of a run, when steps are large."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.models.revive import Inputs, revive
from dae_edge.models.unroll import no_memory

_EVERY = 4  # epochs
_CLIPS, _FRAMES = 12, 4  # of the validation clips, on which a channel may show that it lives


class HoldMask(keras.callbacks.Callback):  # type: ignore[misc]
    """Keep the mask low while the picture is not yet better than what the mask would let through.

    A small network learns to pass the average on long before it learns to clean it; its mask then shuts
    over a poor picture, which gets no gradient any more. Not for networks whose head is both in one.
    """

    def __init__(self, model: keras.Model, epochs: int) -> None:
        super().__init__()
        self._layer = next((layer for layer in model.layers if layer.name == "mask"), None)
        self._epochs, self._epoch = epochs, 0
        self._low = self._layer.get_weights() if self._layer is not None else []

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if self._layer is not None and self._epoch < self._epochs:
            self._layer.set_weights(self._low)


class Revive(keras.callbacks.Callback):  # type: ignore[misc]
    """Give dead channels another life, first of all and every fourth epoch up to `last`.

    After that there is no time to learn. `noisy` (clips, frames, H, W, 3) are clips that do not train.
    """

    def __init__(self, model: keras.Model, noisy: NDArray[np.float32], *, last: int, seed: int) -> None:
        super().__init__()
        apart = max(len(noisy) // _CLIPS, 1)
        self._streaming, self._noisy, self._last, self._seed = model, noisy[::apart, :_FRAMES], last, seed
        self.revived = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch % _EVERY == 0 and epoch <= self._last:
            random = np.random.default_rng([self._seed, 3, epoch])
            self.revived += revive(self._streaming, self._examples(), random)

    def _examples(self) -> Iterator[Inputs]:
        """Every frame with the memory that it meets."""
        frames = keras.ops.convert_to_tensor(self._noisy)
        memory = no_memory(self._streaming, frames[:, 0])
        for index in range(self._noisy.shape[1]):
            inputs = {"frame": frames[:, index], **memory}
            yield inputs
            following = self._streaming(inputs, training=False)
            memory = {name: following[f"{name}_next"] for name in memory}
