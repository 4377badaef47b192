"""TFLite with 8-bit weights and no calibration: which layers can be chosen."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from dae_edge.export.graph import CONVOLUTIONS
from dae_edge.export.picture_model import PictureModel
from dae_edge.export.tflite import to_tflite


class TFLiteDynamic:
    """8-bit weights per channel; the runtime rounds each layer's input by the range it finds in it.

    The converter takes every layer large enough to matter; those that must not lose get their
    float weights back.
    """

    def __init__(self, model: PictureModel, size: tuple[int, int]) -> None:
        self._floats = {name: data for name, _, data in _weights(_open(to_tflite(model, size)))}
        self._content = to_tflite(model, size, weights="int8")
        self.layers = tuple(
            name
            for name, tensor, _ in _weights(_open(self._content))
            if tensor.type == schema.TensorType.INT8
        )

    def make(self, floats: Collection[str] = ()) -> bytes:
        """The model with the weights of all of `layers` in 8 bits but those in `floats`."""
        if not floats:
            return self._content
        model = _open(self._content)
        for name, tensor, _ in _weights(model):
            if name in floats:
                tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
                model.buffers[tensor.buffer].data = self._floats[name]
        return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _open(content: bytes) -> Any:
    return flatbuffer_utils.convert_bytearray_to_object(bytearray(content))


def _weights(model: Any) -> list[tuple[str, Any, np.ndarray]]:
    """(name of its first output, weights' tensor, their bytes) of every layer."""
    graph, found = model.subgraphs[0], []
    for operator in graph.operators:
        if flatbuffer_utils.opcode_to_name(model, operator.opcodeIndex) in CONVOLUTIONS:
            weights = graph.tensors[operator.inputs[1]]
            name = graph.tensors[operator.outputs[0]].name.decode()
            found.append((name, weights, model.buffers[weights.buffer].data))
    return found
