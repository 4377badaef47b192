"""Light to code values and back: the sRGB transfer curve as look-up tables.

Source: IEC 61966-2-1 (sRGB).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ENCODE_STEPS = 1 << 14  # 0.8 of an 8-bit level where the curve is steepest (slope 12.92)


def srgb_to_linear(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """Display code in [0, 1] to linear light in [0, 1]."""
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light in [0, 1] to display code in [0, 1]."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


# (256,) float32: 8-bit code -> linear light in [0, 1]
LINEAR = srgb_to_linear(np.arange(256) / 255).astype(np.float32)

# (ENCODE_STEPS,) uint8: linear light in steps of 1 / (ENCODE_STEPS - 1) -> 8-bit code
_ENCODE = np.rint(255 * linear_to_srgb(np.arange(ENCODE_STEPS) / (ENCODE_STEPS - 1))).astype(np.uint8)


def encode(light: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Linear light, any shape, clipped to [0, 1], to 8-bit sRGB code."""
    steps = np.clip(light * (ENCODE_STEPS - 1) + 0.5, 0, ENCODE_STEPS - 1).astype(np.uint16)
    return _ENCODE[steps]
