"""Where an engine spends a frame's time, operator by operator; never while timing, as it slows the engine."""

from __future__ import annotations

import json
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

Spent = Iterable[tuple[str, float]]  # operator, milliseconds


def profile(path: Path, engine: str, threads: int, frames: list[Frame]) -> Operators:
    """Milliseconds a frame by kind of operator, slowest first.

    Raises `ModelLoadError` with the reason where the engine has no such profile.
    """
    if engine not in _PROFILES:
        raise ModelLoadError(f"{_SILENT.get(engine, engine)} has no profile by operator")
    manifest = load(path, threads=threads).manifest
    ms, calls = defaultdict[str, float](float), defaultdict[str, int](int)
    for name, spent in _PROFILES[engine](path, threads, manifest, frames):
        ms[name] += spent / FRAMES
        calls[name] += 1
    whole = sum(ms.values())
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
    runs = sorted(event["ts"] for event in events if event.get("name") == "model_run")
    for event in events:
        if (
            event.get("cat") == "Node"
            and event["name"].endswith("_kernel_time")
            and event["ts"] >= runs[WARM_UP]
        ):
            yield event["args"]["op_name"], event["dur"] / 1000


def _openvino(path: Path, threads: int, manifest: Manifest, frames: list[Frame]) -> Spent:
    request = openvino_request(path, threads, profile=True)

    def run(feeds: Mapping[str, NDArray[Any]]) -> Tensors:
        out = request.infer(dict(feeds))
        return {name: out[port].copy() for port in out for name in port.names}

    denoise = Denoiser(_Engine(manifest, run))
    for index in range(WARM_UP + FRAMES):
        denoise(frames[index % len(frames)])
        if index >= WARM_UP:
            for node in request.profiling_info:
                if node.real_time:
                    yield node.node_type, node.real_time.total_seconds() * 1000


_PROFILES: dict[str, Callable[[Path, int, Manifest, list[Frame]], Spent]] = {
    "onnxruntime": _onnxruntime,
    "openvino": _openvino,
}
_SILENT = {"litert": "LiteRT's Python interface (its own tool does: benchmark_model --enable_op_profiling)"}
