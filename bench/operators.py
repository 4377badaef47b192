"""Where an engine spends a frame's time, operator by operator; never while timing, as it slows the engine."""

from __future__ import annotations

import bisect
import json
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from numpy.typing import NDArray

from dae_edge.bench.alone import Frame, Operators
from dae_edge.bench.engines import onnx_session, openvino_request
from dae_edge.bench.record import Operator
from dae_edge.errors import ModelLoadError
from dae_edge.manifest import Manifest
from dae_edge.runtime import Denoiser, load
from dae_edge.runtime.engine import Tensors

WARM_UP = 3  # frames that are not counted
FRAMES = 12

Spent = Iterable[tuple[int, str, float]]  # number of the frame, operator, milliseconds


def profile(path: Path, engine: str, threads: int, frames: list[Frame]) -> Operators:
    """Milliseconds a frame by kind of operator, slowest first.

    Raises `ModelLoadError` with the reason where the engine has no such profile.
    """
    if engine not in _PROFILES:
        raise ModelLoadError(_SILENT.get(engine, f"{engine} has no profile by operator"))
    manifest = load(path, threads=threads).manifest
    frame_by_frame: dict[str, list[float]] = defaultdict(lambda: [0.0] * FRAMES)
    calls: dict[str, int] = defaultdict(int)
    for number, name, spent in _PROFILES[engine](path, threads, manifest, frames):
        frame_by_frame[name][number] += spent
        calls[name] += 1
    # The median, so that a slow moment of the machine is not taken for a slow operator.
    ms = {name: statistics.median(spent) for name, spent in frame_by_frame.items()}
    whole = sum(ms.values()) or 1.0
    found = [Operator(name, ms[name], ms[name] / whole, calls[name] / FRAMES) for name in ms]
    return [asdict(one) for one in sorted(found, key=lambda one: -one.ms)]


class _Engine:
    """An engine for `Denoiser` around a session that profiles."""

    name = "profile"

    def __init__(self, manifest: Manifest, run: Callable[[Mapping[str, NDArray[Any]]], Tensors]) -> None:
        self.manifest, self._run = manifest, run

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> Tensors:
        return self._run(feeds)


def _onnxruntime(path: Path, threads: int, manifest: Manifest, frames: list[Frame]) -> Spent:
    with TemporaryDirectory() as folder:
        session = onnx_session(path, threads, profile_to=Path(folder) / "profile")
        names = [output.name for output in session.get_outputs()]

        def run(feeds: Mapping[str, NDArray[Any]]) -> Tensors:
            return dict(zip(names, session.run(None, dict(feeds)), strict=True))

        denoise = Denoiser(_Engine(manifest, run))
        for index in range(WARM_UP + FRAMES):
            denoise(frames[index % len(frames)])
        events = json.loads(Path(session.end_profiling()).read_text())
    starts = sorted(event["ts"] for event in events if event.get("name") == "model_run")
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            number = bisect.bisect_right(starts, event["ts"]) - 1 - WARM_UP
            if number >= 0:
                yield number, event["args"]["op_name"], event["dur"] / 1000


def _openvino(path: Path, threads: int, manifest: Manifest, frames: list[Frame]) -> Spent:
    request = openvino_request(path, threads, profile=True)

    def run(feeds: Mapping[str, NDArray[Any]]) -> Tensors:
        out = request.infer(dict(feeds))
        return {name: out[port].copy() for port in out for name in port.names}

    denoise = Denoiser(_Engine(manifest, run))
    for index in range(WARM_UP + FRAMES):
        denoise(frames[index % len(frames)])
        for node in request.profiling_info if index >= WARM_UP else ():
            if node.real_time:
                yield index - WARM_UP, node.node_type, node.real_time.total_seconds() * 1000


_PROFILES: dict[str, Callable[[Path, int, Manifest, list[Frame]], Spent]] = {
    "onnxruntime": _onnxruntime,
    "openvino": _openvino,
}
_SILENT = {
    "litert": "LiteRT's Python interface has no profile by operator; its own tool has: "
    "benchmark_model --enable_op_profiling"
}
