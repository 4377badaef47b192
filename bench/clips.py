"""Clean clips to measure on: videos, folders of frames, stills held still, the package's own scenes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dae_edge.camera.sources import VideoFile
from dae_edge.data.pictures import SUFFIXES, pictures_in, read_picture
from dae_edge.errors import BadValueError, MediaError
from dae_edge.opencv import cv2
from dae_edge.scenes import Room

Frame = NDArray[np.uint8]

_PAIRS = (("_real", "_mean"), ("noisy", "clean"))  # how noisy and clean files are told apart


@dataclass(frozen=True)
class Clip:
    """Frames in order, each (H, W, 3) uint8 BGR, all of one size with even sides."""

    name: str
    frames: list[Frame]


def room(frames: int, size: tuple[int, int]) -> Clip:
    """The demo's room; `size` (width, height)."""
    scene = Room(*size)
    return Clip("room", [scene.frame(index / 30) for index in range(frames)])


def read_clip(path: Path, frames: int, size: tuple[int, int] | None) -> Clip:
    """The first frames of a video or a folder, or a picture held still; shrunk to `size` (width, height)."""
    if path.is_dir():
        found = [read_picture(p) for p in pictures_in(path)[:frames]]
    elif path.suffix.lower() in SUFFIXES:
        found = [read_picture(path)] * frames
    else:
        video = VideoFile(path)
        found = [shot.frame for _ in range(frames) if (shot := video.read()) is not None]
        video.close()
    if not found:
        raise MediaError(f"{path} holds no frame.")
    if any(frame.shape != found[0].shape for frame in found):
        raise MediaError(f"{path}: its frames are not all of one size.")
    return Clip(path.stem, [_fit(frame, size) for frame in found])


def read_pairs(folder: Path) -> list[tuple[str, Frame, Frame]]:
    """(name, noisy, clean) for each pair of files in a folder: a_real/a_mean or noisy_1/clean_1."""
    pairs = []
    for path in pictures_in(folder):
        for noisy, clean in _PAIRS:
            partner = path.with_name(path.name.replace(noisy, clean))
            if noisy in path.name and partner.is_file():
                name = path.stem.replace(noisy, "").strip("_")
                pairs.append((name, read_picture(path), read_picture(partner)))
                if pairs[-1][1].shape != pairs[-1][2].shape:
                    raise MediaError(f"{path} and {partner.name} are not of one size.")
    if not pairs:
        raise BadValueError(
            f"{folder} holds no pairs: files named like 1_real.png and 1_mean.png, or "
            "noisy_1.png and clean_1.png."
        )
    return pairs


def _fit(frame: Frame, size: tuple[int, int] | None) -> Frame:
    """Shrunk to fit into `size`, keeping its shape; sides made even for the sensor's mosaic."""
    height, width = frame.shape[:2]
    shrink = min(size[0] / width, size[1] / height, 1.0) if size else 1.0
    sides = [max(round(side * shrink) // 2 * 2, 2) for side in (width, height)]
    if (width, height) == tuple(sides):
        return frame
    if shrink == 1:
        return np.ascontiguousarray(frame[: sides[1], : sides[0]])
    return cv2.resize(frame, sides, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
