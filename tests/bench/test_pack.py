"""The pack: what is in it, and that its runner measures without dae-edge, OpenCV or rich."""

from __future__ import annotations

import ast
import collections
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dae_edge.bench import pack, record
from dae_edge.bench.here import Here
from dae_edge.bench.latency import File
from dae_edge.bench.record import Settings
from dae_edge.errors import BadValueError, OutputError
from dae_edge.runtime.load import SHIPPED

SIZE = (160, 120)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, tiny_tflite: Path) -> Path:
    folder = tmp_path_factory.mktemp("pack") / "pack"
    files = [File(SHIPPED["lowlight"], "onnxruntime"), File(tiny_tflite, "litert")]
    settings = Settings(seconds=0.2, warm_up_seconds=0)
    assert pack.pack(folder, files, settings, threads=[1], sizes=[SIZE]) == []
    return folder


def test_a_pack_holds_models_clips_chains_and_a_runner(packed: Path) -> None:
    found = sorted(str(path.relative_to(packed)) for path in packed.rglob("*") if path.is_file())
    assert [name for name in found if not name.startswith("chains")] == [
        "README.txt", "clips/160x120-3.npz", "clips/80x60-3.npz", "models/lowlight-int8.onnx",
        "models/lowlight.tflite", "pack.json", "run.py",
    ]  # fmt: skip
    assert (packed / "models" / "lowlight-int8.onnx").read_bytes() == SHIPPED["lowlight"].read_bytes()
    assert "pip install numpy onnxruntime ai-edge-litert" in (packed / "README.txt").read_text()


def test_no_name_means_two_things_in_the_runner() -> None:
    names = collections.Counter(
        name
        for node in ast.parse(pack.runner()).body
        for name in (
            [node.name]
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            else [t.id for t in node.targets if isinstance(t, ast.Name)]
            if isinstance(node, ast.Assign)
            else []
        )
    )
    # Types that every file of its own writes down again, each time the same.
    repeated = {name for name, count in names.items() if count > 1}
    assert repeated <= {"Frame", "Size"}


def test_the_runner_imports_numpy_engines_and_the_standard_library_alone() -> None:
    modules = set()
    for node in ast.walk(ast.parse(pack.runner())):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").partition(".")[0])
    assert modules - set(sys.stdlib_module_names) == {"numpy", "onnxruntime", "ai_edge_litert", "openvino"}


def test_the_runner_measures_where_the_package_is_not(packed: Path, tmp_path: Path) -> None:
    for name in ("dae_edge", "cv2", "rich", "typer"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('it is not on the device')")
    output = tmp_path / "bench.json"
    ended = subprocess.run(
        [sys.executable, packed / "run.py", "--output", output, "--seconds", "0.3"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "dae-edge bench --import bench.json" in ended.stdout
    found = record.read(output)
    assert [(row.format, row.width, row.height) for row in found.rows] == [
        ("onnx-int8", 160, 120),
        ("tflite-fp32", 80, 60),
    ]
    for row in found.rows:
        assert row.times is not None, row.problem
        assert row.stages is not None
        assert row.peak_mib is not None
    assert found.settings.seconds == 0.3
    assert {one.engine for one in found.limits} == {"onnxruntime", "litert"}
    assert len(found.limits) == 4

    # Quality is the model's alone: the same as measured here.
    here = Here()
    model, clip = here.open(SHIPPED["lowlight"], "onnxruntime", 1), here.clip(SIZE, 3)
    denoised = [model(frame) for frame in clip.noisy]
    assert found.rows[0].quality is not None
    assert found.rows[0].quality.psnr == pytest.approx(here.psnr(denoised[8:], clip.clean[8:]), abs=1e-3)


def test_a_broken_model_in_a_pack_is_one_row(packed: Path, tmp_path: Path) -> None:
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(packed, broken)
    (broken / "models" / "lowlight-int8.onnx").write_bytes(b"no model")
    ended = subprocess.run(
        [sys.executable, broken / "run.py", "--seconds", "0.05"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    first, second = record.read(broken / "bench.json").rows
    assert (first.status, second.status in ("ok", "noisy")) == ("failed", True)


def test_frames_of_a_pack_are_those_measured_here(packed: Path) -> None:
    clip = Here().clip(SIZE, 3)
    with np.load(packed / "clips" / "160x120-3.npz") as arrays:
        assert np.array_equal(arrays["noisy"], clip.noisy)
        assert np.array_equal(arrays["clean"], clip.clean[8:])
    assert json.loads((packed / "pack.json").read_text())["clips"]["160x120-3"] == clip.name


def test_what_cannot_be_packed_is_refused(tmp_path: Path) -> None:
    model = File(SHIPPED["lowlight"], "onnxruntime")
    with pytest.raises(BadValueError, match="onnxruntime or litert"):
        pack.pack(tmp_path / "new", [File(tmp_path / "a.xml", "openvino")], Settings(), threads=[1])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        pack.pack(tmp_path / "full", [model], Settings(), threads=[1], sizes=[SIZE])
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"
