"""What a runtime really does with a file, once it has rewritten the graph to its liking."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import onnx
import onnxruntime

from dae_edge.export.graph import CONVOLUTIONS

_BYTES = {"QLinearConv", "QLinearMatMul", "QGemm", "ConvInteger", "MatMulInteger", "DynamicQuantizeMatMul"}
_FLOATS = {"Conv", "FusedConv", "ConvTranspose", "Gemm", "FusedGemm", "MatMul", "FusedMatMul"}


def by_onnxruntime(content: bytes) -> str:
    """How many of its convolutions and dense layers onnxruntime runs in 8 bits, branches' included."""
    with tempfile.TemporaryDirectory() as folder:
        optimised = Path(folder) / "optimised.onnx"
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.optimized_model_filepath = str(optimised)
        onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        kinds = [node.op_type for node in nodes(onnx.load(optimised).graph)]
    eight = sum(kind in _BYTES for kind in kinds)
    return f"{eight}/{eight + sum(kind in _FLOATS for kind in kinds)} int8"


def nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """All of them, those inside of branches too."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from nodes(attribute.g)


def by_litert(content: bytes) -> str:
    """How many of its convolutions and dense layers LiteRT gives to XNNPACK, in how many pieces."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    operators = interpreter._get_ops_details()
    delegates = [operator for operator in operators if operator["op_name"] == "DELEGATE"]
    taken = {int(tensor) for delegate in delegates for tensor in delegate["inputs"]}
    # A layer belongs to the delegate that reads its weights, which are its second input.
    layers = [operator for operator in operators if operator["op_name"] in CONVOLUTIONS]
    inside = sum(int(layer["inputs"][1]) in taken for layer in layers)
    parts = f", {len(delegates)} parts" if len(delegates) != 1 else ""
    return f"{inside}/{len(layers)} XNNPACK{parts}"
