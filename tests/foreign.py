"""Model files that `dae-edge export` did not make, a few operators each."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

F32 = TensorProto.FLOAT


def weights(name: str = "w", location: str = "") -> TensorProto:
    """(2, 3, 3, 3) float32; stored in another file where `location` names one."""
    tensor = numpy_helper.from_array(np.ones((2, 3, 3, 3), np.float32), name)
    if location:
        onnx.external_data_helper.set_external_data(tensor, location)
        tensor.ClearField("raw_data")
    return tensor


def onnx_model(
    initializers: list[Any] | None = None, nodes: list[Any] | None = None, **metadata: str
) -> onnx.ModelProto:
    """`x`, (1, 3, H, W) float32, through one convolution."""
    graph = helper.make_graph(
        nodes or [helper.make_node("Conv", ["x", "w"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", F32, [1, 3, "H", "W"])],
        [helper.make_tensor_value_info("y", F32, None)],
        [weights()] if initializers is None else initializers,
    )
    model = helper.make_model(graph, producer_name="somebody", opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, metadata)
    return model


def tflite_model(**changes: Any) -> bytes:
    """`x`, (1, 8, 8, 3) float32, through one convolution with int8 weights; `changes` go to the root."""
    model = schema.ModelT()
    model.version, model.description = 3, "somebody"
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    model.operatorCodes = [code]
    model.buffers = [schema.BufferT(), schema.BufferT()]
    model.buffers[1].data = np.ones(54, np.uint8)
    graph = schema.SubGraphT()
    graph.tensors = [
        _tensor("x", [1, 8, 8, 3], schema.TensorType.FLOAT32, 0),
        _tensor("w", [2, 3, 3, 3], schema.TensorType.INT8, 1),
        _tensor("y", [1, 8, 8, 2], schema.TensorType.FLOAT32, 0),
    ]
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = [0, 1, -1], [2]
    graph.operators, graph.inputs, graph.outputs = [operator], [0], [2]
    model.subgraphs = [graph]
    for name, value in changes.items():
        setattr(model, name, value)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(name: str, shape: list[int], type: int, buffer: int) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, shape, type, buffer
    return tensor
