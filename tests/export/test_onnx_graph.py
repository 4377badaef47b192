"""Graphs written node by node: convolutions of bytes whichever way they are laid out, and products."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from dae_edge.export.onnx_graph import FLOAT, UINT8, Bytes, Graph, columns_at_once


def result(
    frame: np.ndarray, kernel: np.ndarray, columns: int, strides: int = 1, order: list[int] | None = None
) -> np.ndarray:
    graph = Graph()
    x = Bytes(graph.input("x", UINT8, frame.shape), 1 / 255, 128)
    bias = np.linspace(-1, 1, kernel.shape[-1], dtype=np.float32)
    out = graph.convolution(x, kernel, bias, 1 / 64, 128, strides=strides, columns=columns, order=order)
    graph.output(out.name, "out", UINT8, (1, "rows", "columns", "filters"))
    session = onnxruntime.InferenceSession(graph.model("convolution").SerializeToString())
    return session.run(None, {"x": frame})[0]


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("columns", [2, 4])
def test_columns_change_nothing(random: np.random.Generator, size: int, strides: int, columns: int) -> None:
    frame = random.integers(0, 256, (1, 12, 24, 16), dtype=np.uint8)
    kernel = random.normal(0, 0.1, (size, size, 16, 8)).astype(np.float32)
    alone = result(frame, kernel, 1, strides)
    assert alone.std() > 20  # neither flat nor cut off everywhere
    assert alone.shape == (1, 12 // strides, 24 // strides, 8)
    np.testing.assert_array_equal(result(frame, kernel, columns, strides), alone)


def test_filters_of_all_columns_come_in_the_order_that_is_asked_for(random: np.random.Generator) -> None:
    frame = random.integers(0, 256, (1, 12, 24, 16), dtype=np.uint8)
    kernel = random.normal(0, 0.1, (3, 3, 16, 8)).astype(np.float32)
    order = random.permutation(16).tolist()
    pairs = result(frame, kernel, columns=1).reshape(1, 12, 12, 16)
    np.testing.assert_array_equal(result(frame, kernel, columns=2, order=order), pairs[..., order])


@pytest.mark.parametrize(("filters", "columns"), [(8, 4), (16, 2), (32, 1), (64, 1)])
def test_narrow_layers_are_widened_to_what_is_fast(filters: int, columns: int) -> None:
    assert columns_at_once(filters) == columns


def test_a_product_in_floats_rounds_nothing(random: np.random.Generator) -> None:
    given = random.integers(0, 256, (50, 4), dtype=np.uint8)
    kernel = random.integers(-3, 4, (4, 28)).astype(np.int8)
    bias = random.normal(0, 1, 28).astype(np.float32)
    graph = Graph()
    x = Bytes(graph.input("x", UINT8, given.shape), 1 / 127, 128)
    graph.output(graph.product_in_floats(x, kernel, bias), "out", FLOAT, (50, 28))
    session = onnxruntime.InferenceSession(graph.model("product").SerializeToString())
    expected = (given.astype(float) - 128) / 127 @ kernel + bias
    assert session.run(None, {"x": given})[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_channels_last_is_the_transpose(random: np.random.Generator, threads: int) -> None:
    planes = random.integers(0, 256, (16, 1000), dtype=np.uint8)
    graph = Graph()
    turned = graph.channels_last(graph.input("x", UINT8, (16, "pixels")))
    graph.output(turned, "out", UINT8, ("pixels", 16))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(graph.model("turned").SerializeToString(), options)
    np.testing.assert_array_equal(session.run(None, {"x": planes})[0], planes.T)


def test_bytes_in_floats_are_what_they_mean(random: np.random.Generator) -> None:
    given = random.integers(0, 256, (3, 8, 10), dtype=np.uint8)
    graph = Graph()
    floats = graph.in_floats(Bytes(graph.input("x", UINT8, given.shape), 1 / 4, 128), 3, 8, -1)
    graph.output(floats, "out", FLOAT, given.shape)
    session = onnxruntime.InferenceSession(graph.model("floats").SerializeToString())
    np.testing.assert_array_equal(session.run(None, {"x": given})[0], (given.astype(np.float32) - 128) / 4)
