"""Every format of both models, and of models that are not ours, through the runtime."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import onnx
import pytest

import dae_edge
from dae_edge.errors import BadValueError, ExportError, MediaError, OutputError, ParityError
from dae_edge.export import check, drift, export, tflite
from dae_edge.export import onnx as to_onnx
from dae_edge.export.executed import nodes
from dae_edge.export.picture_model import PictureModel
from dae_edge.formats import FORMATS, Format, by_name
from dae_edge.manifest import digest, sidecar
from dae_edge.models.camera import MOSAICS
from dae_edge.models.mnist import autoencoder
from tests.export.conftest import SIZE
from tests.export.test_picture_model import dncnn, unet

NAMES = [format.name for format in FORMATS]


@pytest.fixture(scope="module")
def made(session: export.Session, tmp_path_factory: pytest.TempPathFactory) -> dict[str, export.Exported]:
    """The shipped model in every format."""
    folder = tmp_path_factory.mktemp("made")
    return {f.name: session.export(f, folder / f"{f.name}{f.suffix}", size=SIZE) for f in FORMATS}


@pytest.mark.parametrize("name", NAMES)
def test_every_format_loads_and_denoises(made: dict[str, export.Exported], name: str) -> None:
    denoise = dae_edge.load(made[name].path, threads=1)
    frame = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    assert denoise(frame).shape == frame.shape
    assert denoise.engine == by_name(name).engine
    assert made[name].parity.file > made[name].parity.noisy + 3


@pytest.mark.parametrize("name", NAMES)
def test_every_format_holds_against_keras(made: dict[str, export.Exported], name: str) -> None:
    format, parity = by_name(name), made[name].parity
    if format.max_difference is not None:
        assert parity.max_difference <= 1e-4
    most = {"float32": 0.01, "float16": 0.02, "int8": 0.1}[format.weights]
    assert parity.loss <= most
    if format.quantized:
        quality = made[name].manifest.quality
        assert quality["loss_frame_30"] <= most
        assert quality[f"loss_frame_{drift.FRAMES - drift.LEG}"] <= most
        by_hand = name == "onnx-int8"  # no layer to leave in float
        assert quality[f"loss_frame_{drift.FRAMES}"] <= most * (drift.FIXED if by_hand else 1)


def test_all_formats_remember_alike(made: dict[str, export.Exported]) -> None:
    """Ten frames on, memory and all, they still agree."""
    random = np.random.default_rng(3)
    scene = cv2.resize(random.integers(0, 256, (6, 8, 3), dtype=np.uint8), SIZE[::-1]).astype(float)
    clip = [np.clip(scene + random.normal(0, 20, scene.shape), 0, 255).astype(np.uint8) for _ in range(10)]
    last = {}
    for name, exported in made.items():
        denoise = dae_edge.load(exported.path, threads=1)
        last[name] = [denoise(frame) for frame in clip][-1].astype(float)
    for name, picture in last.items():
        agreement = 10 * np.log10(255**2 / max(np.square(picture - last["onnx-fp32"]).mean(), 1e-9))
        assert agreement > (40 if by_name(name).quantized else 55), name


def test_int8_is_int8_where_it_counts(made: dict[str, export.Exported]) -> None:
    """Weights of the trunk in 8 bits, memory in floats: never an 8-bit state."""
    graph = onnx.load(made["onnx-int8"].path).graph
    assert made["onnx-int8"].path.stat().st_size < 0.55 * made["onnx-fp32"].path.stat().st_size
    states = [v for v in (*graph.input, *graph.output) if v.name.startswith("state_")]
    assert len(states) == 4
    assert {v.type.tensor_type.elem_type for v in states} == {onnx.TensorProto.FLOAT}
    branches = [a.g for n in nodes(graph) for a in n.attribute if a.type == onnx.AttributeProto.GRAPH]
    weights = [i for part in (graph, *branches) for i in part.initializer]
    int8 = [i for i in weights if i.data_type == onnx.TensorProto.INT8 and len(i.dims) == 4]
    # 14 layers: the head and both steps up are two each, half of the head there for each mosaic; back to pixels.
    assert len(int8) == 18 + MOSAICS - 1
    content = made["tflite-int8"].path.read_bytes()
    assert len(content) < 0.5 * made["tflite-fp32"].path.stat().st_size
    convolutions = [n for n in tflite.nodes(content) if n.op == "CONV_2D"]
    assert len(convolutions) == 19


def test_the_manifest_is_inside_and_beside(made: dict[str, export.Exported]) -> None:
    for exported in made.values():
        beside = json.loads(sidecar(exported.path).read_text())
        assert beside["sha256"] == digest(exported.path.read_bytes())
        inside = dae_edge.load(exported.path).manifest
        assert inside.format == beside["format"] == exported.manifest.format
        assert inside.quality["loss"] == beside["quality"]["loss"]
        assert inside.tools["keras"]


@pytest.mark.parametrize("path", ["any_fp32", "any_int8"])
def test_one_onnx_takes_every_size(path: str, request: pytest.FixtureRequest) -> None:
    denoise = dae_edge.load(request.getfixturevalue(path), threads=1)
    for height, width in ((16, 16), (17, 31), (96, 64), (100, 201)):
        frame = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
        assert denoise(frame).shape == frame.shape


def test_any_size_is_the_fixed_size(made: dict[str, export.Exported], any_fp32: Path) -> None:
    frame = np.random.default_rng(1).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    first, other = dae_edge.load(any_fp32)(frame), dae_edge.load(made["onnx-fp32"].path)(frame)
    assert np.abs(first.astype(int) - other).max() <= 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("build", "macs"), [(autoencoder, 8552), (dncnn, 4896), (unet, 1800)])
def test_models_that_are_not_ours_go_the_same_way(
    tmp_path: Path, name: str, build: object, macs: float
) -> None:
    keras.utils.set_random_seed(1)
    format = by_name(name)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    model = PictureModel(build())  # type: ignore[operator]
    path = tmp_path / f"m{format.suffix}"
    size = model.size or (44, 52)
    exported = export.export(model, format, path, source=Path("none.keras"), size=size)
    denoise = dae_edge.load(path, threads=1)
    shape = (*size, 3) if model.channels == 3 else size
    assert denoise(np.full(shape, 90, np.uint8)).shape == shape
    json.loads(sidecar(path).read_text(), parse_constant=refuse)
    if format.max_difference is not None:
        assert exported.parity.max_difference <= 1e-4
    assert exported.manifest.mac_per_pixel == pytest.approx(macs, rel=0.01)


def test_a_converted_int8_file_may_be_larger_than_what_any_size_is_calibrated_on(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    height, width = (side + 12 for side in export.ANY_SIZE)
    path = tmp_path / "m.onnx"
    model = PictureModel(dncnn())
    export.export(model, by_name("onnx-int8"), path, source=Path("none.keras"), size=(height, width))
    assert dae_edge.load(path).manifest.size == (height, width)


def test_sizes_of_files(made: dict[str, export.Exported]) -> None:
    def share(narrow: str, wide: str) -> float:
        return made[narrow].bytes / made[wide].bytes

    # Narrow layers give two columns at a time: their weights are in the file twice, with zeros beside them.
    # What layers are told is in floats. A quarter is half of the head, for each mosaic.
    assert share("onnx-int8", "onnx-fp32") < 0.55
    # Two layers stay in floats, or the gate would drift, as do the filters that see what camera it is.
    assert share("tflite-int8", "tflite-fp32") < 0.42
    # One or two layers here, the gate's among them.
    assert share("tflite-dynamic", "tflite-fp32") < 0.38
    assert share("onnx-fp16", "onnx-fp32") < 0.55
    assert share("tflite-fp16", "tflite-fp32") < 0.55


def test_what_the_runtimes_execute(made: dict[str, export.Exported]) -> None:
    """Every learned convolution in bytes where it says so, and LiteRT's all in XNNPACK, which has no logarithm."""
    # In float: the few numbers that codes of the camera are made of.
    assert made["onnx-int8"].executed == "28/50 int8"
    assert made["onnx-fp32"].executed == "0/26 int8"
    for name in ("tflite-fp32", "tflite-dynamic", "tflite-int8"):
        assert made[name].executed == "26/26 XNNPACK, 2 parts"


def test_a_file_for_one_size_says_which(made: dict[str, export.Exported]) -> None:
    with pytest.raises(ValueError, match="is 64x48, but this file was exported for 84x60"):
        dae_edge.load(made["tflite-fp32"].path)(np.zeros((48, 64, 3), np.uint8))


def test_a_file_that_does_not_hold_is_not_written(
    lowlight: PictureModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "m.onnx"
    older.write_text("older")
    strict = replace(by_name("onnx-fp32"), max_difference=0.0)
    with pytest.raises(ParityError, match=r"differs from Keras by .*; the limit is 0"):
        export.export(lowlight, strict, older, source=Path("x.keras"), size=SIZE, force=True)
    assert older.read_text() == "older"
    assert os.listdir(tmp_path) == ["m.onnx"]


@pytest.mark.parametrize(
    ("difference", "loss", "holds"),
    [(1e-5, 0.0, True), (2e-4, 0.0, False), (1e-5, 0.02, False), (float("nan"), 0.0, False)],
)
def test_the_limits_of_fp32(difference: float, loss: float, holds: bool) -> None:
    parity = check.Parity(difference, 90, 20, 30, 30 - loss)
    format: Format = by_name("onnx-fp32")
    if holds:
        check.require(parity, format)
    else:
        with pytest.raises(ParityError):
            check.require(parity, format)


def test_the_users_own_frames_calibrate(lowlight: PictureModel, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for index in range(3):
        picture = np.random.default_rng(index).integers(0, 256, (50, 50, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / "mine" / f"{index}.png"), cv2.GaussianBlur(picture, (0, 0), 2))
    common = {"source": export.model_path("lowlight"), "size": SIZE, "calibration": tmp_path / "mine"}
    export.export(lowlight, by_name("onnx-int8"), tmp_path / "m.onnx", **common)
    (tmp_path / "mine" / "broken.png").write_text("no picture")
    with pytest.raises(MediaError, match=r"broken\.png cannot be read"):
        export.export(lowlight, by_name("onnx-int8"), tmp_path / "n.onnx", **common)
    assert not (tmp_path / "n.onnx").exists()


def test_sizes_a_file_cannot_have(lowlight: PictureModel, tmp_path: Path) -> None:
    with pytest.raises(BadValueError, match="must be given as WxH"):
        export.export(lowlight, by_name("tflite-fp32"), tmp_path / "m.tflite", source=Path("x"))
    with pytest.raises(BadValueError, match="16 pixels a side"):
        export.export(lowlight, by_name("onnx-fp32"), tmp_path / "m.onnx", source=Path("x"), size=(8, 64))
    with pytest.raises(BadValueError, match="28x28"):
        export.export(
            PictureModel(autoencoder()),
            by_name("onnx-fp32"),
            tmp_path / "m.onnx",
            source=Path("x"),
            size=(8, 8),
        )


def test_dimensions_of_an_open_graph_have_names(lowlight: PictureModel) -> None:
    graph = to_onnx.to_onnx(lowlight, None).graph
    names = {d.dim_param for v in (*graph.input, *graph.output) for d in v.type.tensor_type.shape.dim}
    assert names == {"", "height", "width", "state_height", "state_width"}


def test_a_converter_that_crashes_is_one_error(
    lowlight: PictureModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("first line\nand a page of C++")

    monkeypatch.setattr(to_onnx, "to_onnx", crash)
    with pytest.raises(ExportError, match=r"^onnx-fp32 could not be made: first line$"):
        export.export(lowlight, by_name("onnx-fp32"), tmp_path / "m.onnx", source=Path("x"), size=SIZE)
    assert os.listdir(tmp_path) == []


def test_a_sidecar_is_not_replaced_without_force(lowlight: PictureModel, tmp_path: Path) -> None:
    (tmp_path / "m.onnx.json").write_text("somebody's")
    with pytest.raises(OutputError, match=r"m\.onnx\.json exists; add --force"):
        export.export(lowlight, by_name("onnx-fp32"), tmp_path / "m.onnx", source=Path("x"), size=SIZE)
    assert os.listdir(tmp_path) == ["m.onnx.json"]
