"""Ask one camera what it can do: `python -m dae_edge.doctor.probe /dev/video0`, one line of JSON.

Run in a process of its own, since a broken driver can hold whoever asks for ever.
Source of numbers and layouts: Linux, include/uapi/linux/videodev2.h.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any

Ioctl = Callable[[int, int, bytearray], object]

_QUERYCAP, _ENUM_FMT = 0x80685600, 0xC0405602
_ENUM_FRAMESIZES, _ENUM_FRAMEINTERVALS = 0xC02C564A, 0xC034564B
_VIDEO_CAPTURE, _VIDEO_CAPTURE_MPLANE, _DEVICE_CAPS = 0x1, 0x1000, 0x80000000
_DISCRETE = 1
_MANY = 64  # entries of a list, beyond which a driver does not end it


def describe(handle: int, ioctl: Ioctl) -> dict[str, Any]:
    """Driver, whether it captures pictures, and its formats with their sizes and rates."""
    answer = bytearray(104)
    ioctl(handle, _QUERYCAP, answer)
    all_of, own = struct.unpack_from("<II", answer, 84)
    able = own if all_of & _DEVICE_CAPS else all_of
    capture = bool(able & (_VIDEO_CAPTURE | _VIDEO_CAPTURE_MPLANE))
    kind = 1 if able & _VIDEO_CAPTURE else 9
    found: dict[str, Any] = {"driver": _text(answer[:16]), "capture": capture}
    if capture:
        found["formats"] = [
            {
                "code": struct.pack("<I", code).decode("ascii", "replace").strip(),
                "sizes": _sizes(handle, ioctl, code),
            }
            for code in _formats(handle, ioctl, kind)
        ]
    return found


def _text(raw: bytes | bytearray) -> str:
    return bytes(raw).split(b"\0")[0].decode("utf-8", "replace")


def _listed(handle: int, ioctl: Ioctl, request: int, size: int, *head: int) -> Iterator[bytearray]:
    """The entries of one of V4L2's lists: asked by index until the driver says no."""
    for index in range(_MANY):
        entry = bytearray(size)
        struct.pack_into(f"<{1 + len(head)}I", entry, 0, index, *head)
        try:
            ioctl(handle, request, entry)
        except OSError:
            return
        yield entry


def _formats(handle: int, ioctl: Ioctl, kind: int) -> Iterator[int]:
    for entry in _listed(handle, ioctl, _ENUM_FMT, 64, kind):
        yield struct.unpack_from("<I", entry, 44)[0]


def _sizes(handle: int, ioctl: Ioctl, code: int) -> list[dict[str, Any]]:
    """Each size; of a range of sizes the largest."""
    found = []
    for entry in _listed(handle, ioctl, _ENUM_FRAMESIZES, 44, code):
        discrete = struct.unpack_from("<I", entry, 8)[0] == _DISCRETE
        width, height = struct.unpack_from("<II", entry, 12)
        if not discrete:
            width, height = struct.unpack_from("<I", entry, 16)[0], struct.unpack_from("<I", entry, 28)[0]
        found.append({"width": width, "height": height, "rates": _rates(handle, ioctl, code, width, height)})
        if not discrete:
            break
    return found


def _rates(handle: int, ioctl: Ioctl, code: int, width: int, height: int) -> list[float]:
    """Frames a second; of a range the fastest."""
    found = []
    for entry in _listed(handle, ioctl, _ENUM_FRAMEINTERVALS, 52, code, width, height):
        above, below = struct.unpack_from("<II", entry, 20)
        if above:
            found.append(round(below / above, 2))
        if struct.unpack_from("<I", entry, 16)[0] != _DISCRETE:
            break
    return found


def first_frame(path: str) -> dict[str, Any] | None:
    """Size and rate that OpenCV is granted, None where no frame comes."""
    from dae_edge.opencv import cv2

    capture = cv2.VideoCapture(path)
    try:
        ok, frame = capture.read() if capture.isOpened() else (False, None)
        if not ok or frame is None:
            return None
        rate = capture.get(cv2.CAP_PROP_FPS)
        return {"width": frame.shape[1], "height": frame.shape[0], "rate": round(rate, 2)}
    finally:
        capture.release()


def probe(path: str) -> dict[str, Any]:
    """All of it."""
    import fcntl

    found: dict[str, Any] = {}
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        try:
            found = describe(handle, fcntl.ioctl)
        finally:
            os.close(handle)
    except OSError as failure:
        return {"error": f"cannot be asked: {failure.strerror}", "errno": failure.errno}
    if found["capture"]:
        found["granted"] = first_frame(path)
    return found


if __name__ == "__main__":
    print(json.dumps(probe(sys.argv[1])))
