"""Small things that several test files need."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np

from dae_edge.camera import View
from dae_edge.camera.sources import Shot
from dae_edge.runtime import Denoiser


def write_video(path: Path, frames: int = 12, size: tuple[int, int] = (64, 48), rate: float = 20) -> Path:
    """A video of flat frames that get brighter, `size` (width, height)."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
    for index in range(frames):
        writer.write(np.full((size[1], size[0], 3), 10 * index, np.uint8))
    writer.release()
    return path


class FakeCamera:
    """A camera of numbered frames that does what it is told.

    script: what each read() does, in turn, then `then` for ever: "frame", "same" (the last frame again),
    "none", "raise", "block" (until `unblock`), or a (height, width) to go on with.
    """

    def __init__(
        self,
        script: Iterable[object] = (),
        *,
        then: object = "frame",
        rate: float = 100.0,
        live: bool = True,
        size: tuple[int, int] = (48, 32),
        openings: list[FakeCamera] | None = None,
        revive: Callable[[int], FakeCamera] | None = None,
    ) -> None:
        """`revive` makes the camera of the nth opening; without it opening again repeats this one."""
        self.name, self.detail, self.live, self.rate, self.size = "fake", "fake", live, rate, size
        self.script, self._then = list(script), then
        self._turn = iter(self.script)
        self._revive = revive
        self.openings = openings if openings is not None else []
        self.openings.append(self)
        self.unblock = threading.Event()
        self.reads, self.closed, self.frame = 0, 0, np.zeros((size[1], size[0], 3), np.uint8)

    def read(self) -> Shot | None:
        time.sleep(1 / self.rate)
        act = next(self._turn, self._then)
        if isinstance(act, tuple):
            self.frame = np.zeros((*act, 3), np.uint8)
            act = "frame"
        if act == "frame":
            self.reads += 1
            self.frame = np.full_like(self.frame, self.reads % 256)
        elif act == "raise":
            raise OSError("unplugged")
        elif act == "block":
            self.unblock.wait(60)
            return None
        return None if act == "none" else Shot(self.frame)

    def close(self) -> None:
        self.closed += 1

    def again(self) -> FakeCamera:
        if self._revive is None:
            return FakeCamera(self.script, then=self._then, rate=self.rate, openings=self.openings)
        count = len(self.openings)
        camera = self._revive(count)
        camera.openings, camera._revive = self.openings, self._revive
        self.openings.append(camera)
        return camera


class Eyes:
    """A sink that remembers what it was shown."""

    def __init__(self) -> None:
        self.views: list[View] = []
        self.closed = 0

    def show(self, view: View) -> None:
        self.views.append(view)

    def close(self) -> None:
        self.closed += 1


def wait_for(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether something became true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.005)
    return true()


class Slow:
    """A denoiser that takes its time, remembers what it was asked, and fails when told to."""

    def __init__(self, denoise: Denoiser, seconds: float = 0.0) -> None:
        self._real, self.seconds = denoise, seconds
        self.manifest, self.engine = denoise.manifest, denoise.engine
        self.strength, self.follow = 1.0, False
        self.shapes: list[tuple[int, ...]] = []
        self.strengths: list[float] = []
        self.resets = 0
        self.broken = False

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        time.sleep(self.seconds)
        self.shapes.append(frame.shape)
        self.strengths.append(self.strength)
        if self.broken:
            raise RuntimeError("no such kernel\nand a long trace")
        return 255 - frame

    def follow_if_able(self, value: bool) -> None:
        self.follow = value

    def reset(self) -> None:
        self.resets += 1
