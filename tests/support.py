"""Small things that several test files need."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def write_video(path: Path, frames: int = 12, size: tuple[int, int] = (64, 48), rate: float = 20) -> Path:
    """A video of flat frames that get brighter, `size` (width, height)."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
    for index in range(frames):
        writer.write(np.full((size[1], size[0], 3), 10 * index, np.uint8))
    writer.release()
    return path
