"""Keras -> OpenVINO's own two files, by way of ONNX: an .xml of the graph and a .bin of weights."""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx

from dae_edge.errors import MissingExtraError
from dae_edge.manifest import KEY, Manifest


class OpenVINOFiles:
    """The graph in OpenVINO's form; `write` makes the two files' content."""

    def __init__(self, floats: onnx.ModelProto) -> None:
        try:
            import openvino
        except ImportError as failure:
            raise MissingExtraError("The openvino format", "openvino") from failure
        self._openvino = openvino
        self._model = openvino.Core().read_model(model=floats.SerializeToString())

    def write(self, manifest: Manifest) -> tuple[bytes, bytes]:
        """(.xml, .bin); the manifest is in the .xml, as runtime information."""
        self._model.set_rt_info(manifest.to_json(), [KEY])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.xml"
            self._openvino.save_model(self._model, path, compress_to_fp16=False)
            return path.read_bytes(), path.with_suffix(".bin").read_bytes()
