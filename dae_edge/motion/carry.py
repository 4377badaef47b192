"""A denoiser's memory, carried to where things are now.

What the memory is, the manifest says: the average of 2 x 2 blocks of pixels in 12 planes, as pixels or
as bands, and the number of frames that each block's average stands on. It is unfolded into a picture, moved
between pixels, and folded again: blocks alone are too coarse for anything fine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dae_edge.manifest import Manifest
from dae_edge.models.bands import block_transform
from dae_edge.motion.flow import Moves, moved
from dae_edge.opencv import cv2

AVERAGE, COUNT = "state_average", "state_count"
PLANES = 12  # of a block: row, column, BGR

# Of the number of frames an average stands on, at each move: blur and wrong turns add up.
KEPT = 0.8

Planes = NDArray[np.float32]
States = dict[str, NDArray[Any]]


def carry(states: Mapping[str, NDArray[Any]], moves: Moves, manifest: Manifest) -> States:
    """The states after a frame, for the next one, of which `Flow` gave `moves` (H/2, W/2, 2)."""
    last = next(state.layout for state in manifest.states if state.name == AVERAGE) == "NHWC"
    average, count = (_planes(states[name], last) for name in (AVERAGE, COUNT))
    moves = _padded(moves, *average.shape[1:])
    if manifest.memory == "bands":
        transform = block_transform()  # pixels to bands
        pixels = np.tensordot(np.linalg.inv(transform).T, average, 1)
        average = np.tensordot(transform.T, _moved(pixels, moves), 1)
    else:
        average = _moved(average, moves)
    return {AVERAGE: _tensor(average, last), COUNT: _tensor(_kept(count[0], moves)[None], last)}


def _moved(average: Planes, moves: Moves) -> Planes:
    """(12, h, w) of pixels in blocks, each pixel from where it was."""
    height, width = moves.shape[:2]
    fine = np.asarray(cv2.resize(2 * moves, (2 * width, 2 * height)), np.float32)
    return _folded(moved(_unfolded(average), fine, cv2.INTER_CUBIC))


def _kept(count: Planes, moves: Moves) -> Planes:
    """(h, w): how many frames each block stands on after its move; none where it comes from outside."""
    there = moved(count, moves, cv2.INTER_NEAREST, cv2.BORDER_CONSTANT)
    moving = (moves[..., 0] != 0) | (moves[..., 1] != 0)  # ten times as fast as `any` over the last axis
    return np.where(moving, np.float32(KEPT) * there, count)


def _unfolded(planes: Planes) -> Planes:
    """(12, h, w) -> the picture, (2 h, 2 w, 3). A block's row is six numbers side by side in it."""
    _, height, width = planes.shape
    rows = np.empty((height, 2, width, PLANES // 2), np.float32)
    for row, first in enumerate((0, PLANES // 2)):
        rows[:, row] = cv2.merge(list(planes[first : first + PLANES // 2]))
    return rows.reshape(2 * height, 2 * width, 3)


def _folded(picture: Planes) -> Planes:
    """The inverse of `_unfolded`."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    rows = picture.reshape(height, 2, width, PLANES // 2)
    planes = np.empty((PLANES, height, width), np.float32)
    for row, first in enumerate((0, PLANES // 2)):
        cv2.split(np.ascontiguousarray(rows[:, row]), list(planes[first : first + PLANES // 2]))
    return planes


def _padded(moves: Moves, height: int, width: int) -> Moves:
    """As large as the memory, which has what the file pads below and to the right too."""
    below, right = height - moves.shape[0], width - moves.shape[1]
    if not below and not right:
        return moves
    return np.asarray(cv2.copyMakeBorder(moves, 0, below, 0, right, cv2.BORDER_REPLICATE), np.float32)


def _planes(state: NDArray[Any], last: bool) -> Planes:
    return np.moveaxis(state[0], -1, 0) if last else state[0]


def _tensor(planes: Planes, last: bool) -> Planes:
    return np.ascontiguousarray((np.moveaxis(planes, 0, -1) if last else planes)[None], np.float32)
