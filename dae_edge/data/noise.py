"""The textbook corruption of a denoising autoencoder."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MEAN = 0.5


def corrupt(
    pictures: NDArray[np.float32],
    sigma: float | NDArray[np.float32],
    random: np.random.Generator,
) -> NDArray[np.float32]:
    """Pictures in [0, 1] plus N(0.5, sigma), clipped to [0, 1]; shape stays.

    `sigma` is one number or broadcasts against the pictures. Source: Atienza, "Advanced Deep
    Learning with Keras", ch. 3.3.
    """
    noise = random.standard_normal(pictures.shape, dtype=np.float32) * np.float32(sigma)
    return np.clip(pictures + noise + np.float32(MEAN), 0, 1)
