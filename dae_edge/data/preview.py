"""What the training pictures look like: a contact sheet and a clip, to be judged by eye."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dae_edge.data.observe import observe
from dae_edge.opencv import cv2
from dae_edge.scenes import draw_clip

Frame = NDArray[np.uint8]

SIDE = 144  # pixels of a training patch with its margin
_COLUMNS, _ROWS = 6, 4
_FRAMES = 48  # of the clip
_GAP = 6


def contact_sheet(seed: int) -> Frame:
    """24 drawn scenes, each beside itself as one random camera delivers it; (H, W, 3) uint8 BGR."""
    tiles = []
    for index in range(_ROWS * _COLUMNS):
        random = np.random.default_rng([seed, index])
        scene = draw_clip(random, 2, SIDE, SIDE, bank=seed, lifelike=True)
        noisy, clean = observe(random, scene)
        tiles.append(np.hstack([clean[0], noisy[0]]))
    return _tile(tiles, _COLUMNS // 2)


def clip(seed: int) -> Iterator[Frame]:
    """Six drawn clips side by side, clean above and noisy below, frame after frame."""
    pairs = []
    for index in range(_COLUMNS):
        random = np.random.default_rng([seed, 1, index])
        scene = draw_clip(random, _FRAMES, SIDE, SIDE, bank=seed, lifelike=True)
        pairs.append(observe(random, scene))
    for time in range(_FRAMES):
        yield _tile([clean[time] for _, clean in pairs] + [noisy[time] for noisy, _ in pairs], _COLUMNS)


def _tile(tiles: list[Frame], columns: int) -> Frame:
    framed = [
        cv2.copyMakeBorder(t, _GAP, _GAP, _GAP, _GAP, cv2.BORDER_CONSTANT, value=(32, 32, 32)) for t in tiles
    ]
    rows = [np.hstack(framed[start : start + columns]) for start in range(0, len(framed), columns)]
    return np.vstack(rows).astype(np.uint8, copy=False)
