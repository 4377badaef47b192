"""A 2 x 2 block of a colour frame as 12 bands: what `lowlight` works on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BANDS = 12  # coarse then fine, in each brightness then colour


def block_transform() -> NDArray[np.float32]:
    """(12, 12): from a 2 x 2 block's values (row, column, BGR) to its bands; orthogonal.

    Haar in space times an opponent colour basis. White noise stays white in it, and at half the
    scale of an orthonormal transform the bands keep to the order of the frame's own range.
    """
    haar = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / 2
    colour = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]], float)  # BGR
    colour /= np.linalg.norm(colour, axis=1, keepdims=True)
    return (np.kron(haar, colour).T / 2).astype(np.float32)
