"""A network stream."""

from __future__ import annotations

from typing import Self

from dae_edge.camera.sources.address import hide_credentials
from dae_edge.camera.sources.opencv import OpenCVSource
from dae_edge.camera.sources.source import describe
from dae_edge.errors import CameraError
from dae_edge.opencv import cv2

_OPEN_MS, _READ_MS = 10_000, 4_000  # a read that FFmpeg ends itself leaves no thread behind


class Stream(OpenCVSource):
    """A stream by URL: http://, rtsp://, udp:// and what else OpenCV's FFmpeg opens."""

    live = True
    _fastest = 240.0  # some streams give the ticks of their clock

    def __init__(self, url: str) -> None:
        self._url = url
        self.name = hide_credentials(url)
        options = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS)
        # More threads decode ahead: each keeps back one frame.
        super().__init__(url, backend=cv2.CAP_FFMPEG, options=(*options, cv2.CAP_PROP_N_THREADS, 1))
        if not self._opened:
            raise CameraError(f"{self.name} cannot be opened: check the address and that it is streaming.")
        self.size, self.rate = self._granted_size(), self._granted_rate()
        self.detail = describe(self.size, self.rate)

    def again(self) -> Self:
        return type(self)(self._url)
