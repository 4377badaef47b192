"""OpenCV, or one sentence that says how to get it.

The desktop wheel links against libGL, glib and xcb, which bare servers and Pi OS Lite lack.
`opencv-python` and `opencv-python-headless` hold the same `cv2`; either will do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from dae_edge.errors import OpenCVError

HEADLESS = "pip uninstall -y opencv-python && pip install opencv-python-headless"
SYSTEM_LIBRARIES = "sudo apt-get install -y libgl1 libglib2.0-0 libxcb1"


def explain(failure: ImportError) -> str:
    """One sentence that turns a failed `import cv2` into what to type."""
    if isinstance(failure, ModuleNotFoundError):
        return (
            "OpenCV is not installed: pip install opencv-python "
            "(on a machine without a display: pip install opencv-python-headless)."
        )
    return (
        f"OpenCV is installed but a system library is missing ({failure}): {SYSTEM_LIBRARIES}, "
        f"or use the wheel that needs none: {HEADLESS}."
    )


try:
    import cv2
except ImportError as failure:
    raise OpenCVError(explain(failure)) from failure

__all__ = ["cv2", "many_threaded", "single_threaded"]

_before = 0  # threads that OpenCV had outside of `single_threaded`; 0 where there is none


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Inside the block OpenCV works in the calling thread alone.

    For work of a millisecond its other threads cost more than they save: between two pieces of it they
    wait actively, on the cores that the model needs.
    """
    global _before
    outer, _before = _before, cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(_before)
        _before = outer


@contextlib.contextmanager
def many_threaded() -> Iterator[None]:
    """Inside the block, and inside of `single_threaded`, OpenCV works on its threads all the same.

    For work of many milliseconds. They are made for it and end with it. Elsewhere nothing changes: how many
    threads OpenCV has is for the whole process to say.
    """
    if not _before:
        yield
        return
    cv2.setNumThreads(_before)
    try:
        yield
    finally:
        cv2.setNumThreads(1)
