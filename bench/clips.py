"""Clean clips to measure on: videos, folders of frames, stills held still, the package's own scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dae_edge.camera.sources import VideoFile
from dae_edge.data.pictures import SUFFIXES, loose_pictures, pictures_in, read_picture
from dae_edge.errors import BadValueError, MediaError
from dae_edge.opencv import cv2
from dae_edge.scenes import Room

Frame = NDArray[np.uint8]

SMALLEST = 16  # pixels a side that a frame must have
VIDEOS = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".y4m")


@dataclass(frozen=True)
class Clip:
    """Frames in order, each (H, W, 3) uint8 BGR, all of one size with even sides."""

    name: str
    frames: list[Frame]


def room(frames: int, size: tuple[int, int]) -> Clip:
    """The demo's room; `size` (width, height)."""
    scene = Room(*size)
    return Clip("room", [scene.frame(index / 30) for index in range(frames)])


def find_clips(folder: Path) -> list[Path]:
    """Everything in a folder that `read_clip` takes: videos, folders of frames, and single pictures.

    Raises `MediaError` where there is nothing.
    """
    if not folder.is_dir():
        raise MediaError(f"{folder} is not a folder.")
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in (*VIDEOS, *SUFFIXES) or (path.is_dir() and loose_pictures(path))
    ]
    if not found:
        raise MediaError(f"{folder} holds no clips: no videos, folders of frames, or pictures.")
    return found


def files_of(path: Path, frames: int) -> Sequence[Path]:
    """The files that the first `frames` frames of a clip come from."""
    return pictures_in(path)[:frames] if path.is_dir() else [path]


def read_clip(path: Path, frames: int, size: tuple[int, int] | None) -> Clip:
    """The first frames of a video or a folder, or a picture held still; shrunk to `size` (width, height).

    16-bit and grey pictures come as 8-bit colour. Raises `MediaError` for what cannot be read.
    """
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
    for index, frame in enumerate(found):
        if frame.shape != found[0].shape:
            raise MediaError(
                f"{path}: its frames are not all of one size; frame {index + 1} is {_size(frame)}, "
                f"the first {_size(found[0])}."
            )
    return Clip(path.stem, [_fit(frame, size) for frame in found])


def middle(frame: Frame, size: tuple[int, int]) -> Frame:
    """The middle of a frame, not scaled: `size` (width, height) of one with more pixels, else all of it."""
    height, width = frame.shape[:2]
    if height * width <= size[0] * size[1]:
        return frame
    across, down = min(width, size[0]), min(height, size[1])
    left, top = (width - across) // 2, (height - down) // 2
    return np.ascontiguousarray(frame[top : top + down, left : left + across])


def _fit(frame: Frame, size: tuple[int, int] | None) -> Frame:
    """Shrunk to fit into `size`, keeping its shape; sides made even for the sensor's mosaic."""
    height, width = frame.shape[:2]
    shrink = min(size[0] / width, size[1] / height, 1.0) if size else 1.0
    sides = [max(round(side * shrink) // 2 * 2, 2) for side in (width, height)]
    if min(sides) < SMALLEST:
        raise BadValueError(f"a frame of {width}x{height} is too small to measure: {SMALLEST} pixels a side.")
    if (width, height) == tuple(sides):
        return frame
    if shrink == 1:
        return np.ascontiguousarray(frame[: sides[1], : sides[0]])
    return cv2.resize(frame, sides, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _size(frame: Frame) -> str:
    return f"{frame.shape[1]}x{frame.shape[0]}"
