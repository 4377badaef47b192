"""What the sinks' tests share."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np

from dae_edge.camera import Controls, Figures, View
from dae_edge.camera.overlay import Compose
from dae_edge.camera.sinks import (
    Recorder,
    numbered,
)


def view(number: int = 0, level: int = 100, size: tuple[int, int] = (48, 64), status: str = "") -> View:
    before = np.full((*size, 3), level // 2, np.uint8)
    after = np.full((*size, 3), level, np.uint8)
    return View(before, after, number, time.monotonic(), Figures(30.0, 10.0, 15.0, 0, status))


def read_video(path: Path) -> tuple[list[np.ndarray], float]:
    video = cv2.VideoCapture(str(path))
    frames = []
    while (got := video.read())[0]:
        frames.append(got[1])
    return frames, video.get(cv2.CAP_PROP_FPS)


def recorder(controls: Controls, path: Path, *, rate: float = 20.0, live: bool = True) -> Recorder:
    compose = Compose(controls, figures=False)
    return Recorder(controls, compose, numbered(path), rate=rate, live=live)
