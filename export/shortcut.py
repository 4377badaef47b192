"""A convolution beside a short cut, in an 8-bit graph."""

from __future__ import annotations

from dae_edge.export.calibrated import Calibrated
from dae_edge.export.onnx_graph import Bytes, Graph


def beside(
    graph: Graph, network: Calibrated, x: Bytes, inner: Bytes, name: str, after: str, dilation: int = 1
) -> Bytes:
    """ReLU of `x` and what the convolution `name` makes of `inner`, or of `x`, for the layer `after`."""
    weights, step, known = network.weights(name), network.signed_scale(name), network.moments(name)
    more = graph.convolution(inner, *weights, step, 128, dilation=dilation, seen=known)
    return graph.add(x, more, network.relu_scale(f"{after} in"))
