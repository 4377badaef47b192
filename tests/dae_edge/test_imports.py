"""What runs on the device stays light: a fresh interpreter is asked what it loaded."""

import subprocess
import sys

import pytest

HEAVY = ("tensorflow", "keras", "tf2onnx", "onnx", "jax", "torch", "matplotlib", "starlette", "uvicorn")


@pytest.mark.parametrize(
    "module",
    ["dae_edge", "dae_edge.runtime", "dae_edge.runtime.inspect", "dae_edge.camera", "dae_edge.sensor",
     "dae_edge.sensor.measure", "dae_edge.doctor.holds", "dae_edge.bench.latency",
     "dae_edge.cli.main"],
)  # fmt: skip
def test_nothing_heavy_is_imported(module: str) -> None:
    code = f"import sys, {module}; print([m for m in {HEAVY} if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"


def test_loading_a_model_does_not_need_opencv() -> None:
    code = "import sys, dae_edge; dae_edge.load('lowlight'); print('cv2' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "False"


def test_inspecting_a_file_needs_no_extra() -> None:
    code = (
        "import sys; from pathlib import Path; from dae_edge.runtime.inspect import inspect;"
        "from dae_edge.runtime.load import SHIPPED; inspect(SHIPPED['lowlight']);"
        f"print([m for m in {(*HEAVY, 'ai_edge_litert', 'flatbuffers')} if m in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"
