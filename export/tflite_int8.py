"""TFLite in 8 bits: which convolutions can be chosen, layer by layer."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.python.convert import mlir_quantize
from tensorflow.lite.toco import types_pb2 as types
from tensorflow.lite.tools import flatbuffer_utils

from dae_edge.export.framed import FRAME
from dae_edge.export.graph import CONVOLUTIONS, to_quantize
from dae_edge.export.picture_model import Frame, PictureModel, Tensors
from dae_edge.export.tflite import converter, nodes, to_tflite


class TFLiteInt8:
    """8-bit weights per channel, activations of 8 or 16 bits; memory, blending, last layers in float.

    The converter alone would quantize every operator, the memory's arithmetic included, and an
    8-bit memory leaves ghosts that never fade.
    """

    def __init__(
        self,
        model: PictureModel,
        size: tuple[int, int],
        examples: Iterable[tuple[Frame, Tensors]],
        *,
        wide: bool = False,
    ) -> None:
        """`wide`: activations of 16 bits."""
        self._wide = wide
        self._examples = examples
        self._nodes = nodes(to_tflite(model, size))
        self.layers = tuple(n.name for n in to_quantize(self._nodes) if n.op in CONVOLUTIONS)
        with tempfile.TemporaryDirectory() as folder:
            settings = converter(model, size, folder)
            settings.optimizations = [tf.lite.Optimize.DEFAULT]
            settings.representative_dataset = self._representative
            settings.experimental_mlir_quantizer = True
            settings._experimental_calibrate_only = True  # the only way to calibrate once, then choose
            self._calibrated = settings.convert()

    def make(self, floats: Collection[str] = ()) -> bytes:
        """The model with all of `layers` in 8 bits but those in `floats`."""
        chosen = set(to_quantize(self._nodes, floats=floats))
        if self._wide:  # not every kernel that moves numbers about knows 16 bits
            chosen = {node for node in chosen if node.op in CONVOLUTIONS}
        kept = {output for node in self._nodes if node not in chosen for output in node.outputs}
        activations = types.QUANTIZED_INT16 if self._wide else types.QUANTIZED_INT8
        made = mlir_quantize(self._calibrated, inference_type=activations, denylisted_nodes=kept)
        return _for_wide_kernels(made) if self._wide else bytes(made)

    def _representative(self) -> Iterable[dict[str, Any]]:
        for frame, states in self._examples:
            yield {FRAME: frame, **states}


def _for_wide_kernels(content: bytes) -> bytes:
    """What the kernels of 16-bit activations demand and this way of quantizing leaves out.

    Zero in the middle of every range: the quantizer means it so, but rounding leaves some at -1, a
    65,536th of the range. Biases of 64 bits: with 32, sums overflow without a word.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    tensors = model.subgraphs[0].tensors
    for tensor in tensors:
        if tensor.type == schema.TensorType.INT16:
            tensor.quantization.zeroPoint = np.zeros_like(tensor.quantization.zeroPoint)
    for operator in model.subgraphs[0].operators:
        kind = flatbuffer_utils.opcode_to_name(model, operator.opcodeIndex)
        if kind not in CONVOLUTIONS:
            continue
        given = tensors[operator.inputs[2 if kind == "TRANSPOSE_CONV" else 0]]
        bias = tensors[operator.inputs[-1]]
        if given.type == schema.TensorType.INT16 and bias.type == schema.TensorType.INT32:
            buffer = model.buffers[bias.buffer]
            values = np.frombuffer(bytes(buffer.data), np.int32).astype(np.int64)
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            bias.type = schema.TensorType.INT64
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
