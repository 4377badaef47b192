"""How the file of a format is made: converted, quantized layer by layer, or written by hand."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TypeAlias

from dae_edge.errors import ExportError
from dae_edge.export import lowlight_int8, lowlight_s_int8, onnx, tflite
from dae_edge.export.calibrated import Calibrated, Ranges
from dae_edge.export.framed import STRENGTH, Size
from dae_edge.export.onnx_int8 import OnnxInt8
from dae_edge.export.openvino import OpenVINOFiles
from dae_edge.export.picture_model import Frame, PictureModel, Tensors
from dae_edge.export.tflite_dynamic import TFLiteDynamic
from dae_edge.export.tflite_int8 import TFLiteInt8
from dae_edge.formats import Format
from dae_edge.manifest import Manifest

Files: TypeAlias = dict[str, bytes]  # content by what its suffix adds: "" is the file itself
Attach: TypeAlias = Callable[[Manifest], Files]  # a converted model, waiting for its manifest
Examples: TypeAlias = Callable[[], list[tuple[Frame, Tensors]]]  # frames and states to calibrate on
Networks: TypeAlias = Callable[[Ranges], Calibrated]  # by hand, calibrated once each

# What the steps of a byte reach, for the manifest: a file with wide ones is 0.2 dB coarser where it is best.
_SPAN: dict[Ranges, str] = {
    "fine": "as wide as night scenes need",
    "edges": "as wide as hard edges need",
    "whole": "nothing cut off",
}


@dataclass(frozen=True)
class Way:
    """One way to make a file.

    make:         the model with the named layers in float and all others of `layers` in 8 bits
    layers:       those there is a choice about, by the graph's own names
    quantization: how narrow numbers are laid out, for the manifest
    strength:     name of the input that blends, "" where the file has none
    stepwise:     whether the file keeps its memory in the same numbers as Keras
    layout:       of the memory, "" for the format's own
    memory:       what it holds, where the model is `lowlight`; as the manifest has it
    """

    make: Callable[[Collection[str]], Attach]
    layers: tuple[str, ...] = ()
    quantization: str = "none"
    strength: str = ""
    stepwise: bool = True
    layout: str = ""
    memory: str = "bands"


def ways(
    model: PictureModel, format: Format, size: Size, examples: Examples, networks: Networks
) -> list[Callable[[], Way]]:
    """The ways to make `format`, best first; a later one is for models that do not hold in the first.

    size: (height, width) of the file, None for any; never None where the format has one size
    """
    if format.name == "onnx-int8":
        converted: Callable[[], Way] = lambda: _onnx_int8(model, format, size, examples)  # noqa: E731
        if hand := written_by_hand(model):
            return [*(partial(_by_hand, hand, size, networks, r) for r in hand.RANGES), converted]
        return [converted]
    if format.calibrated:
        return [lambda: _tflite_int8(model, format, size, examples)]
    if format.quantized:
        return [lambda: _tflite_dynamic(model, format, size)]
    return [lambda: Way(lambda _: _converted(model, format, size), quantization=format.quantization)]


def _converted(model: PictureModel, format: Format, size: Size) -> Attach:
    if format.engine == "litert":
        assert size is not None  # such a file has one size
        content = tflite.to_tflite(model, size, weights=format.weights)
        return lambda manifest: {"": tflite.with_manifest(content, manifest)}
    graph = onnx.to_onnx(model, size)
    if format.engine == "openvino":
        files = OpenVINOFiles(graph)
        return lambda manifest: dict(zip(("", ".bin"), files.write(manifest), strict=True))
    if format.weights == "float16":
        graph = onnx.halve_weights(graph)
    return lambda manifest: {"": onnx.with_manifest(graph, manifest)}


def written_by_hand(model: PictureModel) -> ModuleType | None:
    """The module that writes this network's 8-bit graph node by node, if there is one."""
    return next((module for module in (lowlight_int8, lowlight_s_int8) if module.fits(model)), None)


def _by_hand(hand: ModuleType, size: Size, networks: Networks, ranges: Ranges) -> Way:
    graph = hand.to_onnx_int8(networks(ranges), size)
    return Way(
        lambda _: lambda manifest: {"": onnx.with_manifest(graph, manifest)},
        quantization=f"U8 activations, {_SPAN[ranges]}, S8 weights per channel, U8 output; memory float",
        strength=STRENGTH,
        stepwise=False,
        layout=hand.LAYOUT,
        memory=hand.MEMORY,
    )


def _onnx_int8(model: PictureModel, format: Format, size: Size, examples: Examples) -> Way:
    quantizer = OnnxInt8(onnx.to_onnx(model, size), examples())

    def make(floats: Collection[str]) -> Attach:
        graph = quantizer.make(floats)
        return lambda manifest: {"": onnx.with_manifest(graph, manifest)}

    return Way(make, _some(quantizer.layers), format.quantization)


def _tflite_int8(model: PictureModel, format: Format, size: Size, examples: Examples) -> Way:
    assert size is not None
    quantizer = TFLiteInt8(model, size, examples(), wide=format.activations == "int16")

    def make(floats: Collection[str]) -> Attach:
        content = quantizer.make(floats)
        return lambda manifest: {"": tflite.with_manifest(content, manifest)}

    return Way(make, _some(quantizer.layers), format.quantization)


def _tflite_dynamic(model: PictureModel, format: Format, size: Size) -> Way:
    assert size is not None
    quantizer = TFLiteDynamic(model, size)

    def make(floats: Collection[str]) -> Attach:
        content = quantizer.make(floats)
        return lambda manifest: {"": tflite.with_manifest(content, manifest)}

    return Way(make, _some(quantizer.layers), format.quantization)


def _some(layers: tuple[str, ...]) -> tuple[str, ...]:
    if not layers:
        raise ExportError("no layer of this model can go to 8 bits.")
    return layers
