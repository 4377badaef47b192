"""From one colour a photosite to three: the ways cameras fill in the two that are missing.

All take the mosaic (H, W) float32 in RGGB order and give (H, W, 3) float32 BGR; sensors of another order
are an RGGB one that begins a row or a column earlier.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2

Plane = NDArray[np.float32]

# Colours of the upper left 2 x 2 photosites, and how many rows and columns of an RGGB sensor they leave out.
ORDERS = {"RGGB": (0, 0), "GRBG": (0, 1), "GBRG": (1, 0), "BGGR": (1, 1)}
DEMOSAICS = ("bilinear", "edge-aware", "malvar", "binned", "monochrome")
WHOLE = ("binned", "monochrome")  # with nothing to fill in: each pixel has a noise of its own

# OpenCV's demosaics take 16-bit numbers; the pedestal keeps the negative half of the read
# noise, as a real black level does.
_BLACK = 8192
_WHITE = 49152 - _BLACK

# Malvar, He and Cutler, "High-quality linear interpolation for demosaicing of Bayer-patterned
# color images" (ICASSP 2004), figure 2; in eighths.
_GREEN = np.array(
    [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]], np.float32
)
_ALONG = np.array(  # red or blue at green, neighbours in its own row
    [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]],
    np.float32,
)
_ACROSS = np.array(  # red at blue, blue at red
    [[0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0], [0, 0, -1.5, 0, 0]],
    np.float32,
)


def mosaic(light: Plane) -> Plane:
    """(H, W, 3) BGR -> (H, W), one colour a photosite: RGGB."""
    raw = light[..., 1].copy()
    raw[0::2, 0::2] = light[0::2, 0::2, 2]
    raw[1::2, 1::2] = light[1::2, 1::2, 0]
    return raw


def demosaic(raw: Plane, method: str) -> Plane:
    """(H, W) mosaic, 1 = white -> (H, W, 3) BGR by `method`, one of the first three of `DEMOSAICS`."""
    if method == "malvar":
        return _malvar(raw)
    code = cv2.COLOR_BayerRGGB2BGR_EA if method == "edge-aware" else cv2.COLOR_BayerRGGB2BGR
    levels = np.clip(raw * _WHITE + _BLACK, 0, 65535).astype(np.uint16)
    bgr = cv2.demosaicing(levels, code).astype(np.float32)
    return (bgr - np.float32(_BLACK)) / np.float32(_WHITE)


def _malvar(raw: Plane) -> Plane:
    green, along, down, across = (
        cv2.filter2D(raw, cv2.CV_32F, kernel / 8, borderType=cv2.BORDER_REFLECT_101)
        for kernel in (_GREEN, _ALONG, _ALONG.T, _ACROSS)
    )
    bgr = np.repeat(raw[..., None], 3, axis=2)
    red_site, blue_site = (slice(0, None, 2),) * 2, (slice(1, None, 2),) * 2
    green_in_red_row, green_in_blue_row = (
        (slice(0, None, 2), slice(1, None, 2)),
        (slice(1, None, 2), slice(0, None, 2)),
    )
    for site in (red_site, blue_site):
        bgr[(*site, 1)] = green[site]
    for colour, own_row, other_row, opposite in (
        (2, green_in_red_row, green_in_blue_row, blue_site),
        (0, green_in_blue_row, green_in_red_row, red_site),
    ):
        bgr[(*own_row, colour)] = along[own_row]
        bgr[(*other_row, colour)] = down[other_row]
        bgr[(*opposite, colour)] = across[opposite]
    return bgr
