"""The engines' own sessions, set as `dae_edge.runtime` sets them, for files that are not ours to load.

Said here again, not imported: `bench --pack` takes this file to devices without the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def onnx_session(path: Path, threads: int, *, profile_to: Path | None = None) -> Any:
    """An onnxruntime InferenceSession; `profile_to`: prefix of the file that its profile is written to."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False
    brief = tuple(map(int, onnxruntime.__version__.split(".")[:2])) >= (1, 26)  # knows the duration
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(brief)))
    options.add_session_config_entry("session.intra_op.spin_duration_us", "100")
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    if profile_to is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(profile_to)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def litert_interpreter(path: Path, threads: int) -> Any:
    """A LiteRT Interpreter with its tensors in place."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=threads)
    interpreter.allocate_tensors()
    return interpreter


def openvino_request(path: Path, threads: int, *, profile: bool = False) -> Any:
    """An OpenVINO InferRequest for one frame at a time."""
    import openvino

    settings = {
        "PERF_COUNT": profile,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",  # or it works on 16 bits where the CPU can
    }
    return openvino.Core().compile_model(str(path), "CPU", settings).create_infer_request()
