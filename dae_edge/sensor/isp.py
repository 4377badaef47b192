"""The camera's own picture processing: colour, and the light touch-up before the frame leaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.sensor.sensor import Matrix

Frame = NDArray[np.uint8]
Plane = NDArray[np.float32]


def colour(bgr: Plane, matrix: Matrix, *, inverse: bool = False) -> Plane:
    """(H, W, 3) linear BGR through an RGB `matrix`, or through its inverse."""
    rgb = np.linalg.inv(matrix) if inverse else np.array(matrix)
    return cv2.transform(bgr, rgb[::-1, ::-1].astype(np.float32)).astype(np.float32, copy=False)


def enlarge(frame: Frame, height: int, width: int) -> Frame:
    """(h, w, 3) uint8 -> (height, width, 3), by a cubic."""
    if frame.shape[:2] == (height, width):
        return frame
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def desaturate(frame: Frame, saturation: float) -> Frame:
    """(H, W, 3) uint8 BGR with `saturation` times its colour, brightness (BT.601) as it was."""
    if saturation == 1:
        return frame
    grey = np.tile(np.array([0.114, 0.587, 0.299]), (3, 1))
    return cv2.transform(frame, saturation * np.eye(3) + (1 - saturation) * grey).astype(np.uint8, copy=False)


def reduce_noise(frame: Frame, luma_blur: float, chroma_blur: float) -> Frame:
    """(H, W, 3) uint8 BGR with brightness and colour differences blurred; sigmas in pixels, 0 for none."""
    if not luma_blur and not chroma_blur:
        return frame
    planes = list(cv2.split(cv2.cvtColor(frame, cv2.COLOR_BGR2YCrCb)))
    for index, sigma in enumerate((luma_blur, chroma_blur, chroma_blur)):
        if sigma:
            planes[index] = cv2.GaussianBlur(planes[index], (0, 0), sigma)
    return cv2.cvtColor(cv2.merge(planes), cv2.COLOR_YCrCb2BGR).astype(np.uint8, copy=False)


def sharpen(frame: Frame, amount: float) -> Frame:
    """(H, W, 3) uint8 BGR plus `amount` times what a Gaussian of sigma 1 takes away."""
    if not amount:
        return frame
    blurred = cv2.GaussianBlur(frame, (0, 0), 1.0)
    return cv2.addWeighted(frame, 1 + amount, blurred, -amount, 0).astype(np.uint8, copy=False)
