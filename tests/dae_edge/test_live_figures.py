"""What the loop costs and how old its frames are, at 1280x720: figures, so slow and for a quiet machine."""

from __future__ import annotations

import time

import numpy as np
import pytest

import dae_edge
from dae_edge.camera import Controls, Loop, View
from dae_edge.camera.overlay import Compose
from dae_edge.camera.sources import Shot

pytestmark = pytest.mark.slow

RATE = 30.0


class Camera:
    """Ready noisy frames of 1280x720, thirty a second, at no cost."""

    name, detail, size, rate, live = "ready frames", "", (1280, 720), RATE, True

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self._frames = [random.integers(0, 99, (720, 1280, 3), dtype=np.uint8) for _ in range(8)]
        self._count = 0
        self._begun = time.monotonic()

    def read(self) -> Shot:
        now = time.monotonic()
        self._count = max(self._count + 1, int((now - self._begun) * RATE))
        time.sleep(max(0.0, self._begun + self._count / RATE - now))
        return Shot(self._frames[self._count % 8])

    def close(self) -> None:
        pass

    def again(self) -> Camera:
        return Camera()


class Nap:
    """A denoiser that takes `seconds`, and no processor time."""

    def __init__(self, seconds: float) -> None:
        self.manifest, self.engine, self.strength = dae_edge.load("lowlight").manifest, "none", 1.0
        self._seconds = seconds

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        time.sleep(self._seconds)
        return frame

    def reset(self) -> None:
        pass


class Viewer:
    """A sink that composes the picture, as a window does."""

    def __init__(self, controls: Controls) -> None:
        self._compose = Compose(controls)

    def show(self, view: View) -> None:
        self._compose(view)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("compare", ["off", "split", "side"])
def test_the_loop_costs_at_most_three_milliseconds_a_frame_beside_the_model(compare: str) -> None:
    """Processor time of capture, hand-over, brightening and overlay, all threads together."""
    controls = Controls(compare=compare, brighten=0.5)
    loop = Loop(Camera(), Nap(0.005), controls=controls, seconds=4.0)
    before = time.process_time()
    summary = loop.run([Viewer(controls)])
    cost = 1000 * (time.process_time() - before) / summary.frames
    print(f"{compare}: {cost:.2f} ms of processor time a frame, {summary.fps:.1f} fps")
    assert cost <= 3.0


@pytest.mark.parametrize("slower", [0.5, 1.5, 3.0])
def test_a_frame_is_at_most_two_frame_times_old_when_it_is_shown(slower: float) -> None:
    """A frame time is what a frame stays on the screen: the camera's period, or the model's where that is longer."""
    controls = Controls(compare="side")
    summary = Loop(Camera(), Nap(slower / RATE), controls=controls, seconds=6.0).run([Viewer(controls)])
    frame_time = 1000 * max(1.0, slower) / RATE
    oldest = summary.ages.percentile(95)
    print(f"model {slower:g} periods: {oldest:.1f} ms old at p95, {oldest / frame_time:.2f} frame times")
    assert oldest <= 2 * frame_time
