"""Pictures of what a method does: its worst frame and piece, and one piece that all methods are shown on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dae_edge.bench.method import Frame
from dae_edge.bench.quality import Measured
from dae_edge.bench.takes import Frames
from dae_edge.errors import OutputError
from dae_edge.files import writing
from dae_edge.opencv import cv2

PIECE = 192  # pixels a side
MAGNIFIED = 4  # times, of the difference from clean
_GAP = 4
_QUALITY = 88


def save(frames: Frames, measured: Measured, folder: Path, stem: str, kind: str) -> dict[str, str]:
    """Write a cell's pictures to `folder`; what each shows -> its file's name.

    piece: where the clean picture has the most detail, of the last scored frame
    clean: the same of the clean frame, beside the noisy frames'
    worst: the piece with the largest error of the worst later frame; before, after, clean, and the
           difference from clean, magnified around grey
    frame: all of that frame, likewise, two by two; of a model
    """
    last = max(measured.frames)
    later = [index for index in frames.later if index in measured.frames]
    worst = max(later, key=lambda index: cv2.norm(measured.frames[index], frames.clean[index]))
    rows = [
        frames.noisy[worst], measured.frames[worst], frames.clean[worst],
        difference(measured.frames[worst], frames.clean[worst]),
    ]  # fmt: skip
    there = worst_piece(measured.frames[worst], frames.clean[worst])
    made = {
        "piece": measured.frames[last][detailed_piece(frames.clean[last])],
        "worst": _beside([picture[there] for picture in rows]),
    }
    if kind == "noisy":
        made["clean"] = frames.clean[last][detailed_piece(frames.clean[last])]
    if kind == "model":
        made["frame"] = np.vstack(
            [
                _beside(rows[:2]),
                np.full((_GAP, 2 * rows[0].shape[1] + _GAP, 3), 255, np.uint8),
                _beside(rows[2:]),
            ]
        )
    names = {what: f"{stem}-{what}.jpg" for what in made}
    for what, picture in made.items():
        with writing(folder / names[what], force=True) as temporary:
            if not cv2.imwrite(str(temporary), picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]):
                raise OutputError(f"{folder / names[what]} cannot be written.")
    return names


def difference(frame: Frame, clean: Frame) -> Frame:
    """What is wrong with a frame, magnified around a middle grey."""
    wrong = MAGNIFIED * (frame.astype(np.int16) - clean)
    return np.clip(128 + wrong, 0, 255).astype(np.uint8)


def worst_piece(frame: Frame, clean: Frame) -> tuple[slice, slice]:
    """Where the mean squared error over a piece is largest."""
    return _peak(np.square(frame.astype(np.float32) - clean).sum(axis=2))


def detailed_piece(clean: Frame) -> tuple[slice, slice]:
    """Where the clean picture has the most detail: the same for every method."""
    grey = cv2.GaussianBlur(cv2.cvtColor(clean, cv2.COLOR_BGR2GRAY).astype(np.float32), (0, 0), 1)
    return _peak(np.abs(cv2.Laplacian(grey, cv2.CV_32F)))


def _peak(heat: np.ndarray) -> tuple[slice, slice]:
    height, width = heat.shape
    side = min(PIECE, height, width)
    mean = cv2.boxFilter(heat, cv2.CV_32F, (side, side), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    inside = mean[: height - side + 1, : width - side + 1]
    top, left = divmod(int(inside.argmax()), inside.shape[1])
    return slice(top, top + side), slice(left, left + side)


def _beside(pictures: list[Frame]) -> Frame:
    gap = np.full((pictures[0].shape[0], _GAP, 3), 255, np.uint8)
    return np.hstack([part for picture in pictures for part in (gap, picture)][1:])
