"""Exported .onnx files, run by onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnxruntime
from numpy.typing import NDArray

from dae_edge.errors import ModelLoadError
from dae_edge.manifest import KEY, Manifest
from dae_edge.runtime.engine import Tensors


class OnnxEngine:
    """One onnxruntime session on the CPU."""

    name = "onnxruntime"

    def __init__(self, content: bytes, *, threads: int) -> None:
        """`content` is the file's bytes, which `read_onnx` has looked through for data in other files."""
        options = session_options(threads)
        # Bytes that call themselves something else than ONNX are refused, not run.
        options.add_session_config_entry("session.load_model_format", "ONNX")
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            metadata = self._session.get_modelmeta().custom_metadata_map
        except Exception as failure:  # onnxruntime raises a dozen unrelated kinds
            raise ModelLoadError(f"onnxruntime cannot read it: {_first_line(failure)}") from failure
        if KEY not in metadata:
            raise ModelLoadError("it holds no manifest, so it was not made by `dae-edge export`.")
        self.manifest = Manifest.from_json(metadata[KEY])
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> Tensors:
        return dict(zip(self._outputs, self._session.run(None, dict(feeds)), strict=True))


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """How every session of ours runs, so that what is measured is what is used."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Tensors placed as they come, not planned into one block: `lowlight-s` is 4 % faster, the others as fast.
    options.enable_mem_pattern = False
    # Waiting threads spin from layer to layer, which saves 4 % of time, 8 with `lowlight-s`, and sleep from
    # frame to frame, or they would take the camera's and the display's core. Older runtimes cannot tell.
    brief = tuple(map(int, onnxruntime.__version__.split(".")[:2])) >= (1, 26)
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(brief)))
    options.add_session_config_entry("session.intra_op.spin_duration_us", "100")
    # Numbers too small to matter make some CPUs a hundred times slower.
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    return options


def _first_line(failure: Exception) -> str:
    return (str(failure).strip().splitlines() or [type(failure).__name__])[0]
