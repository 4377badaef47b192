"""The figures against other clocks: a short loop of one's own, LiteRT's tool, and a model of known length.

What compares two timings skips with the reason where the machine is too noisy to say.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from dae_edge.bench.here import Here, Loaded
from dae_edge.bench.latency import File, Playback, bench
from dae_edge.bench.record import Row, Settings
from dae_edge.bench.turns import Taken, turn
from dae_edge.manifest import Manifest, Tensor
from dae_edge.runtime import Denoiser
from dae_edge.runtime.load import SHIPPED

pytestmark = pytest.mark.slow

TOGETHER = 0.10
TRIES = 5


def measured(path: Path, engine: str, size: tuple[int, int]) -> Row:
    record = bench(
        [File(path, engine)], Here(), Settings(seconds=2), threads=[1], sizes=[size], limits=False
    )  # fmt: skip
    return record.rows[0]


class Spinning:
    """An engine that is busy for a known time."""

    name = "spinning"

    def __init__(self, seconds: float) -> None:
        frame = Tensor("frame", (1, "H", "W", 3), "BGR")
        self.manifest = Manifest("spinning", "onnx-fp32", frame, Tensor("denoised", (1, "H", "W", 3), "BGR"))
        self._seconds = seconds

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        until = time.perf_counter() + self._seconds
        while time.perf_counter() < until:
            pass
        return {"denoised": feeds["frame"]}


def test_the_benchmark_adds_less_than_two_percent_to_five_milliseconds() -> None:
    frames = Here().clip((1280, 720), 3).noisy
    task, taken = Playback(Loaded(Denoiser(Spinning(0.005))), frames), Taken()
    for _ in range(5):
        turn(task, taken, seconds=0.5, warm_frames=5, warm_seconds=0)
    # The fastest frame is the one that nothing else on the machine held up.
    fastest = min(map(min, taken.turns))
    print(f"{100 * (fastest / 5 - 1):.2f} % at best, {100 * (taken.median / 5 - 1):.2f} % in the middle")
    assert 5 <= fastest < 5.1


def test_a_loop_of_fifteen_lines_says_the_same() -> None:
    """onnxruntime alone, zeros kept as state, no code of ours."""
    width, height = 640, 480
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(SHIPPED["lowlight"], options)
    frame = Here().clip((width, height), 3).noisy[0][None]
    feeds = {
        "frame": frame,
        "state_average": np.zeros((1, 12, height // 2, width // 2), np.float32),
        "state_count": np.zeros((1, 1, height // 2, width // 2), np.float32),
    }

    def loop(seconds: float) -> float:
        times = []
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            began = time.perf_counter()
            _, feeds["state_average"], feeds["state_count"] = session.run(
                ["denoised", "state_average_next", "state_count_next"], feeds
            )
            times.append(1000 * (time.perf_counter() - began))
        return statistics.median(times)

    agree(
        lambda: statistics.median(loop(0.4) for _ in range(5)),
        SHIPPED["lowlight"],
        "onnxruntime",
        (width, height),
    )


def test_litert_s_own_tool_says_the_same(tiny_tflite: Path, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert.tools.benchmark_litert_model")

    def tool() -> float:
        found = tmp_path / "tool.json"
        subprocess.run(
            [sys.executable, "-m", "ai_edge_litert.tools.benchmark_litert_model", "--model", tiny_tflite,
             "--num_runs", "1000", "--warmup_runs", "50", "--num_threads", "1", "--result_json", found],
            check=True, capture_output=True,
        )  # fmt: skip
        print(found.read_text())
        return float(json.loads(found.read_text())["latency"]["median_ms"])

    agree(tool, tiny_tflite, "litert", (80, 60))


def agree(other: Any, path: Path, engine: str, size: tuple[int, int]) -> None:
    """Within 10 %, in the best of a few tries: whatever else runs can only drive the two apart."""
    apart, noisy = [], []
    for _ in range(TRIES):
        before = other()
        row = measured(path, engine, size)
        after = other()
        assert row.times is not None, row.problem
        apart.append(row.times.median / statistics.mean((before, after)) - 1)
        noisy += row.noisy
        print(f"ours {row.times.median:.2f} ms, theirs {before:.2f} and {after:.2f} ms; {row.noisy}")
        if abs(apart[-1]) <= TOGETHER:
            return
    if len(noisy) >= TRIES:
        pytest.skip(f"the machine is too noisy to say: {noisy[-1]}")
    pytest.fail(f"they never came within 10 %: {[f'{share:+.0%}' for share in apart]}")
