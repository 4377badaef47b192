"""The camera's code in an 8-bit graph: `models.camera` on the frame's bytes, a few floats behind it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.export.block_planes import Heights
from dae_edge.export.calibrated import Array, Calibrated
from dae_edge.export.lowlight_weights import Network
from dae_edge.export.moments import Moments
from dae_edge.export.onnx_graph import FLOAT, Bytes, Graph
from dae_edge.models.camera import FILTERS, FINEST, LOUDEST, MIDDLE, QUIETEST, TAPS
from dae_edge.models.lowlight import STRIDE

_SIDE = 2 * TAPS  # in pixels
FAR = np.iinfo(np.int64).max  # beyond every end


def camera_code(graph: Graph, network: Network, frame: str, heights: Heights) -> str:
    """(1, H, W, 3) bytes -> (code,) float.

    In whole numbers of the filters' finest weight, none of them rounded: where there is next to no noise a
    quarter of a grey level says what camera it is. Rounded to half levels, clean pictures lost 2 dB. What the
    filters see are squares side by side, so this is a product of matrices; `ConvInteger` takes twice as long.
    """
    step = FINEST / 255
    down, across = (2 * blocks for blocks in network.model.model.get_layer("texture").strides)
    corner, ends, every = graph.integers(0, 0), (FAR, _SIDE), graph.integers(down // STRIDE, 1)
    eighths = graph.reshape(frame, heights.eighth, STRIDE, -1)
    rows = graph.op("Slice", eighths, corner, graph.integers(*ends), graph.integers(0, 1), every)
    squares = graph.transpose(graph.reshape(rows, 0, _SIDE, -1, 3 * across), 0, 2, 1, 3)  # 0: as it is
    whole = graph.op(
        "MatMulInteger",
        graph.reshape(squares, -1, _SIDE * 3 * across),
        graph.constant(_weights(network, across)),
    )
    loud = graph.op("Min", graph.op("Abs", graph.op("Cast", whole, to=FLOAT)), graph.number(LOUDEST / step))
    mean = graph.op("Mul", mean_of_rows(graph, loud), graph.number(step))
    strength = graph.op("Add", mean, graph.number(QUIETEST))
    logarithm = graph.op("Sub", graph.op("Log", strength), graph.number(MIDDLE))
    return code_of(graph, logarithm, *network.code)


def code_of(graph: Graph, heard: str, kernel: Array, bias: Array) -> str:
    """(n,) float -> (code,) float: a layer with a ReLU, `kernel` (n, code) and `bias` (code,)."""
    mixed = graph.op("MatMul", heard, graph.constant(kernel))
    return graph.op("Relu", graph.op("Add", mixed, graph.constant(bias)))


def mean_of_rows(graph: Graph, x: str) -> str:
    """(n, F) -> (F,), as a product of matrices: `ReduceMean` takes longer."""
    count, _ = graph.split(graph.op("Shape", x), (1, 1), 0)
    ones = graph.op("ConstantOfShape", count, value=graph.scalar(1.0))
    return graph.op("Div", graph.op("MatMul", ones, x), graph.op("Cast", count, to=FLOAT))


def row(graph: Graph, code: str, kernel: Array, step: float, like: Bytes) -> Bytes:
    """(code,) times (code, F) -> (1, 1, w, F) bytes around 128, the same all along, for `like` (1, h, w, F).

    As long as a row, as onnxruntime adds a few channels at a time seven times slower.
    """
    told = graph.op("MatMul", code, graph.constant(kernel.astype(np.float32)))
    one = graph.quantize(graph.reshape(told, 1, 1, 1, -1), step, 128)
    sides = graph.op("Mul", graph.op("Shape", like.name), graph.integers(1, 0, 1, 1))
    along = graph.op("Expand", one.name, graph.op("Max", sides, graph.integers(1, 1, 1, 1)))
    return Bytes(along, step, 128)


def told(
    graph: Graph,
    network: Calibrated,
    x: Bytes,
    name: str,
    code: str,
    first: tuple[Array, Array, Moments] | None = None,
) -> Bytes:
    """The convolution `name`, thresholds by the code, a ReLU. `first`: kernel, bias, moments for its own."""
    kernel, bias, known = first or (*network.weights(name), network.moments(name))
    how = network.told(name)
    x = graph.convolution(x, kernel, bias, how.scale, how.zero, seen=known)
    return graph.add(x, row(graph, code, -how.kernel, how.step, x), network.relu_scale(name))


def _weights(network: Network, across: int) -> NDArray[np.int8]:
    """(6 * across * 3, F), over a square's pixels instead of bands, in their finest weight."""
    blocks = np.einsum("pb,ijbf->ijpf", network.transform, network.kernel("texture"))
    pixels = blocks.reshape(TAPS, TAPS, 2, 2, 3, FILTERS).transpose(0, 2, 1, 3, 4, 5)
    pixels = np.rint(pixels.reshape(_SIDE, _SIDE, 3, FILTERS) / FINEST)
    padded = np.pad(pixels, [(0, 0), (0, across - _SIDE), (0, 0), (0, 0)])
    return padded.reshape(-1, FILTERS).astype(np.int8)
