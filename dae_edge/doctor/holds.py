"""Which shipped model this machine holds, at which size and rate: measured, not guessed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dae_edge.bench import machine
from dae_edge.runtime import Denoiser, load
from dae_edge.runtime.load import FAMILY, SHIPPED

Frame = NDArray[np.uint8]

SIZES = ((640, 480), (1280, 720), (1920, 1080))
RATES = (60, 30, 24, 15)  # frames a second that cameras give
LOOP_MS = 3.0 / (1280 * 720)  # milliseconds a pixel that the loop itself may take beside the denoiser
_FRAMES = 4  # different ones, run round and round
_WARM_UP = 3
_LEAST = 8  # frames, so that a percentile means something; a slow machine then takes longer


@dataclass(frozen=True)
class Held:
    """One model at one size: milliseconds a frame, and the highest of `RATES` it holds, None for none."""

    model: str
    size: tuple[int, int]
    p50: float
    p95: float
    rate: int | None

    def figures(self) -> dict[str, object]:
        return {
            "model": self.model,
            "size": list(self.size),
            "p50_ms": round(self.p50, 2),
            "p95_ms": round(self.p95, 2),
            "holds_fps": self.rate,
        }


def measure(
    seconds: float,
    threads: int,
    *,
    sizes: tuple[tuple[int, int], ...] = SIZES,
    models: dict[str, Path] | None = None,
) -> tuple[list[Held], bool]:
    """Each shipped 8-bit model at each size, in `seconds` all together; and whether the machine was busy."""
    watch = machine.Watch()
    chosen = models or {name: SHIPPED[name] for name in FAMILY}
    each = seconds / (len(chosen) * len(sizes))
    held = []
    for name, path in chosen.items():
        denoise = load(path, threads=threads)
        for size in sizes:
            with watch.on():
                times = _time(denoise, size, each)
            p50, p95 = (float(np.percentile(times, share)) for share in (50, 95))
            held.append(Held(name, size, p50, p95, highest_rate(p95, size)))
    return held, bool(watch.doubts())


def highest_rate(p95: float, size: tuple[int, int]) -> int | None:
    """The highest camera rate whose frames all but one in twenty are denoised in time."""
    taken = p95 + LOOP_MS * size[0] * size[1]
    return next((rate for rate in RATES if taken <= 1000 / rate), None)


def _time(denoise: Denoiser, size: tuple[int, int], seconds: float) -> list[float]:
    """Milliseconds of each frame for so long, the making of the frames and the first ones left out."""
    until = time.perf_counter() + seconds
    random = np.random.default_rng(0)
    base = random.normal(60, 25, size=(size[1], size[0], 3))  # dark and noisy; what it shows costs nothing
    frames = [np.clip(np.roll(base, index, axis=1), 0, 255).astype(np.uint8) for index in range(_FRAMES)]
    for frame in frames[:_WARM_UP]:
        denoise(frame)
    times: list[float] = []
    while time.perf_counter() < until or len(times) < _LEAST:
        began = time.perf_counter()
        denoise(frames[len(times) % _FRAMES])
        times.append(1000 * (time.perf_counter() - began))
    return times
