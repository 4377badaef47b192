"""The benchmark on a device without dae-edge: models by their engine alone, clips from the pack.

`pack` joins this file with those it needs into `run.py`. Beside that lie `pack.json`, `models/`, `clips/`
and `chains/`.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dae_edge.bench.alone import Facts, Frame, serve
from dae_edge.bench.engines import litert_interpreter, onnx_session
from dae_edge.bench.latency import Clip, File, Size, bench, size_text
from dae_edge.bench.record import Record, Settings
from dae_edge.errors import DaeEdgeError

HERE = Path(__file__).parent


class There:
    """A `latency.Place`; `contents`: what pack.json holds."""

    child = (sys.executable, __file__, "--alone")
    can_profile = False

    def __init__(self, contents: dict[str, Any]) -> None:
        self._contents = contents
        self.version: str = contents["version"]

    def open(self, path: Path, engine: str, threads: int) -> Stream:
        packed = next(one for one in self._contents["models"] if one["file"] == path.name)
        facts = {
            **packed["facts"],
            "size": tuple(packed["facts"]["size"]) if packed["facts"]["size"] else None,
        }
        return Stream(_STREAMS[engine](path, threads), packed["manifest"], Facts(**facts))

    @functools.lru_cache(maxsize=2)  # noqa: B019 - there is one place in a process
    def clip(self, size: Size, channels: int) -> Clip:
        name = f"{size_text(size)}-{channels}"
        with np.load(HERE / "clips" / f"{name}.npz") as arrays:
            return Clip(self._contents["clips"][name], list(arrays["noisy"]), list(arrays["clean"]))

    def psnr(self, frames: Sequence[Frame], clean: Sequence[Frame]) -> float:
        pairs = zip(frames, clean, strict=True)
        errors = [np.square(f.astype(np.float32) - c).mean(dtype=np.float64) for f, c in pairs]
        return 10 * math.log10(255**2 / max(float(np.mean(errors)), 1e-10))


class Stream:
    """A model that remembers its clip: frame in, frame out, as its manifest says."""

    def __init__(
        self, run: Callable[[dict[str, Any]], dict[str, Any]], manifest: dict[str, Any], facts: Facts
    ):
        self._run, self._manifest, self.facts = run, manifest, facts
        self._state: dict[str, Any] = {}
        self._marks = (0.0, 0.0, 0.0, 0.0)

    def begin(self) -> None:
        self._state = {}

    def __call__(self, frame: Frame) -> Frame:
        began = time.perf_counter()
        manifest = self._manifest
        if not self._state:
            self._state = {state["name"]: self._start(state, frame) for state in manifest["states"]}
        feeds = {manifest["frame"]["name"]: frame.reshape(1, *frame.shape[:2], self.facts.channels)}
        if manifest["strength"]:
            feeds[manifest["strength"]] = np.array(1, np.float32)
        ready = time.perf_counter()
        out = self._run({**feeds, **self._state})
        ran = time.perf_counter()
        self._state = {state["name"]: out[state["next"]] for state in manifest["states"]}
        denoised: Frame = out[manifest["denoised"]["name"]].reshape(frame.shape)
        self._marks = (began, ready, ran, time.perf_counter())
        return denoised

    @property
    def stages(self) -> tuple[float, float, float]:
        began, ready, ran, ended = self._marks
        return ready - began, ran - ready, ended - ran

    def _start(self, state: dict[str, Any], frame: Frame) -> Any:
        """Its shape is in numbers, or in fractions of the sides rounded up to the network's stride."""
        stride = self._manifest["multiple"]
        sides = {"H": -(-frame.shape[0] // stride) * stride, "W": -(-frame.shape[1] // stride) * stride}
        shape = []
        for dimension in state["shape"]:
            side, _, divisor = str(dimension).partition("/")
            shape.append(sides[side] // int(divisor or 1) if side in sides else int(side))
        return np.full(shape, state["start"], state["dtype"])


def _stream_onnx(path: Path, threads: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    session = onnx_session(path, threads)
    names = [output.name for output in session.get_outputs()]
    return lambda feeds: dict(zip(names, session.run(None, feeds), strict=True))


def _stream_litert(path: Path, threads: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    runner = litert_interpreter(path, threads).get_signature_runner()
    return lambda feeds: dict(runner(**feeds))


_STREAMS: dict[str, Callable[[Path, int], Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "onnxruntime": _stream_onnx,
    "litert": _stream_litert,
}


def main() -> None:
    """`python run.py`; writes bench.json, which `dae-edge bench --import` reads."""
    contents = json.loads((HERE / "pack.json").read_text())
    place = There(contents)
    if sys.argv[1:2] == ["--alone"]:
        serve(sys.argv[2], place.open)
        return
    parser = argparse.ArgumentParser(description="Measure the models of this folder.")
    parser.add_argument("--output", type=Path, default=HERE / "bench.json", metavar="FILE", help="bench.json")
    parser.add_argument("--threads", type=int, action="append", metavar="N", help="CPU threads; repeat it")
    for name, what in (
        ("seconds", "to measure each model for, in turns"),
        ("sustained", "then run each so long without a pause"),
        ("fps", "a frame later than 1/N seconds counts as late"),
    ):
        parser.add_argument(f"--{name}", type=float, metavar="N", help=what)
    asked = parser.parse_args()
    changed = {"seconds": asked.seconds, "sustained_seconds": asked.sustained, "fps": asked.fps}
    settings = Settings(**{**contents["settings"], **{k: v for k, v in changed.items() if v is not None}})
    files = [
        File(HERE / "models" / one["file"], one["engine"], tuple(map(tuple, one["sizes"])))
        for one in contents["models"]
    ]
    try:
        record = bench(files, place, settings, threads=asked.threads or contents["threads"], say=_say)
    except DaeEdgeError as failure:
        print(f"\nerror: {failure}", file=sys.stderr)
        sys.exit(failure.exit_code)
    except KeyboardInterrupt:
        sys.exit("\nstopped.")
    asked.output.write_text(record.to_json())
    _summarize(record)
    print(f"wrote {asked.output}\nnext, where dae-edge is: dae-edge bench --import {asked.output.name}")


def _say(what: str) -> None:
    print(f"\r{what:<78.78}", end="", file=sys.stderr, flush=True)


def _summarize(record: Record) -> None:
    _say("")
    print(f"\r{record.machine.cpu}, {record.machine.cores} cores; milliseconds a frame")
    for row in record.rows:
        name = f"{row.format or row.file:<16} {row.width}x{row.height} {row.threads} threads"
        if row.times is None:
            print(f"{name}  {row.status}: {row.problem}")
        else:
            figures = f"median {row.times.median:8.2f}  p99 {row.times.p99:8.2f}"
            print(f"{name}  {figures}  {'; '.join(row.noisy)}")
    for reason in record.conditions.noisy:
        print(f"noisy: {reason}")


if __name__ == "__main__":
    main()
