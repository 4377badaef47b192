"""What moved in clips to train on, as a device will see it."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.data.clips import DrawnClips
from dae_edge.motion.flow import Flow, small_grey
from dae_edge.opencv import cv2

Batch = NDArray[np.float32]
Inputs = dict[str, Batch]


class Followed(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of clips with their moves: ({"clip", "moves"}, clean).

    `clips` gives (noisy, clean); of `share` of them what moved is known, of the rest all is said to stand
    still, so that a network works on a device that does not follow motion too.
    """

    def __init__(self, clips: DrawnClips, share: float, seed: int) -> None:
        super().__init__(workers=1)
        self._clips, self._share, self._seed = clips, share, seed

    def __len__(self) -> int:
        return len(self._clips)

    @property
    def epoch(self) -> int:
        return self._clips.epoch

    def on_epoch_end(self) -> None:
        self._clips.on_epoch_end()

    def __getitem__(self, index: int) -> tuple[Inputs, Batch]:
        return self.at(self.epoch * len(self) + index)

    def at(self, step: int) -> tuple[Inputs, Batch]:
        """The batch of a step of the run, whatever the epoch."""
        random = np.random.default_rng([self._seed, 4, step])
        noisy, clean = self._clips.at(step)
        return followed(noisy, clean, self._share, random), clean


def followed(noisy: Batch, clean: Batch, share: float, random: np.random.Generator) -> Inputs:
    """Clips (B, frames, H, W, 3) in [0, 1] and their moves (B, frames, H/2, W/2, 2) from frame to frame.

    H and W are even.
    """
    clips, frames, height, width, _ = noisy.shape
    moves = np.zeros((clips, frames, height // 2, width // 2, 2), np.float32)
    flow = Flow()
    for clip in np.flatnonzero(random.random(clips) < share):
        is_, was = (np.rint(255 * pictures[clip]).astype(np.uint8) for pictures in (noisy, clean))
        for frame in range(1, frames):
            # What the network will make of the frame before, nobody knows yet; it has some noise left.
            before = cv2.addWeighted(was[frame - 1], 0.6, is_[frame - 1], 0.4, 0)
            found = flow(small_grey(np.asarray(before, np.uint8)), small_grey(is_[frame]))
            if found is not None:
                moves[clip, frame] = found
    return {"clip": noisy, "moves": moves}
