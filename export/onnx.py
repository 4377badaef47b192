"""Keras -> ONNX, in floats and in 8 bits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime.quantization as quantization
import tensorflow as tf
import tf2onnx

from dae_edge.export.framed import FRAME, Size, framed
from dae_edge.export.graph import Node, to_quantize
from dae_edge.export.picture_model import NEXT, Frame, PictureModel, Tensors
from dae_edge.manifest import KEY, Manifest

OPSET = 17  # tf2onnx knows none above 18; onnxruntime 1.24 and all newer run it
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


def quantize(
    floats: onnx.ModelProto, model: PictureModel, examples: Iterable[tuple[Frame, Tensors]]
) -> onnx.ModelProto:
    """8-bit convolutions: static QDQ, unsigned activations, signed weights per channel.

    Unsigned activations matter: with onnxruntime's default of signed ones, half of the
    convolutions stay in float and nothing gets faster.
    """
    chosen = to_quantize(nodes(floats))
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(floats, source)
        quantization.quantize_static(
            source,
            target,
            _Examples(examples),
            quant_format=quantization.QuantFormat.QDQ,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
            nodes_to_quantize=[node.name for node in chosen],
            calibrate_method=quantization.CalibrationMethod.MinMax,
        )
        return onnx.load(target)


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


class _Examples(quantization.CalibrationDataReader):  # type: ignore[misc]
    """Frames and states under the names and in the layout of the exported graph."""

    def __init__(self, examples: Iterable[tuple[Frame, Tensors]]) -> None:
        self._examples = iter(examples)

    def get_next(self) -> dict[str, np.ndarray] | None:
        example = next(self._examples, None)
        if example is None:
            return None
        frame, states = example
        return {FRAME: frame, **{name: state.transpose(0, 3, 1, 2) for name, state in states.items()}}


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
