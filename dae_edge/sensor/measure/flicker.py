"""Brightness that comes and goes with the lamp or the camera's gain: not noise, so taken out first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.sensor.curves import linear_to_srgb, srgb_to_linear

Plane = NDArray[np.float32]

_BAND = 65  # rows: a rolling shutter makes the lamp's flicker bands, far wider than the noise of a row


def _response() -> NDArray[np.float32]:
    """(256,) grey levels that a code rises for a relative rise of the light."""
    light = srgb_to_linear(np.arange(256) / 255)
    rise = 1e-3
    return (255 * (linear_to_srgb(light * (1 + rise)) - linear_to_srgb(light)) / rise).astype(np.float32)


_RESPONSE = _response()


class Flicker:
    """Takes out of frames what a change of the light alone does to a still scene.

    mean:   (H, W, 3) grey levels, the scene's mean over time
    weight: (H, W, 1) of the pixels it is judged by
    """

    def __init__(self, mean: Plane, weight: Plane) -> None:
        codes = np.clip(np.rint(mean), 0, 255).astype(np.uint8)
        self._response = _RESPONSE[codes]
        self._judged = self._response * weight
        norm = np.square(self._judged).sum(axis=(1, 2))
        self._norm = np.maximum(_smooth(norm), 1e-6)

    def without(self, noise: Plane) -> Plane:
        """(H, W, 3) difference of a frame to the mean -> the same without flicker."""
        rise = _smooth((noise * self._judged).sum(axis=(1, 2))) / self._norm
        return noise - rise.astype(np.float32)[:, None, None] * self._response


def _smooth(column: NDArray[np.floating]) -> NDArray[np.float64]:
    """Sums over `_BAND` rows around each."""
    tall = column.astype(np.float64)[:, None]
    flat = cv2.boxFilter(tall, -1, (1, _BAND), normalize=True, borderType=cv2.BORDER_REFLECT_101)
    return flat[:, 0].astype(np.float64, copy=False)
