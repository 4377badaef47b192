"""From a drawn clip to a pair to train on: a piece of it, seen by a random camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dae_edge.sensor import Sensor, SimulatedCamera, draw_like, draw_sensor

Clip = NDArray[np.uint8]

RECOLOURED = 0.1  # share of clips with colours swapped: any colour may be the noisiest
_H264_CRF = (20.0, 34.0)  # what network cameras are set to


def vary(random: np.random.Generator, clip: Clip, patch: int) -> Clip:
    """A random piece of a clip, (frames, patch, patch, 3), turned, mirrored, reversed, recoloured."""
    top = random.integers(clip.shape[1] - patch + 1)
    left = random.integers(clip.shape[2] - patch + 1)
    piece = clip[:, top : top + patch, left : left + patch]
    if random.random() < 0.5:
        piece = piece[::-1]
    if random.random() < 0.5:
        piece = piece[:, :, ::-1]
    if random.random() < 0.5:
        piece = piece.transpose(0, 2, 1, 3)
    if random.random() < RECOLOURED:
        piece = piece[..., random.permutation(3)]
    return np.ascontiguousarray(piece)


def observe(
    random: np.random.Generator, scene: Clip, like: Sensor | None = None, *, h264: float = 0.0
) -> tuple[Clip, Clip]:
    """A clean scene -> (noisy, clean) as one random camera shows it, both as `scene`.

    `like` is a measured camera to draw around, None for any; `h264` the share of cameras that send H.264.
    """
    sensor = draw_sensor(random) if like is None else draw_like(random, like)
    if h264 and random.random() < h264:  # no draw without: the same seed must give the same clips
        sensor = replace(sensor, jpeg_quality=None, h264_crf=random.uniform(*_H264_CRF))
    camera = SimulatedCamera(sensor, seed=int(random.integers(2**32)))
    noisy = np.stack([camera.capture(frame) for frame in scene])
    clean = np.stack([camera.clean(frame) for frame in scene])
    return noisy, clean
