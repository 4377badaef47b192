"""How long a frame takes: real sequences, the memory carried, nothing clipped away."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dae_edge.data.digits import draw_digits
from dae_edge.data.noise import corrupt
from dae_edge.errors import BadValueError
from dae_edge.formats import by_name
from dae_edge.metrics import psnr
from dae_edge.opencv import cv2
from dae_edge.runtime import Denoiser, load
from dae_edge.scenes import Room
from dae_edge.sensor import SimulatedCamera, preset

Frame = NDArray[np.uint8]

CLIP = 16  # frames of the sequence that is run round and round
ROUNDS = 5  # models take turns, so that a slow moment of the machine hits all of them
WARM_UP = 5  # frames before each turn is timed


@dataclass
class Measured:
    """One model's figures. Times in milliseconds a frame, whole uint8 frame in to whole frame out.

    `problem` says why there are none. A file made for one size is run at that size only.
    """

    model: str
    format: str
    engine: str
    size_kb: int = 0
    load_ms: float = 0.0
    first_ms: float = 0.0
    times: list[float] = field(default_factory=list)
    noisy_psnr: float = 0.0
    psnr: float = 0.0
    problem: str = ""

    def figures(self) -> dict[str, object]:
        """For JSON: the summary, not the single times."""
        known: dict[str, object] = {"model": self.model, "format": self.format, "engine": self.engine}
        if self.problem:
            return known | {"problem": self.problem}
        return known | {
            "size_kb": self.size_kb,
            "load_ms": self.load_ms,
            "first_ms": self.first_ms,
            "n": len(self.times),
            "p50_ms": self.percentile(50),
            "p90_ms": self.percentile(90),
            "p99_ms": self.percentile(99),
            "max_ms": self.percentile(100),
            "noisy_psnr_db": self.noisy_psnr,
            "psnr_db": self.psnr,
        }

    def percentile(self, share: float) -> float:
        return float(np.percentile(self.times, share))


def bench(
    models: Sequence[tuple[str, Path]], *, size: tuple[int, int], threads: int, seconds: float
) -> list[Measured]:
    """Measure each (name, file) at `size` (width, height) for `seconds`, taking turns.

    The quality beside it is PSNR against the clean drawn scene over the second half of the clip.
    """
    if seconds <= 0:
        raise BadValueError(f"`seconds` (={seconds}) must be greater than 0.")
    rows, running = [], []
    for name, path in models:
        began = time.perf_counter()
        denoise = load(path, threads=threads)
        manifest = denoise.manifest
        row = Measured(name, manifest.format, by_name(manifest.format).engine)
        row.load_ms = 1000 * (time.perf_counter() - began)
        row.size_kb = round(path.stat().st_size / 1024)
        rows.append(row)
        fixed = manifest.size
        if manifest.channels == 3 and fixed is not None and fixed != (size[1], size[0]):
            height, width = fixed
            row.problem = f"made for {width}x{height}: --size {width}x{height}"
            continue
        noisy, clean = _clip(*size) if manifest.channels == 3 else _digits(*(fixed or (28, 28)))
        row.first_ms = _timed(denoise, noisy[0])
        row.noisy_psnr, row.psnr = _quality(denoise, noisy, clean)
        running.append((row, denoise, noisy))
    for _ in range(ROUNDS):
        for row, denoise, noisy in running:
            row.times += _turn(denoise, noisy, seconds / ROUNDS)
    return rows


def _turn(denoise: Denoiser, frames: list[Frame], seconds: float) -> list[float]:
    for frame in frames[:WARM_UP]:
        denoise(frame)
    times: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or not times:
        times.append(_timed(denoise, frames[len(times) % len(frames)]))
    return times


def _timed(denoise: Denoiser, frame: Frame) -> float:
    began = time.perf_counter()
    denoise(frame)
    return 1000 * (time.perf_counter() - began)


def _quality(denoise: Denoiser, noisy: list[Frame], clean: list[Frame]) -> tuple[float, float]:
    """PSNR in dB of the noisy and the denoised frames, second half of the clip."""
    denoise.reset()
    denoised = [denoise(frame) for frame in noisy]
    half = len(clean) // 2
    return psnr(noisy[half:], clean[half:]), psnr(denoised[half:], clean[half:])


@functools.lru_cache(maxsize=1)
def _clip(width: int, height: int) -> tuple[list[Frame], list[Frame]]:
    """The demonstration room in the dark: noisy and clean frames."""
    room, camera = Room(width, height), SimulatedCamera(preset("dark"))
    scenes = [room.frame(index / 30) for index in range(CLIP)]
    return [camera.capture(s) for s in scenes], [camera.clean(s) for s in scenes]


def _digits(height: int, width: int) -> tuple[list[Frame], list[Frame]]:
    """Drawn digits with the textbook's noise, for grey models: noisy and clean frames."""
    digits, _ = draw_digits(CLIP, seed=1)
    clean = [cv2.resize(digit, (width, height)).astype(np.uint8, copy=False) for digit in digits]
    random = np.random.default_rng(1)
    noisy = [corrupt(digit.astype(np.float32) / np.float32(255), 0.5, random) for digit in clean]
    return [np.rint(255 * picture).astype(np.uint8) for picture in noisy], clean
