"""A camera that other programs see: video calls, OBS, browsers."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from dae_edge.camera.overlay import fit
from dae_edge.camera.sinks.worker import Worker
from dae_edge.camera.view import Frame, View
from dae_edge.errors import MissingExtraError, OutputError

_LINUX = (
    "load its driver: sudo apt-get install -y v4l2loopback-dkms && "
    "sudo modprobe v4l2loopback exclusive_caps=1 card_label=dae-edge"
)
_ELSEWHERE = "install OBS Studio and start its virtual camera once"


class VirtualCamera:
    """The denoised picture as a camera, by pyvirtualcam; the newest frame, never one that waits.

    size: (width, height), fixed for as long as it is open: other programs do not follow a change;
          (0, 0), where the source does not say, becomes 1280x720

    Raises `MissingExtraError` without pyvirtualcam, `OutputError` where no device can be had.
    """

    def __init__(self, size: tuple[int, int], *, rate: float, device: str | None = None) -> None:
        try:
            library: Any = importlib.import_module("pyvirtualcam")
        except ImportError as failure:
            raise MissingExtraError("a virtual camera", "virtual-camera") from failure
        self._size = size = size if all(size) else (1280, 720)
        try:
            self._camera = library.Camera(
                width=size[0], height=size[1], fps=rate, fmt=library.PixelFormat.BGR, device=device
            )
        except (RuntimeError, ValueError, OSError) as failure:
            advice = _LINUX if sys.platform.startswith("linux") else _ELSEWHERE
            cause = " ".join(str(failure).split()).rstrip(".")
            raise OutputError(f"no virtual camera can be opened ({cause}); {advice}.") from failure
        self.device = str(self._camera.device)
        self._worker: Worker[Frame] = Worker(self._camera.send, finish=self._camera.close, room=1)

    def show(self, view: View) -> None:
        self._worker.put(fit(view.after, self._size))

    def close(self) -> None:
        self._worker.close(timeout=0.5)
