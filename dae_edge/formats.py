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
    engine:         what runs it: "onnxruntime" or "litert"
    summary:        one line for people
    any_size:       whether one file can take frames of every size (`--size dynamic`)
    quantization:   how numbers narrower than 32-bit floats are laid out, for the manifest
    half_weights:   whether the weights are stored in 16 bits
    calibrated:     whether it is made with frames to calibrate on (`--calibration`)
    max_difference: from Keras, frames in [0, 1]; None where numbers differ by design
    max_loss:       dB of PSNR against clean that the file may lose to Keras
    """

    name: str
    suffix: str
    engine: str
    summary: str
    quantization: str = "none"
    half_weights: bool = False
    any_size: bool = False
    calibrated: bool = False
    max_difference: float | None = None
    max_loss: float = 0.01

    @property
    def options(self) -> tuple[str, ...]:
        """The export options this format takes beside those that all take."""
        return ("--calibration",) if self.calibrated else ()


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
        "onnx-int8",
        ".onnx",
        "onnxruntime",
        "8-bit convolutions, float memory; the fastest with onnxruntime",
        quantization="static QDQ, U8 activations, S8 weights per channel; memory and last layers float",
        any_size=True,
        calibrated=True,
        max_loss=0.5,
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
        "16-bit weights, half the size, the same picture",
        quantization="fp16 weights",
        half_weights=True,
        max_loss=0.05,
    ),
    Format(
        "tflite-int8",
        ".tflite",
        "litert",
        "8-bit convolutions, float memory; the fastest with LiteRT",
        quantization="static, S8 activations, S8 weights per channel; memory and last layers float",
        calibrated=True,
        max_loss=0.5,
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
