"""Videos and folders of pictures: every frame counts."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from dae_edge.camera.sources.opencv import OpenCVSource
from dae_edge.camera.sources.source import DEFAULT_RATE, Shot, describe
from dae_edge.data.pictures import pictures_in, read_picture
from dae_edge.errors import MediaError
from dae_edge.opencv import cv2


class VideoFile(OpenCVSource):
    """A video file, frame after frame; `frames` is how many it says it has, 0 where it does not."""

    live = False

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise MediaError(f"{path} is not a file.")
        self._path, self.name = path, str(path)
        super().__init__(str(path))
        self.rate = self._granted_rate()
        self.frames = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))) if self._opened else 0
        self._first = super().read() if self._opened else None
        if self._first is None:
            raise MediaError(f"{path} is not a video that OpenCV can read.")
        height, width = self._first.frame.shape[:2]
        self.size = (width, height)
        self.detail = describe(self.size, self.rate)

    def read(self) -> Shot | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return super().read()

    def again(self) -> Self:
        return type(self)(self._path)


class PictureFolder:
    """The pictures of a folder as one clip, in order of name; `MediaError` where there are none."""

    live = False

    def __init__(self, folder: Path, *, rate: float | None = None) -> None:
        self._folder, self._asked = folder, rate
        self._pictures = pictures_in(folder)
        self._next = 0
        self.frames = len(self._pictures)
        self.name, self.rate = str(folder), rate or DEFAULT_RATE
        height, width = read_picture(self._pictures[0]).shape[:2]
        self.size = (width, height)
        self.detail = f"{self.frames} pictures, {describe(self.size, self.rate)}"

    def read(self) -> Shot | None:
        if self._next == self.frames:
            return None
        self._next += 1
        return Shot(read_picture(self._pictures[self._next - 1]))

    def close(self) -> None:
        pass

    def again(self) -> Self:
        return type(self)(self._folder, rate=self._asked)
