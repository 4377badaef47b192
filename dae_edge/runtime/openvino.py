"""Exported .xml files with the .bin beside them, run by OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from dae_edge.errors import MissingExtraError, ModelLoadError
from dae_edge.manifest import KEY, Manifest
from dae_edge.runtime.engine import Tensors


class OpenVINOEngine:
    """One model compiled for the CPU, for the shortest time a frame."""

    name = "openvino"

    def __init__(self, content: bytes, weights: bytes, *, threads: int) -> None:
        """`content` is the .xml file's bytes, `weights` the .bin file's."""
        try:
            import openvino
        except ImportError as failure:
            raise MissingExtraError("Running an OpenVINO file", "openvino") from failure
        try:
            core = openvino.Core()
            model = core.read_model(model=content, weights=weights)
            known = KEY in model.get_rt_info()
            text = model.get_rt_info([KEY]).astype(str) if known else ""
            compiled = core.compile_model(model, "CPU", settings(threads))
        except Exception as failure:  # OpenVINO raises RuntimeError with a page of C++
            lines = [line.strip() for line in str(failure).splitlines() if line.strip()]
            raise ModelLoadError(
                f"OpenVINO cannot read it: {(lines or ['no reason given'])[-1]}"
            ) from failure
        if not known:
            raise ModelLoadError("it holds no manifest, so it was not made by `dae-edge export`.")
        self.manifest = Manifest.from_json(text)
        self._names = [output.get_any_name() for output in compiled.outputs]
        self._request = compiled.create_infer_request()

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> Tensors:
        results = self._request.infer(dict(feeds), share_inputs=True)
        return {name: results[index].copy() for index, name in enumerate(self._names)}


def settings(threads: int) -> dict[str, Any]:
    """How every model of ours is compiled: for the shortest time of one frame."""
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        # Without it CPUs that have 16-bit floats use them, and the memory is never less than 32.
        "INFERENCE_PRECISION_HINT": "f32",
    }
