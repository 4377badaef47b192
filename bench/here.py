"""The benchmark where the package is installed: models by `dae_edge.runtime`, clips drawn when needed."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dae_edge import __version__
from dae_edge.bench.alone import Facts, Frame, serve
from dae_edge.bench.latency import CLIP_FRAMES, Clip, Size
from dae_edge.formats import by_name
from dae_edge.runtime import Denoiser, load
from dae_edge.runtime.engine import Engine, Tensors

# The limit that a format is held against, by what its convolutions work on.
_PRECISIONS = {"float32": "fp32", "int8": "int8", "dynamic": "int8"}


class Here:
    """A `latency.Place`."""

    version = __version__
    child = (sys.executable, "-m", "dae_edge.bench.here")
    can_profile = True

    def open(self, path: Path, engine: str, threads: int) -> Loaded:
        return Loaded(load(path, engine=engine, threads=threads))  # type: ignore[arg-type]

    def clip(self, size: Size, channels: int) -> Clip:
        return _room(*size) if channels == 3 else _digits(*size)

    def psnr(self, frames: Sequence[Frame], clean: Sequence[Frame]) -> float:
        from dae_edge.metrics import psnr

        return psnr(frames, clean)


class Loaded:
    """A `Denoiser` that says where a frame's time went."""

    def __init__(self, denoise: Denoiser) -> None:
        self._denoise = denoise
        # The only look inside: a stopwatch around the engine, not around the whole call.
        self._engine = denoise._engine = _Stopwatch(denoise._engine)
        self._began = self._ended = 0.0
        manifest = denoise.manifest
        format = by_name(manifest.format)
        self.facts = Facts(
            name=manifest.name,
            format=format.name,
            precision=_PRECISIONS.get(format.activations, ""),
            channels=manifest.channels,
            size=(manifest.size[1], manifest.size[0]) if manifest.size else None,
            mac_per_pixel=manifest.mac_per_pixel,
        )

    def begin(self) -> None:
        self._denoise.reset()

    def __call__(self, frame: Frame) -> Frame:
        self._began = time.perf_counter()
        denoised = self._denoise(frame)
        self._ended = time.perf_counter()
        return denoised

    @property
    def stages(self) -> tuple[float, float, float]:
        engine = self._engine
        return engine.began - self._began, engine.ended - engine.began, self._ended - engine.ended


class _Stopwatch:
    """An engine that remembers when its last run began and ended."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.manifest = engine.name, engine.manifest
        self.began = self.ended = 0.0

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> Tensors:
        self.began = time.perf_counter()
        out = self._engine.run(feeds)
        self.ended = time.perf_counter()
        return out


@functools.lru_cache(maxsize=2)
def _room(width: int, height: int) -> Clip:
    """The demonstration room in the dark."""
    from dae_edge.scenes import Room  # here, as a child that measures memory has no use for OpenCV
    from dae_edge.sensor import SimulatedCamera, preset

    room, camera = Room(width, height), SimulatedCamera(preset("dark"))
    scenes = [room.frame(index / 30) for index in range(CLIP_FRAMES)]
    noisy = [camera.capture(scene) for scene in scenes]
    return Clip("drawn room, preset dark", noisy, [camera.clean(scene) for scene in scenes])


@functools.lru_cache(maxsize=2)
def _digits(width: int, height: int) -> Clip:
    """Drawn digits with the textbook's noise, for grey models."""
    from dae_edge.data.digits import draw_digits
    from dae_edge.data.noise import corrupt
    from dae_edge.opencv import cv2

    digits, _ = draw_digits(CLIP_FRAMES, seed=1)
    clean = [cv2.resize(digit, (width, height)).astype(np.uint8, copy=False) for digit in digits]
    random = np.random.default_rng(1)
    noisy = [corrupt(digit.astype(np.float32) / np.float32(255), 0.5, random) for digit in clean]
    return Clip("drawn digits", [np.rint(255 * picture).astype(np.uint8) for picture in noisy], clean)


if __name__ == "__main__":
    from dae_edge.bench.operators import profile

    serve(sys.argv[1], Here().open, profile)
