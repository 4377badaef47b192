"""The one table of export formats: help, checks, exporters, tests and benchmark all read it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from dae_edge.errors import BadValueError


@dataclass(frozen=True)
class Format:
    """One kind of exported file.

    name:           what `--format` takes
    suffix:         of the file, with the dot
    engine:         what runs it: "onnxruntime", "litert" or "openvino"
    summary:        one line for people
    weights:        what they are stored as: "float32", "float16" or "int8"
    activations:    what the convolutions work on: "float32", "int8", "int16", or "dynamic": bytes whose
                    range is found anew for each frame
    any_size:       whether one file can take frames of every size (`--size dynamic`)
    quantization:   how numbers narrower than 32-bit floats are laid out, for the manifest
    max_difference: from Keras, frames in [0, 1]; None where numbers differ by design
    max_loss:       dB of PSNR against clean that the file may lose to Keras, unless `--max-loss` says
    extra:          what must be installed to make it, beside the export extra
    """

    name: str
    suffix: str
    engine: str
    summary: str
    weights: str = "float32"
    activations: str = "float32"
    any_size: bool = False
    quantization: str = "none"
    max_difference: float | None = None
    max_loss: float = 0.01
    extra: str = "export"

    @property
    def calibrated(self) -> bool:
        """Whether it is made with frames that show the range of every activation."""
        return self.activations in ("int8", "int16")

    @property
    def quantized(self) -> bool:
        """Whether it computes with 8-bit weights, so that a layer may be better left in float."""
        return self.weights == "int8"

    @property
    def options(self) -> tuple[str, ...]:
        """The export options this format takes beside those that all take."""
        return ("--max-loss", "--sensitivity") * self.quantized + ("--calibration",) * self.calibrated


FORMATS = (
    Format(
        "onnx-fp32",
        ".onnx",
        "onnxruntime",
        "32-bit floats; the reference on any CPU",
        any_size=True,
        max_difference=1e-4,
    ),
    Format(
        "onnx-fp16",
        ".onnx",
        "onnxruntime",
        "16-bit weights, half the size, the same picture",
        weights="float16",
        any_size=True,
        quantization="fp16 weights",
        max_loss=0.02,
    ),
    Format(
        "onnx-int8",
        ".onnx",
        "onnxruntime",
        "8-bit convolutions, float memory; the fastest with onnxruntime",
        weights="int8",
        activations="int8",
        any_size=True,
        quantization="static QDQ, U8 activations, S8 weights per channel; memory and last layers float",
        max_loss=0.1,
    ),
    Format(
        "tflite-fp32",
        ".tflite",
        "litert",
        "32-bit floats; the reference with LiteRT",
        max_difference=1e-4,
    ),
    Format(
        "tflite-fp16",
        ".tflite",
        "litert",
        "16-bit weights, half the size, the same picture on CPUs",
        weights="float16",
        quantization="fp16 weights",
        max_loss=0.02,
    ),
    Format(
        "tflite-dynamic",
        ".tflite",
        "litert",
        "8-bit weights, activations rounded as they come; no calibration",
        weights="int8",
        activations="dynamic",
        quantization="S8 weights per channel, activations S8 with a range found for each frame",
        max_loss=0.05,
    ),
    Format(
        "tflite-int8",
        ".tflite",
        "litert",
        "8-bit convolutions, float memory; for CPUs and accelerators of bytes",
        weights="int8",
        activations="int8",
        quantization="static, S8 activations, S8 weights per channel; memory and last layers float",
        max_loss=0.1,
    ),
    Format(
        "tflite-int16x8",
        ".tflite",
        "litert",
        "8-bit weights, 16-bit activations; for signal processors that have them",
        weights="int8",
        activations="int16",
        quantization="static, S16 activations, S8 weights per channel; memory and last layers float",
        max_loss=0.1,
    ),
    Format(
        "openvino",
        ".xml",
        "openvino",
        "32-bit floats for OpenVINO; its weights lie beside it in a .bin",
        any_size=True,
        max_difference=1e-4,
        extra="openvino",
    ),
)

NAMES = tuple(format.name for format in FORMATS)


def by_name(name: str) -> Format:
    """The format called `name`; `BadValueError` with the nearest name otherwise."""
    for format in FORMATS:
        if format.name == name:
            return format
    near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise BadValueError(f"`--format` (={name}) must be one of {', '.join(NAMES)}.{hint}")
