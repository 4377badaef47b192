"""ONNX in 8 bits: which convolutions can be chosen, layer by layer, after one calibration."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime.quantization as quantization

from dae_edge.export.framed import FRAME
from dae_edge.export.graph import CONVOLUTIONS, to_quantize
from dae_edge.export.onnx import nodes
from dae_edge.export.picture_model import Frame, Tensors


class OnnxInt8:
    """Static QDQ, unsigned activations, signed weights per channel.

    Unsigned activations matter: with onnxruntime's default of signed ones, half of the
    convolutions stay in float and nothing gets faster. Weights have 7 bits: CPUs without 8-bit dot
    products add two of them times a byte in 16 bits, and cut off what does not fit.
    """

    def __init__(self, floats: onnx.ModelProto, examples: Iterable[tuple[Frame, Tensors]]) -> None:
        self._floats = floats
        self._nodes = nodes(floats)
        self._examples = examples
        self._ranges = ""  # of every tensor, as JSON: known after the first time
        self.layers = tuple(n.name for n in to_quantize(self._nodes) if n.op in CONVOLUTIONS)

    def make(self, floats: Collection[str] = ()) -> onnx.ModelProto:
        """The model with all of `layers` in 8 bits but those in `floats`."""
        chosen = to_quantize(self._nodes, floats=floats)
        with tempfile.TemporaryDirectory() as folder, _quiet():
            source, target, ranges = (Path(folder) / name for name in ("f.onnx", "int8.onnx", "ranges.json"))
            onnx.save(self._floats, source)
            if self._ranges:
                ranges.write_text(self._ranges)
            quantization.quantize_static(
                source,
                target,
                _Examples(self._examples),
                quant_format=quantization.QuantFormat.QDQ,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
                nodes_to_quantize=[node.name for node in chosen],
                calibrate_method=quantization.CalibrationMethod.MinMax,
                calibration_cache_path=ranges,
            )
            self._ranges = ranges.read_text()
            return onnx.load(target)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The quantizer recommends a step that the exported graph does not need, each time."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


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
