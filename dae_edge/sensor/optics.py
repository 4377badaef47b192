"""From the scene to the photosites: what lens and zoom leave of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2

Frame = NDArray[np.uint8]


def blur(scene: Frame, sigma: float) -> Frame:
    """(H, W, 3) uint8 through a Gaussian of `sigma` pixels, 0 for none."""
    return cv2.GaussianBlur(scene, (0, 0), sigma).astype(np.uint8, copy=False) if sigma else scene


def shrink(scene: Frame, zoom: float) -> Frame:
    """(H, W, 3) uint8 -> as many pixels as are read of it, sides even."""
    if zoom == 1:
        return scene
    height, width = (max(2 * round(side / zoom / 2), 2) for side in scene.shape[:2])
    return cv2.resize(scene, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
