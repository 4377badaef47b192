"""Grey textures in [0, 1] that fill the leaves: natural noise, ridges, litter, strokes, waves and grids."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2

Texture = NDArray[np.float32]

BANK = 96  # textures kept ready; a leaf cuts a random piece out of a random one
SIDE = 256
_PIECES = 2500  # leaves or lines of a texture


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


def ridges(random: np.random.Generator) -> Texture:
    """(SIDE, SIDE) noise folded at its middle: veins, cracks, creases, bark."""
    folded = np.abs(spectral_noise(random, random.uniform(0.8, 1.6)) - 0.5)
    return _stretch(folded ** random.uniform(0.4, 1.0))


def litter(random: np.random.Generator) -> Texture:
    """(SIDE, SIDE) dead leaves of a few pixels: foliage, gravel, crowds, all edges and no order."""
    canvas = np.full((2 * SIDE, 2 * SIDE), 128, np.uint8)
    slim, turn, spread = random.uniform(0.2, 1.0), random.uniform(0, 180), random.uniform(5, 90)
    largest = random.uniform(8, 60)
    radii = 1 / np.sqrt(random.uniform(largest**-2, 2.0**-2, size=_PIECES))
    places = random.integers(0, 2 * SIDE, size=(_PIECES, 2)).tolist()
    turns, greys = random.normal(turn, spread, size=_PIECES), random.integers(0, 256, size=_PIECES).tolist()
    for radius, place, angle, grey in zip(np.sort(radii)[::-1], places, turns, greys, strict=True):
        axes = (max(round(radius), 1), max(round(radius * slim), 1))
        cv2.ellipse(canvas, place, axes, float(angle), 0, 360, grey, -1)
    return _shrink(canvas)


def strokes(random: np.random.Generator) -> Texture:
    """(SIDE, SIDE) thin lines that mostly agree on a direction: grass, hair, fur, straw, brushed metal."""
    canvas = np.full((2 * SIDE, 2 * SIDE), random.integers(0, 256), np.uint8)
    turn, spread = random.uniform(0, 2 * np.pi), random.uniform(0.03, 0.6)
    longest, thick = random.uniform(20, 160), int(random.integers(1, 5))
    angles = random.normal(turn, spread, size=_PIECES)
    steps = random.uniform(0.2, 1, size=(_PIECES, 1)) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    starts = random.uniform(-20, 2 * SIDE, size=(_PIECES, 2))
    ends = np.stack([starts, starts + longest * steps], axis=1).astype(int).tolist()
    greys = random.integers(0, 256, size=_PIECES).tolist()
    for (start, end), grey in zip(ends, greys, strict=True):
        cv2.line(canvas, start, end, grey, thick, cv2.LINE_AA)
    return _shrink(canvas)


@functools.lru_cache(maxsize=4)
def bank(seed: int) -> tuple[Texture, ...]:
    """BANK textures: Gaussian noise and what is left of photographs without it, edges at every scale."""
    random = np.random.default_rng([seed, 0x7E47])
    kinds = (_slopes, ridges, litter, strokes, waves, grid)
    chosen = random.choice(len(kinds), size=BANK, p=[0.35, 0.1, 0.25, 0.15, 0.1, 0.05])
    return tuple(kinds[kind](random) for kind in chosen)


def piece(random: np.random.Generator, seed: int, size: int, *, smallest: float = 1.0) -> Texture:
    """A square piece of a random texture, to spread over `size` pixels at `smallest` to 4 times its size."""
    texture = bank(seed)[random.integers(BANK)]
    zoom = np.exp(random.uniform(np.log(smallest), np.log(4)))
    side = int(np.clip(size / zoom, 8, SIDE))
    y0, x0 = random.integers(0, SIDE - side + 1, size=2)
    return texture[y0 : y0 + side, x0 : x0 + side]


def _slopes(random: np.random.Generator) -> Texture:
    return spectral_noise(random, random.uniform(0.3, 1.8))


def _shrink(canvas: NDArray[np.uint8]) -> Texture:
    """To SIDE pixels, in [0, 1]."""
    small = cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / np.float32(255)


def _stretch(values: NDArray[np.floating]) -> Texture:
    low, high = np.percentile(values, [1, 99])
    return np.clip((values - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)
