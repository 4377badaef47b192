"""The camera's code in an 8-bit graph: `models.camera` on the frame's bytes, a few floats behind it."""

from __future__ import annotations

import numpy as np

from dae_edge.export.calibrated import Array
from dae_edge.export.lowlight_weights import Network
from dae_edge.export.onnx_graph import Bytes, Graph
from dae_edge.models.camera import APART, FILTERS, LOUDEST, MIDDLE, QUIETEST, TAPS


def camera_code(graph: Graph, network: Network, frame: str) -> str:
    """(1, H, W, 3) bytes -> (code,) float.

    Blocks' bands and the filters over them are one convolution over pixels. The byte's ends cut off what is
    louder than `LOUDEST`.
    """
    kernel = _over_pixels(network.transform / 255, network.kernel("texture"))
    none = np.zeros(FILTERS, np.float32)
    texture = graph.convolution(Bytes(frame), kernel, none, LOUDEST / 127, 128, strides=2 * APART)
    loud = graph.op("Abs", graph.dequantize(texture))
    strength = graph.op(
        "Add", graph.op("ReduceMean", loud, axes=[0, 1, 2], keepdims=0), graph.number(QUIETEST)
    )
    logarithm = graph.op("Sub", graph.op("Log", strength), graph.number(MIDDLE))
    kernel, bias = network.code
    mixed = graph.op("MatMul", logarithm, graph.constant(kernel))
    return graph.op("Relu", graph.op("Add", mixed, graph.constant(bias)))


def numbers(graph: Graph, code: str, kernel: Array, step: float) -> Bytes:
    """(code,) times (code, F) -> (1, 1, 1, F) bytes around 128."""
    told = graph.op("MatMul", code, graph.constant(kernel.astype(np.float32)))
    return graph.quantize(graph.reshape(told, 1, 1, 1, -1), step, 128)


def _over_pixels(transform: Array, kernel: Array) -> Array:
    """(12 pixels, 12 bands) and (3, 3, 12 bands, F) -> (6, 6, 3, F)."""
    blocks = np.einsum("pb,ijbf->ijpf", transform, kernel)
    whole = blocks.reshape(TAPS, TAPS, 2, 2, 3, -1).transpose(0, 2, 1, 3, 4, 5)
    return whole.reshape(2 * TAPS, 2 * TAPS, 3, -1).astype(np.float32)
