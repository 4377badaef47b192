"""What leaves an 8-bit graph: as large as the frame, as strong as asked for, blended only where that is asked."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from dae_edge.export.framed import Size
from dae_edge.export.onnx_graph import FLOAT, UINT8, Graph
from dae_edge.export.whole_frame import given

PADDED = (1, 16, 24, 3)


def mixed(side: tuple[int, int], size: Size) -> onnx.ModelProto:
    """A graph of `whole` and `frame` that gives `out`."""
    graph = Graph()
    whole = graph.input("whole", UINT8, PADDED)
    frame = graph.input("frame", UINT8, (1, *side, 3))
    strength = graph.input("strength", FLOAT, (), default=1.0)
    graph.output(given(graph, whole, frame, strength, size), "out", UINT8, (1, *side, 3))
    return graph.model("mixed")


@pytest.mark.parametrize("strength", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("side", [(16, 24), (13, 24), (10, 18)])
@pytest.mark.parametrize("fixed", [True, False], ids=["one size", "any size"])
def test_it_is_cut_and_blended(
    random: np.random.Generator, fixed: bool, side: tuple[int, int], strength: float
) -> None:
    whole, frame = (random.integers(0, 256, (1, *s, 3), dtype=np.uint8) for s in (PADDED[1:3], side))
    graph = mixed(side, side if fixed else None)
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    feeds = {"whole": whole, "frame": frame, "strength": np.array(strength, np.float32)}
    expected = strength * whole[:, : side[0], : side[1]].astype(float) + (1 - strength) * frame
    assert np.abs(session.run(None, feeds)[0] - expected).max() <= 0.501
    if strength == 1:
        del feeds["strength"]
        assert (session.run(None, feeds)[0] == expected).all()


def test_at_full_strength_nothing_is_blended() -> None:
    (branches,) = (node for node in mixed((13, 24), None).graph.node if node.op_type == "If")
    kinds = {a.name: [node.op_type for node in a.g.node] for a in branches.attribute}
    assert "QLinearAdd" not in kinds["then_branch"]
    assert kinds["else_branch"].count("QLinearAdd") == 1
