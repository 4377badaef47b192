"""What is the same in every frame and not part of the scene: hot pixels, a fixed pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.sensor.curves import LINEAR

Stack = NDArray[np.uint8]
Plane = NDArray[np.float32]

_BRIGHT = 0.05  # linear light above all of its surroundings, at least
_DISTINCT = 8.0  # times what neighbours differ by
_FLAT = 0.06  # linear light, or so many times what neighbours differ by, that surroundings may vary
_OWN = 1.6  # times brighter in its own colour than in the next: a photosite has one, a speck of the scene not
_RING = np.array(
    [[1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]], np.uint8
)  # a demosaic spreads one photosite over the 3x3 pixels within


@dataclass(frozen=True)
class Spots:
    """What stays.

    hot:     bright spots of one photosite that were found
    share:   of the photosites where one could have been found: where the scene is smooth
    pattern: grey levels rms of all else that stays from pixel to pixel: the scene's texture and what
             the noise leaves in a mean of frames included
    """

    hot: int
    share: float
    pattern: float


def find(stack: Stack) -> Spots:
    """What stays in all of (F, H, W, 3) frames of a still scene."""
    light = np.zeros(stack.shape[1:], np.float32)
    code = np.zeros(stack.shape[1:], np.float32)
    for frame in stack:
        light += LINEAR[frame]
        code += frame
    light /= len(stack)
    code /= len(stack)
    hot, looked_at = _hot(light)
    return Spots(hot, hot / max(looked_at, 1), _pattern(code))


def _hot(light: Plane) -> tuple[int, int]:
    """Pixels that stand out from a smooth ring around them, and how many have one."""
    smooth = np.ones(light.shape[:2], bool)
    standing = np.zeros(light.shape[:2], np.float32)
    excess = np.empty_like(light)
    for channel, plane in enumerate(cv2.split(light)):
        low, high = (
            bend(plane, _RING, borderType=cv2.BORDER_REFLECT_101) for bend in (cv2.erode, cv2.dilate)
        )
        differ = float(np.median(np.abs(np.diff(plane, axis=1)))) * 1.05  # to the rms of one pixel
        smooth &= high - low < max(_FLAT, _DISTINCT * differ)
        excess[..., channel] = plane - cv2.filter2D(plane, -1, _RING / np.float32(_RING.sum()))
        standing = np.maximum(standing, (plane - high) / max(_BRIGHT, _DISTINCT * differ))
    peak = standing >= cv2.dilate(standing, np.ones((5, 5), np.uint8))
    _, second, most = (np.sort(excess, axis=-1)[..., index] for index in range(3))
    found = (peak & smooth & (standing > 1) & (most > _OWN * second)).astype(np.uint8)
    # Of neighbours that share a peak only one counts.
    count = cv2.connectedComponents(cv2.dilate(found, np.ones((3, 3), np.uint8)))[0] - 1
    return count, int(smooth.sum())


def _pattern(code: Plane) -> float:
    """Robust rms of the mean frame against its local median."""
    rest = np.stack([plane - cv2.medianBlur(plane, 5) for plane in cv2.split(code)])
    return float(np.median(np.abs(rest))) * 1.4826
