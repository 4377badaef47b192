"""What sways: part of a picture swung about, smoothly and back again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.scenes import textures

Field = NDArray[np.float32]


class Sway:
    """Leaves in the wind, water, a curtain: part of a frame of (height, width) swings, the rest stands still.

    By up to six pixels, and not as a whole, as everything does that a matrix moves.
    """

    def __init__(self, random: np.random.Generator, height: int, width: int) -> None:
        def field() -> Field:
            noise = textures.spectral_noise(random, random.uniform(1.4, 2.2))
            return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)

        reach = np.float32(np.exp(random.uniform(np.log(0.5), np.log(6))))
        where = np.clip(0.5 + 8 * (field() - np.float32(random.uniform(0.3, 0.7))), 0, 1)
        self._swings = [reach * where * (field() - 0.5) * 2 for _ in range(4)]
        self.speed = random.uniform(0.1, 0.8)  # radians a frame
        self._y, self._x = np.mgrid[0:height, 0:width].astype(np.float32)

    def __call__(self, picture: NDArray[np.uint8], time: float) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 as it is at `time` frames."""
        cos, sin = np.float32(np.cos(self.speed * time)), np.float32(np.sin(self.speed * time))
        right, down, right_too, down_too = self._swings
        across, along = cos * right + sin * right_too, cos * down + sin * down_too
        moved = cv2.remap(
            picture, self._x + across, self._y + along, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        return moved.astype(np.uint8, copy=False)
