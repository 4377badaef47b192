"""What developing leaves in a picture that people call clean: soft colours, halos, grain, JPEG's squares.

All of it stays in what a denoiser is to give back, or it would learn to wipe such pictures smooth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.sensor import isp, transport

Picture = NDArray[np.uint8]


def develop(picture: Picture, random: np.random.Generator) -> Picture:
    """(H, W, 3) uint8 BGR -> the same as a good camera keeps it: most pictures have each trace, slightly."""
    if random.random() < 0.8:
        picture = isp.reduce_noise(picture, 0, random.uniform(0.5, 1.5))
    if random.random() < 0.6:
        picture = isp.sharpen(picture, random.uniform(0.1, 1.0))
    if random.random() < 0.5:
        picture = _grain(picture, random)
    if random.random() < 0.7:
        picture = transport.jpeg(picture, int(random.integers(70, 98)), "4:2:0")
    return picture


def _grain(picture: Picture, random: np.random.Generator) -> Picture:
    """Up to a level and a half of noise, less in the dark."""
    height, width = picture.shape[:2]
    grain = random.normal(size=(height, width, 3)).astype(np.float32)
    grain += random.uniform(0.5, 3) * random.normal(size=(height, width, 1)).astype(np.float32)
    if random.random() < 0.6:
        grain = cv2.GaussianBlur(grain, (0, 0), random.uniform(0.3, 0.9)).astype(np.float32, copy=False)
    strength = np.exp(random.uniform(np.log(0.3), np.log(1.2))) / float(grain.std())
    shade = 0.4 + 0.6 * np.sqrt(picture.astype(np.float32) / 255)
    return np.clip(np.rint(picture + strength * shade * grain), 0, 255).astype(np.uint8)
