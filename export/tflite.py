"""Keras -> TFLite, in floats, with 16-bit weights, and in 8 bits."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

from dae_edge.export.framed import FRAME, framed
from dae_edge.export.graph import Node, to_quantize
from dae_edge.export.picture_model import Frame, PictureModel, Tensors
from dae_edge.manifest import MEMBER, Manifest

Examples = Callable[[], Iterable[tuple[Frame, Tensors]]]
LAYOUT = "NHWC"


def to_tflite(model: PictureModel, size: tuple[int, int], *, half_weights: bool = False) -> bytes:
    """The framed model in 32-bit floats, or with its weights stored in 16 bits."""
    with tempfile.TemporaryDirectory() as folder:
        converter = _converter(model, size, folder)
        if half_weights:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def to_tflite_int8(model: PictureModel, size: tuple[int, int], examples: Examples) -> bytes:
    """8-bit convolutions, per channel; the memory, the blending and the last layers stay float.

    The converter alone would quantize every operator, the memory's arithmetic included, and an
    8-bit memory leaves ghosts that never fade.
    """

    def representative() -> Iterable[dict[str, Any]]:
        for frame, states in examples():
            yield {FRAME: frame, **states}

    with tempfile.TemporaryDirectory() as folder:
        graph = nodes(bytes(_converter(model, size, folder).convert()))
        chosen = to_quantize(graph)
        kept = [output for node in graph if node not in chosen for output in node.outputs]
        converter = _converter(model, size, folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative
        selective = tf.lite.experimental.QuantizationDebugger(
            converter=converter,
            debug_dataset=representative,
            debug_options=tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=kept),
        )
        return bytes(selective.get_nondebug_quantized_model())


def nodes(content: bytes) -> list[Node]:
    """The operators of a .tflite with their data inputs, constants left out."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    graph = model.subgraphs[0]
    names = [tensor.name.decode() for tensor in graph.tensors]
    constant = [model.buffers[tensor.buffer].data is not None for tensor in graph.tensors]
    found = []
    for index, operator in enumerate(graph.operators):
        op = flatbuffer_utils.opcode_to_name(model, operator.opcodeIndex)
        inputs = tuple(names[i] for i in operator.inputs if i >= 0 and not constant[i])
        found.append(Node(f"{op}_{index}", op, inputs, tuple(names[o] for o in operator.outputs)))
    return found


def with_manifest(content: bytes, manifest: Manifest) -> bytes:
    """The file's bytes with the manifest as a zip at their end, which every interpreter ignores."""
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as members:
        # A fixed date: the same model gives the same bytes.
        members.writestr(zipfile.ZipInfo(MEMBER), manifest.to_json())
    return buffer.getvalue()


def _converter(model: PictureModel, size: tuple[int, int], folder: str) -> Any:
    function, signature = framed(model, size)
    archive = keras.export.ExportArchive()
    archive.track(model.model)
    archive.add_endpoint("serving_default", function, input_signature=signature)
    archive.write_out(folder, verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    # No TF select operators: what a device cannot run must fail here.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter
