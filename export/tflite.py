"""Keras -> TFLite, in floats or with its weights in fewer bits."""

from __future__ import annotations

import io
import tempfile
import zipfile
from typing import Any

import keras
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

from dae_edge.export.framed import framed
from dae_edge.export.graph import Node
from dae_edge.export.picture_model import PictureModel
from dae_edge.manifest import MEMBER, Manifest

LAYOUT = "NHWC"


def to_tflite(model: PictureModel, size: tuple[int, int], *, weights: str = "float32") -> bytes:
    """The framed model in floats; `weights` stored as "float32", "float16" or "int8".

    With 8-bit weights the runtime rounds each layer's activations by the range it finds in them.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings = converter(model, size, folder)
        if weights != "float32":
            settings.optimizations = [tf.lite.Optimize.DEFAULT]
        if weights == "float16":
            settings.target_spec.supported_types = [tf.float16]
        return bytes(settings.convert())


def nodes(content: bytes) -> list[Node]:
    """The operators of a .tflite with their data inputs, constants left out."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    graph = model.subgraphs[0]
    names = [tensor.name.decode() for tensor in graph.tensors]
    constant = [model.buffers[tensor.buffer].data is not None for tensor in graph.tensors]
    found = []
    for operator in graph.operators:
        op = flatbuffer_utils.opcode_to_name(model, operator.opcodeIndex)
        inputs = tuple(names[i] for i in operator.inputs if i >= 0 and not constant[i])
        outputs = tuple(names[o] for o in operator.outputs)
        found.append(Node(outputs[0], op, inputs, outputs))
    return found


def with_manifest(content: bytes, manifest: Manifest) -> bytes:
    """The file's bytes with the manifest as a zip at their end, which every interpreter ignores."""
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as members:
        # A fixed date: the same model gives the same bytes.
        members.writestr(zipfile.ZipInfo(MEMBER), manifest.to_json())
    return buffer.getvalue()


def converter(model: PictureModel, size: tuple[int, int], folder: str) -> Any:
    """TensorFlow's converter for the framed model; `folder` holds what it reads until it is done."""
    function, signature = framed(model, size)
    archive = keras.export.ExportArchive()
    archive.track(model.model)
    archive.add_endpoint("serving_default", function, input_signature=signature)
    archive.write_out(folder, verbose=False)
    settings = tf.lite.TFLiteConverter.from_saved_model(folder)
    # No TF select operators: what a device cannot run must fail here.
    settings.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return settings
