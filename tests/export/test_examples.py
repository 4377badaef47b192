"""The programs that run an exported file without the package, each beside the package on the same clip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dae_edge
from dae_edge.runtime.load import SHIPPED
from dae_edge.scenes import Room

EXAMPLES = Path(__file__).parents[2] / "export" / "examples"
SIZE = "173x131"  # no multiple of the network's stride

Clip = list[np.ndarray]

pytestmark = pytest.mark.slow


def clip(width: int, height: int) -> Clip:
    """Ten noisy frames, (height, width, 3) uint8."""
    random = np.random.default_rng(1)
    room = Room(width, height)
    noisy = [room.frame(i) * 0.6 + random.normal(0, 12, (height, width, 3)) for i in range(10)]
    return [np.clip(frame, 0, 255).astype(np.uint8) for frame in noisy]


def differences(
    command: list[object], frames: Clip, model: Path, strength: float = 1.0, **env: str
) -> np.ndarray:
    """What `command`, a filter of raw frames, gives, minus what `dae_edge.load` gives."""
    ended = subprocess.run(
        list(map(str, command)), input=b"".join(f.tobytes() for f in frames), capture_output=True,
        env={**os.environ, **env}, timeout=300,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr.decode()
    denoise = dae_edge.load(model, strength=strength)
    expected = np.stack([denoise(frame) for frame in frames])
    return np.frombuffer(ended.stdout, np.uint8).reshape(expected.shape).astype(int) - expected


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """denoise.cpp, compiled against ONNXRUNTIME_HOME or the system's headers."""
    if shutil.which("g++") is None:
        pytest.skip("there is no g++ on this machine")
    headers, library = onnxruntime_in_c()
    path = tmp_path_factory.mktemp("cpp") / "denoise"
    subprocess.run(
        ["g++", "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", EXAMPLES / "denoise.cpp", "-isystem", headers,
         library, f"-Wl,-rpath,{path.parent}", "-o", path],
        check=True,
    )  # fmt: skip
    (path.parent / "libonnxruntime.so.1").symlink_to(library)
    return path


def onnxruntime_in_c() -> tuple[Path, Path]:
    """The C++ headers' folder and the library, which is in the wheel where no other is at hand."""
    home = os.environ.get("ONNXRUNTIME_HOME")
    folders = (
        [Path(home) / "include"] if home else [Path("/usr/include/onnxruntime"), Path("/usr/local/include")]
    )
    headers = next((f for f in folders if (f / "onnxruntime_cxx_api.h").is_file()), None)
    if headers is None:
        pytest.skip("onnxruntime's C++ headers are not here; ONNXRUNTIME_HOME can name an unpacked release")
    wheel = Path(sys.modules["onnxruntime"].__file__ or "").parent / "capi"
    libraries = [*(Path(home) / "lib").glob("libonnxruntime.so*")] if home else []
    libraries += [*Path("/usr/lib").glob("*/libonnxruntime.so"), *wheel.glob("libonnxruntime.so*")]
    if not libraries:
        pytest.skip("onnxruntime's library is not here; ONNXRUNTIME_HOME can name an unpacked release")
    return headers, libraries[0]


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest) -> Path:
    """A node_modules folder with both of onnxruntime's packages, kept between runs of the tests."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no node or no npm on this machine")
    folder = Path(request.config.cache.mkdir("node"))  # type: ignore[union-attr]
    packages = ["onnxruntime-node", "onnxruntime-web"]
    if not all((folder / "node_modules" / package / "package.json").is_file() for package in packages):
        # Without its script, which downloads what GPUs need.
        install = [
            "npm",
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefix",
            folder,
            *packages,
        ]
        try:
            ended = subprocess.run(install, capture_output=True, text=True, timeout=300)
        except subprocess.TimeoutExpired:
            pytest.skip("npm did not answer in five minutes")
        if ended.returncode:
            pytest.skip(f"npm cannot install onnxruntime-node: {ended.stderr.strip().splitlines()[-1:]}")
    return folder / "node_modules"


shipped = pytest.mark.parametrize(
    ("model", "strength"),
    [(SHIPPED["lowlight"], 1.0), (SHIPPED["lowlight"], 0.6), (SHIPPED["lowlight-fp32"], 1.0)],
    ids=["int8", "int8 at 0.6", "fp32"],
)


def arguments(model: Path, strength: float) -> list[object]:
    return [model, SIZE, *([] if strength == 1 else [strength])]


@shipped
def test_python_gives_the_same_bytes(model: Path, strength: float) -> None:
    command = [sys.executable, EXAMPLES / "denoise.py", *arguments(model, strength)]
    assert not differences(command, clip(173, 131), model, strength).any()


@shipped
def test_cpp_gives_the_same_picture(program: Path, model: Path, strength: float) -> None:
    apart = differences([program, *arguments(model, strength)], clip(173, 131), model, strength)
    assert np.abs(apart).max() <= 1
    assert (apart != 0).mean() < 1e-3


@shipped
def test_node_gives_the_same_picture(node: Path, model: Path, strength: float) -> None:
    apart = differences_in_javascript(node, "onnxruntime-node", model, strength)
    assert np.abs(apart).max() <= 1
    assert (apart != 0).mean() < 1e-3


@shipped
def test_a_browser_gives_the_same_picture(node: Path, model: Path, strength: float) -> None:
    """Of an addition in 8 bits that comes to 5.499996 its runtime makes 5 and the others 6; more follows from it."""
    apart = differences_in_javascript(node, "onnxruntime-web", model, strength)
    assert np.abs(apart).max() <= 4
    assert (apart != 0).mean() < 0.05
    assert np.square(apart).mean() < 0.1  # 58 dB


def differences_in_javascript(node: Path, package: str, model: Path, strength: float) -> np.ndarray:
    command = ["node", EXAMPLES / "denoise.js", *arguments(model, strength)]
    return differences(command, clip(173, 131), model, strength, ORT=package, NODE_PATH=str(node))


def test_litert_gives_the_same_bytes(tiny_tflite: Path) -> None:
    command = [sys.executable, EXAMPLES / "denoise_tflite.py", tiny_tflite]
    assert not differences(command, clip(80, 60), tiny_tflite).any()


def test_python_imports_nothing_but_numpy_and_onnxruntime() -> None:
    imports = [
        line.split()[1]
        for line in (EXAMPLES / "denoise.py").read_text().splitlines()
        if line.startswith(("import ", "from "))
    ]
    assert set(imports) <= {*sys.stdlib_module_names, "numpy", "onnxruntime"}
