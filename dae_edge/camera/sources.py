"""Where frames come from: a camera, a file, a stream, or the simulated low-light camera."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import BadValueError, CameraError, MediaError
from dae_edge.hush import hushed
from dae_edge.opencv import cv2
from dae_edge.scenes import Room
from dae_edge.sensor import SimulatedCamera, preset

Frame = NDArray[np.uint8]

_STREAM = re.compile(r"^(https?|rtsp|rtmp|udp|tcp)://", re.IGNORECASE)
_CREDENTIALS = re.compile(r"//[^/@\s]+@")
_DEFAULT_RATE = 30.0


@dataclass(frozen=True)
class Shot:
    """One frame, (H, W, 3) uint8 BGR; `clean` is the same without noise, where it is known."""

    frame: Frame
    clean: Frame | None = None


class Source(Protocol):
    """A stream of shots.

    name: for people, with no secrets in it
    rate: frames a second
    live: True where frames come when they come and an old one is worthless; False where every
          frame counts, as in a file
    """

    name: str
    rate: float
    live: bool

    def read(self) -> Shot | None:
        """The next shot, waiting for it; None at the end."""
        ...

    def close(self) -> None: ...


def open_source(
    spec: str,
    *,
    size: tuple[int, int] | None = None,
    rate: float | None = None,
    simulate: str | None = None,
    seed: int = 0,
) -> Source:
    """Open "0", "/dev/video0", a video file, a URL, "demo" or "demo:PRESET".

    size:     (width, height) asked of a camera or drawn by the demo
    rate:     frames a second, likewise
    simulate: a sensor preset; the source's frames are taken as clean scenes and made noisy

    Raises `CameraError` where a camera or stream cannot be opened, `MediaError` for files.
    """
    source: Source
    if spec == "demo" or spec.startswith("demo:"):
        if simulate is not None:
            raise BadValueError("`--simulate` is for clean sources; the demo is noisy already: demo:PRESET.")
        return DemoCamera(spec.partition(":")[2] or "dark", size=size, rate=rate, seed=seed)
    if spec.isdigit() or spec.startswith("/dev/"):
        source = CameraDevice(spec, size=size, rate=rate)
    elif size is not None or rate is not None:
        option = "--size" if size is not None else "--fps"
        raise BadValueError(f"`{option}` is for a camera or the demo; {spec} has its own.")
    elif _STREAM.match(spec):
        source = Stream(spec)
    else:
        source = VideoFile(Path(spec))
    return Simulated(source, simulate, seed=seed) if simulate is not None else source


class DemoCamera:
    """A drawn room through a simulated sensor, in real time; the clean picture is known."""

    live = True

    def __init__(
        self,
        preset_name: str = "dark",
        *,
        size: tuple[int, int] | None = None,
        rate: float | None = None,
        seed: int = 0,
    ) -> None:
        width, height = size or (640, 480)
        self.name = f"demo camera ({preset_name}, {width}x{height})"
        self.rate = rate or _DEFAULT_RATE
        self._camera = SimulatedCamera(preset(preset_name), seed=seed)
        self._room = Room(width, height, seed=seed)
        self._begun: float | None = None
        self._count = 0

    def read(self) -> Shot:
        now = time.monotonic()
        if self._begun is None:
            self._begun = now
        due = self._begun + self._count / self.rate
        if now < due:
            time.sleep(due - now)
        else:  # a camera does not wait for whoever is late
            self._count = int((now - self._begun) * self.rate)
        scene = self._room.frame(self._count / self.rate)
        self._count += 1
        return Shot(self._camera.capture(scene), self._camera.clean(scene))

    def close(self) -> None:
        pass


class _Capture:
    """What OpenCV's sources have in common."""

    live: bool

    def __init__(self, target: str | int, name: str) -> None:
        self.name = name
        with hushed():  # what FFmpeg and V4L2 say of a failed open, the error says better
            self._capture = cv2.VideoCapture(target)
        self._opened = self._capture.isOpened()
        self.rate = self._granted_rate()

    def _granted_rate(self) -> float:
        rate = self._capture.get(cv2.CAP_PROP_FPS) if self._opened else 0.0
        return rate if 0 < rate <= 1000 else _DEFAULT_RATE

    def read(self) -> Shot | None:
        ok, frame = self._capture.read()
        if not ok or frame is None:
            return None
        if frame.ndim == 2:
            frame = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR)
        return Shot(frame.astype(np.uint8, copy=False))

    def close(self) -> None:
        self._capture.release()


class CameraDevice(_Capture):
    """A camera by index or device path."""

    live = True

    def __init__(self, spec: str, *, size: tuple[int, int] | None = None, rate: float | None = None) -> None:
        super().__init__(int(spec) if spec.isdigit() else spec, f"camera {spec}")
        if not self._opened:
            raise CameraError(f"{self.name} cannot be opened: {_advice()}")
        # One frame in the driver's queue, where the driver obeys: older ones are stale.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if size is not None:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        if rate is not None:
            self._capture.set(cv2.CAP_PROP_FPS, rate)
            self.rate = self._granted_rate()
        width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        self.name = f"camera {spec} ({width}x{height})"


class Stream(_Capture):
    """A network stream by URL."""

    live = True

    def __init__(self, url: str) -> None:
        super().__init__(url, _CREDENTIALS.sub("//", url))
        if not self._opened:
            raise CameraError(f"{self.name} cannot be opened: check the address and that it is streaming.")


class VideoFile(_Capture):
    """A video file, frame after frame."""

    live = False

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise MediaError(f"{path} is not a file.")
        self._first: Shot | None = None
        super().__init__(str(path), str(path))
        self.frames = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))) if self._opened else 0
        self._first = self.read() if self._opened else None
        if self._first is None:
            raise MediaError(f"{path} is not a video that OpenCV can read.")
        height, width = self._first.frame.shape[:2]
        self.size = (width, height)

    def read(self) -> Shot | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return super().read()


class Simulated:
    """Another source's frames as clean scenes, seen through a simulated low-light sensor."""

    def __init__(self, source: Source, preset_name: str, *, seed: int = 0) -> None:
        self._source = source
        self._camera = SimulatedCamera(preset(preset_name), seed=seed)
        self.name, self.rate, self.live = f"{source.name} ({preset_name})", source.rate, source.live

    def read(self) -> Shot | None:
        shot = self._source.read()
        if shot is None:
            return None
        return Shot(self._camera.capture(shot.frame), self._camera.clean(shot.frame))

    def close(self) -> None:
        self._source.close()


def _advice() -> str:
    """What to try when a camera does not open, from what is on this machine."""
    found = sorted(str(p) for p in Path("/dev").glob("video*"))
    if not found:
        return (
            "this machine shows no camera (no /dev/video*); plug one in, or try --source demo, "
            "a video file, or a URL."
        )
    denied = [p for p in found if not os.access(p, os.R_OK | os.W_OK)]
    if denied:
        return f"no permission for {denied[0]}; join its group: sudo usermod -aG video $USER."
    return f"it may be in use by another program; cameras here: {', '.join(found)}."
