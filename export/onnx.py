"""Keras -> ONNX, in floats."""

from __future__ import annotations

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from onnx import TensorProto, helper, numpy_helper

from dae_edge.export.framed import Size, framed
from dae_edge.export.graph import Node
from dae_edge.export.picture_model import NEXT, PictureModel
from dae_edge.manifest import KEY, Manifest

OPSET = 17  # tf2onnx knows none above 18; onnxruntime 1.24 and all newer run it
_WORTH_HALVING = 16  # values of a constant; below it the cast takes more room than it saves
LAYOUT = "NCHW"  # of the states: saves a pair of transposes a frame (73 against 80 ms at 1280x720)


def to_onnx(model: PictureModel, size: Size) -> onnx.ModelProto:
    """The framed model in 32-bit floats; `size` (height, width), or None for any size."""
    function, signature = framed(model, size)
    converted, _ = tf2onnx.convert.from_function(
        tf.function(function, input_signature=signature),
        input_signature=signature,
        opset=OPSET,
        inputs_as_nchw=model.states,
        outputs_as_nchw=[name + NEXT for name in model.states],
    )
    _name_free_dimensions(converted)
    return converted


def halve_weights(floats: onnx.ModelProto) -> onnx.ModelProto:
    """Weights stored in 16 bits and widened when the file is loaded; all arithmetic stays in 32.

    Few CPUs multiply 16-bit floats; what this halves is the file.
    """
    halved = onnx.ModelProto()
    halved.CopyFrom(floats)
    graph, wide = halved.graph, []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _WORTH_HALVING:
            continue
        with np.errstate(over="ignore"):
            values = numpy_helper.to_array(tensor).astype(np.float16)
        if not np.isfinite(values).all():  # more than 65504 does not fit
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values, f"{name}/half"))
        wide.append(helper.make_node("Cast", [f"{name}/half"], [name], f"{name}/widen", to=TensorProto.FLOAT))
    for index, node in enumerate(wide):
        graph.node.insert(index, node)
    return halved


def nodes(model: onnx.ModelProto) -> list[Node]:
    """The graph's operators with their data inputs, constants left out."""
    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {output for n in model.graph.node if n.op_type == "Constant" for output in n.output}
    return [
        Node(n.name, n.op_type, tuple(i for i in n.input if i and i not in constants), tuple(n.output))
        for n in model.graph.node
        if n.op_type != "Constant"
    ]


def with_manifest(model: onnx.ModelProto, manifest: Manifest) -> bytes:
    """The file's bytes, manifest in the metadata."""
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {KEY: manifest.to_json()})
    model.producer_name = "dae-edge"
    return bytes(model.SerializeToString())


def _name_free_dimensions(model: onnx.ModelProto) -> None:
    """Call the open sides what they are; tf2onnx leaves `unk__404`."""
    for value in (*model.graph.input, *model.graph.output):
        dimensions = value.type.tensor_type.shape.dim
        states = value.name.startswith("state_")
        sides = {2: "state_height", 3: "state_width"} if states else {1: "height", 2: "width"}
        for axis, name in sides.items():
            if not dimensions[axis].dim_value:
                dimensions[axis].dim_param = name
        if not dimensions[0].dim_value:
            dimensions[0].dim_value = 1
