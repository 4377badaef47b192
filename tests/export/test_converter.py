"""The converter's own process: what it makes, and what happens when it cannot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import keras
import pytest
from keras import layers

import dae_edge
from dae_edge.errors import BadValueError, ExportError, ModelLoadError, OutputError
from dae_edge.export import drift
from dae_edge.export.converter import Converter
from dae_edge.export.job import Job


@pytest.fixture(scope="module")
def convert() -> Iterator[Converter]:
    """One process for all tests that do not harm it."""
    with Converter() as converter:
        yield converter


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that converts in a moment."""
    path = tmp_path_factory.mktemp("small") / "small.keras"
    _small().save(path)
    return path


def _small() -> keras.Model:
    picture = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(picture)
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    return keras.Model(picture, layers.Conv2D(3, 3, padding="same")(x))


def _job(source: Path | str, output: Path, format: str = "onnx-fp32", **options: object) -> Job:
    return Job(str(source), format, str(output), **options)  # type: ignore[arg-type]


def test_it_makes_the_file_its_sidecar_and_nothing_else(
    convert: Converter, small: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    figures = convert(_job(small, tmp_path / "m.onnx"), said.append)
    assert sorted(os.listdir(tmp_path)) == ["m.onnx", "m.onnx.json"]
    assert figures["path"] == str(tmp_path / "m.onnx")
    assert figures["bytes"] == (tmp_path / "m.onnx").stat().st_size
    assert "converting" in said
    dae_edge.load(tmp_path / "m.onnx")


def test_openvinos_two_files_belong_together(convert: Converter, small: Path, tmp_path: Path) -> None:
    convert(_job(small, tmp_path / "m.xml", "openvino"))
    assert sorted(os.listdir(tmp_path)) == ["m.bin", "m.xml", "m.xml.json"]
    dae_edge.load(tmp_path / "m.xml")
    (tmp_path / "m.xml").unlink()
    with pytest.raises(OutputError, match=r"m\.bin exists"):
        convert(_job(small, tmp_path / "m.xml", "openvino"))


def test_errors_come_back_as_they_were(convert: Converter, small: Path, tmp_path: Path) -> None:
    with pytest.raises(BadValueError, match="16x16") as caught:
        convert(_job(small, tmp_path / "m.onnx", size=(8, 8)))
    assert caught.value.exit_code == 2
    with pytest.raises(ModelLoadError, match=r"neither a \.keras file nor"):
        convert(_job(tmp_path / "none.keras", tmp_path / "m.onnx"))
    with pytest.raises(ExportError, match="layer of this model can go to 8 bits"):
        convert(_job(small, tmp_path / "m.tflite", "tflite-dynamic"))
    assert os.listdir(tmp_path) == []


@keras.saving.register_keras_serializable(package="theirs")
class Doubled(layers.Layer):  # type: ignore[misc]
    """A layer that the converter's process does not know."""

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return 2 * x


class Subclassed(keras.Model):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.convolution = layers.Conv2D(3, 3, padding="same")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return self.convolution(x)


def _with_lambda() -> keras.Model:
    picture = keras.Input((8, 8, 3))
    return keras.Model(picture, layers.Lambda(lambda x: 2 * x)(picture))


def _with_own_layer() -> keras.Model:
    picture = keras.Input((8, 8, 3))
    return keras.Model(picture, Doubled()(picture))


def _with_two_outputs() -> keras.Model:
    picture = keras.Input((8, 8, 3), name="picture")
    outs = {n: layers.Conv2D(3, 3, padding="same", name=n)(picture) for n in ("left", "right")}
    return keras.Model(picture, outs)


def _subclassed() -> keras.Model:
    model = Subclassed()
    model(keras.ops.zeros((1, 8, 8, 3)))
    return model


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (_with_lambda, "has a Lambda layer"),
        (_with_own_layer, r"its own program's classes \(.*Doubled\)"),
        (_subclassed, r"its own program's classes \(.*Subclassed\)"),
        (_with_two_outputs, r"2 out \(left, right\)"),
    ],
)
def test_models_that_cannot_be_exported_say_why(
    convert: Converter, tmp_path: Path, build: object, says: str
) -> None:
    build().save(tmp_path / "bad.keras")  # type: ignore[operator]
    with pytest.raises(dae_edge.errors.DaeEdgeError, match=says):
        convert(_job(tmp_path / "bad.keras", tmp_path / "m.onnx"))
    assert os.listdir(tmp_path) == ["bad.keras"]


def test_a_corrupt_model_is_refused(convert: Converter, small: Path, tmp_path: Path) -> None:
    bad = tmp_path / "cut.keras"
    bad.write_bytes(small.read_bytes()[:2000])
    with pytest.raises(ModelLoadError, match=r"cut\.keras is not a Keras model, or a damaged one"):
        convert(_job(bad, tmp_path / "m.onnx"))


def test_a_sequential_model_goes_as_well(convert: Converter, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((16, 16, 1)), layers.Conv2D(1, 3, padding="same")])
    model.save(tmp_path / "s.keras")
    convert(_job(tmp_path / "s.keras", tmp_path / "s.onnx"))
    dae_edge.load(tmp_path / "s.onnx")


def test_a_crash_is_one_error_with_the_logs_last_lines(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies as by a bug in C++; the next job gets a new one."""
    older = tmp_path / "m.onnx"
    older.write_text("older")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "poison"))
    (tmp_path / "poison").mkdir()
    poison = "import os, sys\nprint('Fatal: out of tensors', file=sys.stderr, flush=True)\nos.abort()\n"
    (tmp_path / "poison" / "tf2onnx.py").write_text(poison)
    with Converter() as convert:
        with pytest.raises(
            ExportError, match=r"died by signal SIGABRT \(.*out of tensors.*its log is"
        ) as caught:
            convert(_job(small, older, force=True))
        assert older.read_text() == "older"
        log = Path(str(caught.value).rpartition("its log is ")[2].rstrip("."))
        assert "out of tensors" in log.read_text()
        log.unlink()
        (tmp_path / "poison" / "tf2onnx.py").unlink()
        convert(_job(small, older, force=True))
    dae_edge.load(older)


def ours(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith("dae-edge")]


def test_ctrl_c_ends_it_and_leaves_nothing(small: Path, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    command = [
        sys.executable,
        "-m",
        "dae_edge",
        "export",
        str(small),
        "-f",
        "all",
        "-o",
        str(tmp_path / "out"),
    ]
    process = subprocess.Popen(
        command, env={**os.environ, "TMPDIR": str(tmp_path / "tmp")}, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not ours(tmp_path / "tmp") and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert ours(tmp_path / "tmp") == []
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_hundred_exports_leave_memory_flat(small: Path, tmp_path: Path) -> None:
    def resident() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    with Converter() as convert:
        for index in range(100):
            if index == 10:
                settled = resident()
            convert(_job(small, tmp_path / "m.onnx", force=True))
    assert resident() - settled < 5


@pytest.mark.slow
def test_a_full_disk_loses_nothing(small: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs more rights than this user has")
    try:
        older = disk / "m.onnx"
        older.write_text("older")
        with Converter() as convert, pytest.raises(OutputError, match=r"cannot be written: No space left"):
            convert(_job("lowlight", older, size=(32, 48), force=True))
        assert older.read_text() == "older"
        assert os.listdir(disk) == ["m.onnx"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
def test_a_loss_that_no_choice_of_layers_meets_is_said_and_nothing_kept(
    convert: Converter, tmp_path: Path
) -> None:
    """And over all 300 frames of the drift check, as in every process of its own. No file gains 1 dB."""
    with pytest.raises(ExportError, match=r"loses .* limit is -1 dB"):
        convert(_job("lowlight", tmp_path / "m.tflite", "tflite-int8", size=(32, 48), max_loss=-1.0))
    assert os.listdir(tmp_path) == []
    figures = convert(_job("lowlight", tmp_path / "m.onnx", "onnx-int8"))
    assert figures["loss_frame_30"] <= 0.1
    assert figures["loss_frame_270"] <= 0.1
    # At rest in white noise, with no layer to leave in float.
    assert figures["loss_frame_300"] <= 0.1 * drift.FIXED
    assert figures["layers_in_float"] == []
