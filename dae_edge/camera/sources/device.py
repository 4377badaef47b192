"""A camera on this machine."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Self

from dae_edge.camera.sources.opencv import OpenCVSource
from dae_edge.camera.sources.source import describe
from dae_edge.errors import BadValueError, CameraError
from dae_edge.opencv import cv2

_BY_ID = Path("/dev/v4l/by-id")
_VGA = 640 * 480
_FOURCC = re.compile(r"^[\x21-\x7e][\x20-\x7e]{3}$")


class CameraDevice(OpenCVSource):
    """A camera by index, by device file, or by its lasting name under /dev/v4l/by-id.

    size, rate, fourcc: asked of the driver, which may grant others; `detail` says what it did
    """

    live = True

    def __init__(
        self,
        spec: str,
        *,
        size: tuple[int, int] | None = None,
        rate: float | None = None,
        fourcc: str | None = None,
    ) -> None:
        self._spec, self._asked = spec, (size, rate, fourcc)
        linux = sys.platform.startswith("linux")
        target = int(spec) if spec.isdigit() else spec
        super().__init__(target, backend=cv2.CAP_V4L2 if linux else cv2.CAP_ANY)
        self.name = f"camera {spec}"
        if not self._opened:
            raise CameraError(f"{self.name} cannot be opened: {_advice(spec)}")
        self._lasting = _lasting_name(spec)
        self._ask(size, rate, fourcc)
        self.size, self.rate = self._granted_size(), self._granted_rate()
        self.fourcc = _text(int(self._capture.get(cv2.CAP_PROP_FOURCC)))
        self.detail = self._compare_with(size, rate, fourcc)

    def again(self) -> Self:
        """Opened anew, under its lasting name: an unplugged camera may come back as another index."""
        spec = self._lasting if self._lasting is not None and os.path.exists(self._lasting) else self._spec
        size, rate, fourcc = self._asked
        return type(self)(spec, size=size, rate=rate, fourcc=fourcc)

    def _ask(self, size: tuple[int, int] | None, rate: float | None, fourcc: str | None) -> None:
        # One frame in the driver's queue, where the driver obeys: older ones are stale.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if fourcc is None and size is not None and size[0] * size[1] > _VGA:
            fourcc = "MJPG"  # uncompressed, USB 2 carries 1280x720 at 10 frames a second at most
        if fourcc is not None:  # first: the sizes and rates on offer depend on it
            self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*fourcc))
        if size is not None:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        if rate is not None:
            self._capture.set(cv2.CAP_PROP_FPS, rate)

    def _compare_with(self, size: tuple[int, int] | None, rate: float | None, fourcc: str | None) -> str:
        granted = f"{describe(self.size, self.rate)} {self.fourcc}".rstrip()
        wishes = [
            f"{size[0]}x{size[1]}" if size is not None else "",
            f"{rate:.4g} fps" if rate is not None else "",
            fourcc or "",
        ]
        asked = ", ".join(wish for wish in wishes if wish)
        return f"asked for {asked}; granted {granted}" if asked else granted


def check_fourcc(code: str | None) -> None:
    """A FOURCC is four printable characters, such as MJPG or YUYV."""
    if code is not None and not _FOURCC.match(code):
        raise BadValueError(f"`--fourcc` (={code}) must be four characters, such as MJPG or YUYV.")


def _text(code: int) -> str:
    letters = code.to_bytes(4, "little", signed=code < 0)
    return letters.decode("ascii").strip() if code > 0 and letters.isascii() else ""


def _lasting_name(spec: str) -> str | None:
    """The name by which a Linux camera keeps its place when it is plugged in again."""
    node = f"/dev/video{spec}" if spec.isdigit() else spec
    if spec.startswith(str(_BY_ID)):
        return spec
    for link in sorted(_BY_ID.glob("*")) if _BY_ID.is_dir() else ():
        if os.path.realpath(link) == os.path.realpath(node):
            return str(link)
    return None


def _advice(spec: str) -> str:
    """What to try when a camera does not open, from what is on this machine."""
    found = sorted(str(p) for p in Path("/dev").glob("video*"))
    if not found:
        return (
            "this machine shows no camera (no /dev/video*); plug one in, or try --source demo, "
            "a video file, or a URL."
        )
    here = f"cameras here: {', '.join(found)}"
    node = f"/dev/video{spec}" if spec.isdigit() else spec
    if not os.path.exists(node):
        return f"there is no {node}; {here}."
    if not os.access(node, os.R_OK | os.W_OK):
        return f"no permission for {node}; join its group: sudo usermod -aG video $USER."
    return f"it may be in use by another program, or be a node without pictures; {here}."
