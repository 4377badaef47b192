"""The ruler: what a still scene's frames read, block by block, in 8-bit grey levels.

Noise is what changes from one frame to the next: half the variance of the difference of two frames
that follow each other (Janesick, "Photon Transfer", SPIE 2007). That a difference forgets the scene and slow
drift is why. A block is 8x8 pixels, which is also JPEG's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.sensor.measure.flicker import Flicker

Stack = NDArray[np.uint8]
Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

BLOCK = 8
SCALES = (1, 2, 4, 8)  # pixels a side of the means whose variance is read
LAGS = ((0, 1), (1, 0), (0, 2), (2, 0))  # (down, right) of the neighbours whose noise is compared
APART = 4  # frames between the two of the long difference


@dataclass(frozen=True)
class Readings:
    """What (F, H, W, 3) frames read; variances in grey levels squared, colours in OpenCV's order, BGR.

    level:      (rows, columns, 3) mean of each block over time
    power:      side of the mean -> (rows, columns, 3) variance of means over so many pixels a side;
                1 is the variance of a pixel
    slow:       (rows, columns, 3) variance of block means from frames `APART` apart; equal to
                power[8] where nothing moves and the camera does not average over time
    peak:       (rows, columns) largest change of a block mean between two frames, in standard deviations
    drift:      (rows, columns) change of a block mean from the first half to the second, likewise
    neighbours: (4, 3) correlation of the noise of two pixels `LAGS` apart
    colours:    (3,) correlation of the noise of blue and green, green and red, blue and red
    rows:       (H, 3) variance of what all pixels of a row have in common
    columns:    (W, 3) the same of a column
    edges:      ratio of the noise's steps across the borders of 8x8 blocks to those within
    frames:     how many
    """

    level: Plane
    power: dict[int, Plane]
    slow: Plane
    peak: Plane
    drift: Plane
    neighbours: Plane
    colours: Plane
    rows: Plane
    columns: Plane
    edges: float
    frames: int


def whole_blocks(stack: Stack) -> Stack:
    """The frames without what is left of their last block, to the right and below."""
    height, width = (side // BLOCK * BLOCK for side in stack.shape[1:3])
    return stack[:, :height, :width]


def read(stack: Stack, still: Mask | None = None) -> Readings:
    """Read frames whose sides are whole blocks; `still` (rows, columns) says which blocks count for lines."""
    count, height, width, _ = stack.shape
    blocks = (width // BLOCK, height // BLOCK)
    if still is None:
        still = np.ones(blocks[::-1], bool)
    weight = np.kron(still, np.ones((BLOCK, BLOCK))).astype(np.float32)[..., None]
    mean = np.zeros(stack.shape[1:], np.float32)
    for frame in stack:
        mean += frame
    mean /= count
    flicker = Flicker(mean, weight)

    power = {side: np.zeros((*still.shape, 3), np.float32) for side in SCALES}
    products = np.zeros((len(LAGS) + 1, 3))
    mixed = np.zeros((3, 3))
    rows, columns = np.zeros((height, 3)), np.zeros((width, 3))
    borders, within = 0.0, 0.0
    series = np.empty((count, *still.shape, 3), np.float32)
    previous = None
    for index, frame in enumerate(stack):
        noise = flicker.without(frame - mean)
        series[index] = _shrink(noise, BLOCK)
        if previous is not None:
            change = (noise - previous) * np.float32(np.sqrt(0.5))
            for side in SCALES:
                means = _shrink(change, side)
                power[side] += _shrink(np.square(means), BLOCK // side)
            seen = change * weight
            products += _products(seen)
            flat = seen.reshape(-1, 3)
            mixed += flat.T @ flat
            rows += _common(seen, weight)
            columns += _common(seen.transpose(1, 0, 2), weight.transpose(1, 0, 2))
            steps = np.square(seen[:, 1:] - seen[:, :-1]).mean(axis=(0, 2))
            borders += float(steps[BLOCK - 1 :: BLOCK].mean())
            within += float(np.delete(steps, slice(BLOCK - 1, None, BLOCK)).mean())
        previous = noise
    pairs = count - 1
    for plane in power.values():
        plane /= pairs
    apart = min(APART, count - 1)
    jumps = np.diff(series, axis=0)
    spread = np.sqrt(2 * power[BLOCK] + 1e-6)
    return Readings(
        level=_shrink(mean, BLOCK),
        power=power,
        slow=np.square(series[apart:] - series[:-apart]).mean(axis=0) / 2,
        peak=(np.abs(jumps).max(axis=0) / spread).max(axis=-1),
        drift=_drift(series, power[BLOCK]),
        neighbours=(products[1:] / np.maximum(products[0], 1e-9)).astype(np.float32),
        colours=_correlations(mixed),
        rows=(rows / pairs).astype(np.float32),
        columns=(columns / pairs).astype(np.float32),
        edges=borders / within if within else 1.0,
        frames=count,
    )


def _drift(series: NDArray[np.float32], power: Plane) -> Plane:
    half = len(series) // 2
    change = series[:half].mean(axis=0) - series[half:].mean(axis=0)
    spread = np.sqrt((power + np.float32(1e-6)) * np.float32(1 / half + 1 / (len(series) - half)))
    return np.abs(change / spread).max(axis=-1).astype(np.float32)


def _shrink(plane: Plane, side: int) -> Plane:
    """Means over `side` x `side` pixels."""
    if side == 1:
        return plane
    size = (plane.shape[1] // side, plane.shape[0] // side)
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)


def _products(noise: Plane) -> NDArray[np.float64]:
    """(1 + lags, 3) mean product of a pixel with itself and with its neighbours."""
    height, width = noise.shape[:2]
    found = [np.square(noise).mean(axis=(0, 1))]
    for down, right in LAGS:
        here, there = noise[: height - down, : width - right], noise[down:, right:]
        found.append((here * there).mean(axis=(0, 1)))
    return np.array(found, np.float64)


def _correlations(products: NDArray[np.float64]) -> Plane:
    """(3,) of blue and green, green and red, blue and red, from their (3, 3) products."""
    spread = np.sqrt(np.maximum(np.diag(products), 1e-9))
    scaled = products / np.outer(spread, spread)
    return np.array([scaled[0, 1], scaled[1, 2], scaled[0, 2]], np.float32)


def _common(noise: Plane, weight: Plane) -> NDArray[np.float64]:
    """(H, 3) product of what the left and the right half of each row have: white noise has nothing in common.

    A row counts, and is not 0, where a third of either half does.
    """
    middle = noise.shape[1] // 2
    parts = (slice(0, middle - BLOCK), slice(middle + BLOCK, None))
    seen = [weight[:, part].sum(axis=1) for part in parts]
    left, right = (
        noise[:, part].sum(axis=1) / np.maximum(count, 1) for part, count in zip(parts, seen, strict=True)
    )
    enough = (np.minimum(*seen) > middle / 3).astype(np.float64)
    return left * right * enough
