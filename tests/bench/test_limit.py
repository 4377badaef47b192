"""The chains that show an engine's limit, and the memory's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
import pytest

from dae_edge.bench import limit
from dae_edge.bench.engines import litert_interpreter, onnx_session
from dae_edge.bench.limit import CHAINS, MACS, PRECISIONS, Chain, bandwidth
from dae_edge.bench.turns import Taken, turn


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("engine", ["onnxruntime", "litert"])
def test_a_chain_has_a_rate(engine: str, precision: str) -> None:
    chain, taken = Chain(engine, precision, 1), Taken()
    turn(chain, taken, seconds=0.02, warm_frames=1, warm_seconds=0)
    found = chain.limit(taken)
    assert (found.engine, found.precision, found.threads) == (engine, precision, 1)
    fastest = min(taken.turns[0]) / 1000
    assert found.gmacs == pytest.approx(MACS / fastest / 1e9)


def test_a_chain_costs_what_is_said() -> None:
    for path in CHAINS.glob("*.onnx"):
        graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
        shape = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim]
        convolutions = sum(node.op_type == "Conv" for node in graph.node)
        assert convolutions * math.prod(shape) * shape[1] * 9 == MACS


def test_numbers_do_not_fade_along_a_chain() -> None:
    """Zeros or denormals would be another workload."""
    for path in sorted(CHAINS.iterdir()):
        out = _run(path)
        assert 0.2 < np.mean(out != out.min()) <= 1, path.name


def _run(path: Any) -> np.ndarray:
    random = np.random.default_rng(0)
    if path.suffix == ".onnx":
        session = onnx_session(path, 1)
        given = session.get_inputs()[0]
        picture = limit._picture(given.shape, np.uint8 if "uint8" in given.type else np.float32)
        (out,) = session.run(None, {given.name: picture})
        return out
    interpreter = litert_interpreter(path, 1)
    (given,) = interpreter.get_input_details()
    low = np.iinfo(given["dtype"]).min if given["dtype"] is np.int8 else 0
    high = 127 if given["dtype"] is np.int8 else 1
    interpreter.set_tensor(given["index"], random.uniform(low, high, given["shape"]).astype(given["dtype"]))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def test_an_engine_without_a_chain_has_none() -> None:
    with pytest.raises(KeyError):
        Chain("tensorrt", "fp32", 1)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_memory_has_a_bandwidth(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    monkeypatch.setattr(limit, "_ARRAY", 2**20)
    found = bandwidth(threads)
    assert found.threads == threads
    assert found.gb_per_s > 0
