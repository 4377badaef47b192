"""Digits drawn with OpenCV's fonts: a stand-in for MNIST where there is no network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2

SIDE = 28
_DRAWN = 4 * SIDE  # drawn large, then shrunk as MNIST's own digits were
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


def draw_digits(count: int, *, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """`count` digits, (count, 28, 28) uint8, white on black, and their labels (count,) uint8."""
    random = np.random.default_rng([seed, 0xD161])
    labels = random.integers(0, 10, size=count).astype(np.uint8)
    return np.stack([_draw(random, int(label)) for label in labels]), labels


def _draw(random: np.random.Generator, label: int) -> NDArray[np.uint8]:
    font = int(random.choice(_FONTS))
    thickness = int(random.integers(6, 13))
    size = random.uniform(3.1, 3.8)
    (width, height), _ = cv2.getTextSize(str(label), font, size, thickness)
    canvas = np.zeros((_DRAWN, _DRAWN), np.uint8)
    origin = ((_DRAWN - width) // 2, (_DRAWN + height) // 2)
    cv2.putText(canvas, str(label), origin, font, size, 255, thickness, cv2.LINE_AA)

    turn = cv2.getRotationMatrix2D((_DRAWN / 2, _DRAWN / 2), random.normal(0, 8), random.uniform(0.8, 1.05))
    lean, (right, down) = random.normal(0, 0.15), random.normal(0, 3, size=2)
    turn = turn + np.array([[0, lean, right], [0, 0, down]])
    moved = cv2.warpAffine(canvas, turn, (_DRAWN, _DRAWN))
    return cv2.resize(moved, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
