"""Pictures on the disk, and folders of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import MediaError
from dae_edge.opencv import cv2

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder in order of name; `MediaError` where there are none."""
    found = loose_pictures(folder)
    if not found:
        raise MediaError(f"{folder} holds no pictures ({', '.join(SUFFIXES)}).")
    return found


def loose_pictures(folder: Path) -> tuple[Path, ...]:
    """The same, and none is no mistake."""
    if not folder.is_dir():
        raise MediaError(f"{folder} is not a folder.")
    return tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES))


def read_picture(path: Path, *, grey: bool = False) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 BGR, or (H, W) where `grey`; `MediaError` for what is no picture."""
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)
    if picture is None:
        raise MediaError(f"{path} cannot be read as a picture.")
    return picture.astype(np.uint8, copy=False)
