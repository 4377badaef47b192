"""Light to code values and back: the sRGB transfer curve and a tone curve as look-up tables.

Sources: IEC 61966-2-1 (sRGB); the S-shaped tone curve (smoothstep) of Brooks et al., "Unprocessing images for
learned raw denoising" (CVPR 2019).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ENCODE_STEPS = 1 << 14  # 0.8 of an 8-bit level where the curve is steepest (slope 12.92)
_CAMERAS = 16  # whose tables are kept: every random camera to train on has a tone of its own


def srgb_to_linear(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """Display code in [0, 1] to linear light in [0, 1]."""
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light in [0, 1] to display code in [0, 1]."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def tone_curve(code: NDArray[np.float64], tone: float) -> NDArray[np.float64]:
    """Code in [0, 1] to code in [0, 1]: shadows and highlights flatter by `tone`, what is between steeper."""
    return code + tone * (code * code * (3 - 2 * code) - code)


@lru_cache(_CAMERAS)
def decoding(tone: float = 0.0) -> NDArray[np.float32]:
    """(256,) float32: 8-bit code -> linear light in [0, 1]."""
    code = np.arange(256) / 255
    if tone:
        finely = np.linspace(0, 1, 1 << 14)
        code = np.interp(code, tone_curve(finely, tone), finely)
    return srgb_to_linear(code).astype(np.float32)


@lru_cache(_CAMERAS)
def _encoding(tone: float) -> NDArray[np.uint8]:
    """(ENCODE_STEPS,) uint8: linear light in steps of 1 / (ENCODE_STEPS - 1) -> 8-bit code."""
    code = linear_to_srgb(np.arange(ENCODE_STEPS) / (ENCODE_STEPS - 1))
    return np.rint(255 * tone_curve(code, tone)).astype(np.uint8)


LINEAR = decoding()


def encode(light: NDArray[np.floating], tone: float = 0.0) -> NDArray[np.uint8]:
    """Linear light, any shape, clipped to [0, 1], to 8-bit code: sRGB, and the tone curve over it."""
    steps = np.clip(light * (ENCODE_STEPS - 1) + 0.5, 0, ENCODE_STEPS - 1).astype(np.uint16)
    return _encoding(tone)[steps]
