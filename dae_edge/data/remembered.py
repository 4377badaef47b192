"""Single frames to train on, each with the memory that it met in its clip.

What a frame meets is decided by the part of a network that gathers memory alone. Where that part stays as
it is, memory can be recorded once, without gradients, and a few frames of a clip are then worth as much as
all of them laid out one after another: a step takes a quarter of the time, and its frames are of many clips.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.data.changed import lately_changed
from dae_edge.data.clips import DrawnClips
from dae_edge.data.followed import Followed

Batch = NDArray[np.float32]
Inputs = dict[str, Batch]

PICKED = 6  # frames of a clip: the first, and one out of each of five stretches
BLOCK = 25  # steps whose frames are drawn together and shuffled


class Remembered(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of ({"clip", "state_average", "state_count"}, clean): `PICKED` frames, each of another clip.

    "clip" is (batch, PICKED, H, W, 3), ordered by the age of memory, and clean (batch, PICKED, H, W, 4): the
    fourth channel says where something else was lately, which single frames do not show. `clips` gives the
    clips, `batch` at a time, and `memory` (`models.unroll.memories`) what their frames meet; both are asked
    in a thread of their own, a block ahead up to step `end` of the run. Step `s` of a given seed is the same
    batch in every run.
    """

    def __init__(
        self, clips: DrawnClips | Followed, memory: keras.Model, *, batch: int, end: int, seed: int
    ) -> None:
        super().__init__(workers=1)
        self._clips, self._memory = clips, memory
        self._batch, self._end, self._seed = batch, end, seed
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="remembered")
        self._blocks: dict[int, Future[tuple[Inputs, Batch]]] = {}

    def __len__(self) -> int:
        return len(self._clips)

    def on_epoch_end(self) -> None:
        self._clips.on_epoch_end()

    def __getitem__(self, index: int) -> tuple[Inputs, Batch]:
        number, step = divmod(self._clips.epoch * len(self) + index, BLOCK)
        for ahead in (number, number + 1):
            if ahead not in self._blocks and (ahead == number or ahead * BLOCK < self._end):
                self._blocks[ahead] = self._thread.submit(self._block, ahead)
        self._blocks = {ahead: block for ahead, block in self._blocks.items() if ahead >= number}
        inputs, clean = self._blocks[number].result()
        return {name: values[step::BLOCK] for name, values in inputs.items()}, clean[step::BLOCK]

    def _block(self, number: int) -> tuple[Inputs, Batch]:
        random = np.random.default_rng([self._seed, 5, number])
        parts = [self._recorded(step, random) for step in range(BLOCK * number, BLOCK * (number + 1))]
        inputs = {name: np.concatenate([part[name] for part, _ in parts]) for name in parts[0][0]}
        clean = np.concatenate([clean for _, clean in parts])
        clip = random.permuted(np.tile(np.arange(len(clean))[:, None], PICKED), axis=0)
        mixed = (clip, np.arange(PICKED))  # a frame stays in its place by age
        return {name: values[mixed] for name, values in inputs.items()}, clean[mixed]

    def _recorded(self, step: int, random: np.random.Generator) -> tuple[Inputs, Batch]:
        return recorded(self._memory, *self._clips.at(step), batch=self._batch, random=random)


def recorded(
    memory: keras.Model, clips: Batch | Inputs, clean: Batch, *, batch: int, random: np.random.Generator
) -> tuple[Inputs, Batch]:
    """`PICKED` frames of each clip, what they met, and what is clean with where something else was lately.

    `clips` (B, frames, H, W, 3) or with their moves, as `memory` takes them, `batch` at a time.
    """
    met = memory.predict(clips, batch_size=batch, verbose=0)
    changed = np.asarray(keras.ops.convert_to_numpy(lately_changed(keras.ops.convert_to_tensor(clean))))
    rows = np.arange(len(clean))[:, None]
    picked = np.stack([_moments(random, clean.shape[1]) for _ in rows])
    noisy = clips["clip"] if isinstance(clips, dict) else clips
    inputs = {"clip": noisy[rows, picked], **{name: state[rows, picked] for name, state in met.items()}}
    return inputs, np.concatenate([clean, changed], axis=-1)[rows, picked]


def _moments(random: np.random.Generator, frames: int) -> NDArray[np.intp]:
    """The first frame and one of each stretch behind it; early stretches, where memory fills, are shorter."""
    edges = 1 + (frames - 1) * (np.arange(PICKED) / (PICKED - 1)) ** 1.5
    first = np.minimum(edges[:-1].astype(int), frames - 1)
    behind = np.maximum(edges[1:].astype(int), first + 1)
    return np.concatenate([[0], random.integers(first, behind)])
