"""Exported .tflite files, run by LiteRT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from dae_edge.errors import MissingExtraError, ModelLoadError
from dae_edge.manifest import Manifest
from dae_edge.runtime.engine import Tensors
from dae_edge.runtime.inspect.tflite import manifest_text


class LiteRTEngine:
    """One LiteRT interpreter on the CPU, with XNNPACK where it applies."""

    name = "litert"

    def __init__(self, content: bytes, *, threads: int) -> None:
        """`content` is the file's bytes."""
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as failure:
            raise MissingExtraError("Running a .tflite file", "litert") from failure
        text = manifest_text(content)
        if text is None:
            raise ModelLoadError("it holds no manifest, so it was not made by `dae-edge export`.")
        self.manifest = Manifest.from_json(text)
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
            self._run = self._interpreter.get_signature_runner()
        except Exception as failure:  # LiteRT raises ValueError, RuntimeError and others alike
            raise ModelLoadError(f"LiteRT cannot read it: {failure}") from failure

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> Tensors:
        return dict(self._run(**feeds))
