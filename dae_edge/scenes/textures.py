"""Grey textures in [0, 1] that fill the leaves: natural noise, waves and grids."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

Texture = NDArray[np.float32]

BANK = 48  # textures kept ready; a leaf cuts a random piece out of a random one
SIDE = 256


def spectral_noise(random: np.random.Generator, slope: float) -> Texture:
    """(SIDE, SIDE) noise whose amplitude falls as 1 / f**slope, stretched to [0, 1].

    Natural pictures have slopes near 1 (Field, "Relations between the statistics of natural
    images and the response properties of cortical cells", JOSA A 1987).
    """
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :])
    frequency[0, 0] = 1.0
    phase = random.uniform(0, 2 * np.pi, size=frequency.shape)
    spectrum = np.exp(1j * phase) / frequency**slope
    spectrum[0, 0] = 0
    return _stretch(np.fft.irfft2(spectrum, s=(SIDE, SIDE)))


def waves(random: np.random.Generator) -> Texture:
    """(SIDE, SIDE) stripes with a slow wobble: cloth, blinds, fences."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    angle = random.uniform(0, np.pi)
    period = np.exp(random.uniform(np.log(3), np.log(40)))
    wobble = spectral_noise(random, 2.0) * random.uniform(0, 2) * np.pi
    phase = 2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period + wobble
    wave = np.sin(phase)
    if random.random() < 0.5:  # hard edges as often as soft ones
        wave = np.clip(wave * random.uniform(2, 8), -1, 1)
    return _stretch(wave)


def grid(random: np.random.Generator) -> Texture:
    """(SIDE, SIDE) product of two wave patterns: bricks, weave, tiles."""
    return _stretch(np.maximum(waves(random), waves(random)))


@functools.lru_cache(maxsize=4)
def bank(seed: int) -> tuple[Texture, ...]:
    """BANK textures; two thirds natural noise, the rest patterns."""
    random = np.random.default_rng([seed, 0x7E47])
    made = []
    for _ in range(BANK):
        kind = random.random()
        if kind < 0.67:
            made.append(spectral_noise(random, random.uniform(0.3, 1.8)))
        elif kind < 0.87:
            made.append(waves(random))
        else:
            made.append(grid(random))
    return tuple(made)


def _stretch(values: NDArray[np.floating]) -> Texture:
    low, high = np.percentile(values, [1, 99])
    return np.clip((values - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)
