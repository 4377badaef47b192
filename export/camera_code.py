"""The camera's code in an 8-bit graph: `models.camera` on the frame's bytes, a few floats behind it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.export.calibrated import Array
from dae_edge.export.lowlight_weights import Network
from dae_edge.export.onnx_graph import FLOAT, Bytes, Graph
from dae_edge.models.camera import APART, FINEST, LOUDEST, MIDDLE, QUIETEST, TAPS


def camera_code(graph: Graph, network: Network, planes: str) -> str:
    """(1, 12, H/2, W/2) bytes -> (code,) float.

    In whole numbers of the filters' finest weight, none of them rounded: where there is next to no noise a
    quarter of a grey level says what camera it is. Rounded to half levels, clean pictures lost 2 dB.
    """
    step = FINEST / 255
    whole = graph.op(
        "ConvInteger",
        planes,
        graph.constant(_weights(network)),
        strides=[APART, APART],
        kernel_shape=[TAPS, TAPS],
    )
    loud = graph.op("Min", graph.op("Abs", graph.op("Cast", whole, to=FLOAT)), graph.number(LOUDEST / step))
    mean = graph.op("ReduceMean", loud, axes=[0, 2, 3], keepdims=0)
    strength = graph.op("Add", graph.op("Mul", mean, graph.number(step)), graph.number(QUIETEST))
    logarithm = graph.op("Sub", graph.op("Log", strength), graph.number(MIDDLE))
    kernel, bias = network.code
    mixed = graph.op("MatMul", logarithm, graph.constant(kernel))
    return graph.op("Relu", graph.op("Add", mixed, graph.constant(bias)))


def numbers(graph: Graph, code: str, kernel: Array, step: float) -> Bytes:
    """(code,) times (code, F) -> (1, 1, 1, F) bytes around 128."""
    told = graph.op("MatMul", code, graph.constant(kernel.astype(np.float32)))
    return graph.quantize(graph.reshape(told, 1, 1, 1, -1), step, 128)


def _weights(network: Network) -> NDArray[np.int8]:
    """(F, 12, 3, 3) int8, over pixels instead of bands, in their finest weight."""
    over_pixels = np.einsum("pb,ijbf->fpij", network.transform, network.kernel("texture"))
    return np.rint(over_pixels / FINEST).astype(np.int8)
