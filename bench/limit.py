"""What the machine can do at most: an engine's rate on a chain of 3x3 convolutions, and the memory's.

`scripts/chains` makes the chains: eight convolutions of 64 channels on 64x64 pixels. So wide and so
little to move that arithmetic alone decides; a model's rate over this one says how well it uses the engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from dae_edge.bench.engines import litert_interpreter, onnx_session, openvino_request
from dae_edge.bench.record import Bandwidth, Limit
from dae_edge.bench.turns import Taken

CHAINS = Path(__file__).parent / "chains"
PRECISIONS = ("fp32", "int8")
MACS = 8 * 64 * 64 * 9 * 64 * 64  # of one run through a chain
_ARRAY = 64 * 2**20  # bytes; larger than the caches of nearly every machine
_COPIES = 5


class Chain:
    """A task for `turns.turn`: one run through an engine's chain, the input already in place."""

    stages = None

    def __init__(self, engine: str, precision: str, threads: int) -> None:
        """Raises ImportError where the engine is not installed, KeyError where there is no chain for it."""
        self.engine, self.precision, self.threads = engine, precision, threads
        suffix, run = _RUNS[engine]
        self._run = run(CHAINS / f"chain-{precision}{suffix}", threads)

    def begin(self) -> None:
        pass

    def step(self) -> None:
        self._run()

    def limit(self, taken: Taken) -> Limit:
        """The fastest run counts: a limit is what was reached at all."""
        fastest = min(ms for turn in taken.turns for ms in turn) / 1000
        return Limit(self.engine, self.precision, self.threads, MACS / fastest / 1e9, taken.spread)


def bandwidth(threads: int) -> Bandwidth:
    """Copying from one array to another with as many threads; bytes read plus bytes written, the fastest."""
    source, target = np.ones(_ARRAY, np.uint8), np.zeros(_ARRAY, np.uint8)
    parts = list(zip(np.array_split(source, threads), np.array_split(target, threads), strict=True))
    seconds = []
    with ThreadPoolExecutor(threads) as pool:  # numpy lets go of the interpreter while it copies
        for _ in range(_COPIES):
            began = time.perf_counter()
            list(pool.map(lambda part: np.copyto(part[1], part[0]), parts))
            seconds.append(time.perf_counter() - began)
    return Bandwidth(threads, 2 * _ARRAY / min(seconds) / 1e9)


def _onnxruntime(path: Path, threads: int) -> Callable[[], Any]:
    session = onnx_session(path, threads)
    (given,) = session.get_inputs()
    feeds = {given.name: _picture(given.shape, np.uint8 if "uint8" in given.type else np.float32)}
    return lambda: session.run(None, feeds)


def _litert(path: Path, threads: int) -> Callable[[], Any]:
    interpreter = litert_interpreter(path, threads)
    (given,) = interpreter.get_input_details()
    interpreter.set_tensor(given["index"], _picture(given["shape"], given["dtype"]))
    return lambda: interpreter.invoke()


def _openvino(path: Path, threads: int) -> Callable[[], Any]:
    request = openvino_request(path, threads)
    given = request.get_input_tensor()
    given.data[:] = _picture(given.data.shape, given.data.dtype)
    return lambda: request.infer()


def _picture(shape: Any, dtype: Any) -> np.ndarray[Any, Any]:
    random = np.random.default_rng(1)
    if dtype == np.float32:
        return random.random(tuple(shape), np.float32)
    return random.integers(0, 64, tuple(shape)).astype(dtype)


_RUNS: dict[str, tuple[str, Callable[[Path, int], Callable[[], Any]]]] = {
    "onnxruntime": (".onnx", _onnxruntime),
    "litert": (".tflite", _litert),
    "openvino": (".onnx", _openvino),
}
