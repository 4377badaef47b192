"""From what a person types to a source."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from dae_edge.camera.sources.address import is_stream
from dae_edge.camera.sources.demo import DemoCamera
from dae_edge.camera.sources.device import CameraDevice, check_fourcc
from dae_edge.camera.sources.files import PictureFolder, VideoFile
from dae_edge.camera.sources.simulated import Simulated
from dae_edge.camera.sources.source import Source
from dae_edge.camera.sources.stream import Stream
from dae_edge.errors import BadValueError

_DEMOS = ("demo", "demo-still")
_HEAR = 0.2  # seconds between two looks for a signal


def is_live(spec: str) -> bool:
    """Whether `spec` names a source with a time of its own, and not a file or a folder."""
    return _is_device(spec) or is_stream(spec) or _is_demo(spec)


def _is_device(spec: str) -> bool:
    return spec.isdigit() or spec.startswith("/dev/")


def _is_demo(spec: str) -> bool:
    return spec.partition(":")[0] in _DEMOS


def open_source(
    spec: str,
    *,
    size: tuple[int, int] | None = None,
    rate: float | None = None,
    fourcc: str | None = None,
    simulate: str | None = None,
    seed: int = 0,
) -> Source:
    """Open "0", "/dev/video0", a video, a folder of pictures, a URL, or "demo[-still][:PRESET]".

    size:     (width, height) asked of a camera or drawn by the demo
    rate:     frames a second, likewise; of a folder, the pace
    fourcc:   the pixel format asked of a camera, such as "MJPG"
    simulate: a sensor preset; the source's frames are taken as clean scenes and made noisy

    Ctrl-C ends the waiting for a camera or a stream that does not answer.

    Raises `CameraError` where a camera or stream cannot be opened, `MediaError` for files,
    `BadValueError` for a wish that the source cannot grant.
    """
    if _is_demo(spec) and simulate is not None:
        raise BadValueError("`--simulate` is for clean sources; the demo is noisy already: demo:PRESET.")
    source: Source
    if _is_demo(spec):
        _refuse(spec, "--fourcc", fourcc)
        kind, _, name = spec.partition(":")
        return DemoCamera(name or "dark", size=size, rate=rate, seed=seed, still=kind == "demo-still")
    if _is_device(spec):
        check_fourcc(fourcc)
        source = _interruptible(lambda: CameraDevice(spec, size=size, rate=rate, fourcc=fourcc))
    else:
        _refuse(spec, "--fourcc", fourcc)
        _refuse(spec, "--size", size)
        if Path(spec).is_dir():
            source = PictureFolder(Path(spec), rate=rate)
        else:
            _refuse(spec, "--fps", rate)
            source = _interruptible(lambda: Stream(spec)) if is_stream(spec) else VideoFile(Path(spec))
    return Simulated(source, simulate, seed=seed) if simulate is not None else source


def _interruptible(call: Callable[[], Source]) -> Source:
    """Make `call` in another thread: inside a driver the main one would not hear Ctrl-C."""
    done: Future[Source] = Future()

    def run() -> None:
        try:
            done.set_result(call())
        except Exception as failure:
            done.set_exception(failure)

    thread = threading.Thread(target=run, name="open", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_HEAR)
    return done.result()


def _refuse(spec: str, option: str, value: object) -> None:
    """An option that the source cannot honour is an error, never ignored."""
    if value is not None:
        raise BadValueError(f"`{option}` is for a camera or the demo; {spec} has its own.")
