"""OpenCV: what it was built with, and whether a window can open."""

from __future__ import annotations

import re

from dae_edge.doctor.finding import Finding
from dae_edge.errors import OpenCVError


def check() -> list[Finding]:
    """Version, V4L2, FFmpeg, window; one finding where OpenCV does not start."""
    try:
        from dae_edge.camera.sinks import window_missing
        from dae_edge.opencv import cv2
    except OpenCVError as failure:
        return [Finding("OpenCV", "does not start", "missing", str(failure))]
    build = cv2.getBuildInformation()
    why = window_missing()
    return [
        Finding("OpenCV", cv2.__version__, "fine"),
        _part(build, "V4L2", "v4l/v4l2", "cameras at /dev/video* cannot be opened"),
        _part(build, "FFmpeg", "FFMPEG", "videos and network streams cannot be read"),
        Finding("window", "opens", "fine")
        if why is None
        else Finding("window", why, "limited", "live goes on without: --output FILE, or --no-window"),
    ]


def built_with(build: str, part: str) -> bool:
    """Whether `cv2.getBuildInformation()` says YES to a part."""
    match = re.search(rf"^\s*{re.escape(part)}:\s+(\S+)", build, re.MULTILINE | re.IGNORECASE)
    return match is not None and match[1].upper() == "YES"


def _part(build: str, name: str, part: str, without: str) -> Finding:
    if built_with(build, part):
        return Finding(name, "built in", "fine")
    return Finding(name, "not built in", "missing", f"{without}; pip install --force-reinstall opencv-python")
