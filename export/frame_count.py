"""The frames that the memory stands on, in floats of an 8-bit graph: `models.parts.frames_stood_on`."""

from __future__ import annotations

from dae_edge.export.onnx_graph import Graph
from dae_edge.models.parts import CUT, MEMORY, NO_CUT


def frames_stood_on(graph: Graph, count: str, still: str) -> str:
    """`count` (1, ...) of the frame before, and `still` as it: the count with this frame."""
    one = graph.number(1)
    kept = graph.op("Mul", still, graph.op("Min", count, graph.number(MEMORY - 1)))
    means = [graph.op("ReduceMean", planes, keepdims=0) for planes in (kept, count)]
    share = graph.op("Div", graph.op("Add", one, means[0]), graph.op("Max", means[1], one))
    above = graph.op("Mul", graph.op("Sub", share, graph.number(CUT)), graph.number(1 / (NO_CUT - CUT)))
    stays = graph.op("Clip", above, graph.number(0), one)
    return graph.op("Add", one, graph.op("Mul", kept, stays))
