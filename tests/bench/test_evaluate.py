"""`dae-edge evaluate` as a user meets it: what it writes, resumes, and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bench.test_clips import write
from tests.support import write_video

Command = Callable[..., Any]


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder with a short video and a still."""
    folder = tmp_path / "clips"
    folder.mkdir()
    write_video(folder / "walk.mp4", frames=6)
    write(folder / "still.png", size=(64, 48))
    return folder


def test_it_reports_in_every_way_and_goes_on_where_it_was(
    dae_edge: Command, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dae_edge.bench.opponents.bm3d.installed", lambda: False)
    for number in (1, 2):
        write(tmp_path / "pairs" / f"{number}_real.png", 60, (64, 48))
        write(tmp_path / "pairs" / f"{number}_mean.png", 62, (64, 48))
    runs = tmp_path / "runs"
    arguments = [
        "evaluate", "--clips", clips, "--pairs", tmp_path / "pairs", "--preset", "dim", "--frames", 9,
        "--opponent", "bilateral", "--opponent", "bm3d", "--threads", 1, "--output", runs,
    ]  # fmt: skip
    ended = dae_edge(*arguments, "--json", tmp_path / "figures.json")
    assert ended.code == 0, ended.err
    for word in ("dim", "real", "lowlight", "OpenCV bilateral", "report.html", "report.md"):
        assert word in ended.out
    record = json.loads((tmp_path / "figures.json").read_text())
    assert record == json.loads((runs / "evaluate.json").read_text())
    assert [(take["name"], take["light"]) for take in record["takes"]] == [
        ("still", "dim"), ("walk", "dim"), ("1", "real"), ("2", "real"),
    ]  # fmt: skip
    cells = {(cell["take"], cell["method"]): cell for cell in record["cells"]}
    assert cells["still", "lowlight"]["later"] > cells["still", "noisy"]["later"] + 6
    assert cells["still", "OpenCV bilateral"]["setting"]["sigmaColor"] > 0
    assert (runs / cells["walk", "lowlight"]["pictures"]["frame"]).is_file()
    assert "<svg" in (runs / "report.html").read_text()

    before = {path: path.stat().st_mtime_ns for path in (runs / "cells").iterdir()}
    assert dae_edge(*arguments).code == 0
    assert {path: path.stat().st_mtime_ns for path in (runs / "cells").iterdir()} == before


def test_clips_of_one_name_are_told_apart(dae_edge: Command, tmp_path: Path) -> None:
    paths = [write(tmp_path / folder / "still.png", size=(64, 48)) for folder in ("a", "b")]
    ended = dae_edge(
        "evaluate", "--clip", paths[0], "--clip", paths[1], "--preset", "dim", "--frames", 1, "--opponent", "none",
        "--output", tmp_path / "runs", "--json", tmp_path / "figures.json", "--quiet",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert ended.out == ""
    record = json.loads((tmp_path / "figures.json").read_text())
    assert [take["name"] for take in record["takes"]] == [path.as_posix() for path in paths]


def test_what_is_absent_or_broken_has_a_row_that_says_so(
    dae_edge: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dae_edge.bench.opponents.ffmpeg.installed", lambda: False)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    picture = write(tmp_path / "still.png", size=(64, 48))
    ended = dae_edge(
        "evaluate", "lowlight", broken, "--clip", picture, "--preset", "dark", "--frames", 2, "--output",
        tmp_path / "runs", "--opponent", "hqdn3d", "--json", tmp_path / "figures.json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "ffmpeg hqdn3d: not measured: the ffmpeg program is not installed" in ended.out
    assert "broken: " in ended.out
    means = {row["method"]: row for row in json.loads((tmp_path / "figures.json").read_text())["means"]}
    assert "cannot be loaded" in means["broken"]["problem"]
    assert means["lowlight"]["later"] > means["noisy"]["later"]

    alone = ["evaluate", broken, "--clip", picture, "--opponent", "none", "--frames", 1]
    ended = dae_edge(*alone, "--output", tmp_path / "alone")
    assert ended.code == 1
    assert "no model could be measured: broken: " in ended.err
    assert (tmp_path / "alone" / "report.md").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--preset", "dusk"], 2, "must be one of dim, dark, very-dark, webcam, night"),
        (["--pairs", ".", "--preset", "dim"], 2, "`--pairs` have their own noise"),
        (["--opponent", "nml"], 2, "Did you mean nlm?"),
        (["--opponent", "none", "--opponent", "nlm"], 2, "goes with no other opponent"),
        (["--size", "big"], 2, "must be WxH"),
        (["--clips", "empty"], 1, "empty holds no clips"),
        (["--pairs", "empty"], 2, "empty holds no pairs"),
        (["nothing.onnx"], 1, "nothing.onnx is neither a file nor a shipped model"),
        (["notes.txt"], 1, "notes.txt is none of .onnx, .tflite, .xml"),
        (["--output", "full"], 1, "full is not empty and holds no evaluation"),
        (["--output", "notes.txt"], 1, "notes.txt is a file; name a folder"),
        (["--clip", "sizes"], 1, "not all of one size; frame 2 is 64x50"),
    ],
)
def test_it_refuses_in_one_sentence_and_writes_nothing(
    dae_edge: Command,
    arguments: list[str],
    code: int,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    write(Path("full") / "a.png")
    Path("notes.txt").write_text("a note")
    write(Path("sizes") / "1.png", size=(64, 48))
    write(Path("sizes") / "2.png", size=(64, 50))
    ended = dae_edge("evaluate", *arguments)
    assert ended.code == code
    assert sentence in ended.err.replace("\n", " ")
    assert not Path("runs").exists()


def network(path: Path, *, kind: str) -> Path:
    """A file as others make them: it blurs, or gives the noise, at a strength that sigma decides where it asks."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    helper, numbers = onnx.helper, onnx.numpy_helper
    channels = 1 if kind == "grey" else 3
    weights = np.zeros((channels, channels, 3, 3), np.float32)
    weights[range(channels), range(channels)] = 1 / 9
    kept = [numbers.from_array(weights, "weights")]
    nodes = [helper.make_node("Conv", ["picture", "weights"], ["blurred"], pads=[1, 1, 1, 1])]
    last_axis = kind == "nhwc"
    shape = [1, "h", "w", 3] if last_axis else [1, channels, "h", "w"]
    inputs = [helper.make_tensor_value_info("picture", onnx.TensorProto.FLOAT, shape)]
    if last_axis:
        nodes = [
            helper.make_node("Transpose", ["picture"], ["planes"], perm=[0, 3, 1, 2]),
            helper.make_node("Conv", ["planes", "weights"], ["blurred planes"], pads=[1, 1, 1, 1]),
            helper.make_node("Transpose", ["blurred planes"], ["blurred"], perm=[0, 2, 3, 1]),
        ]
    result = "blurred"
    if kind == "residual":
        nodes.append(helper.make_node("Sub", ["picture", "blurred"], ["noise"]))
        result = "noise"
    if kind == "sigma":  # FFDNet: picture + 10 sigma (blurred - picture)
        inputs.append(helper.make_tensor_value_info("sigma", onnx.TensorProto.FLOAT, [1, 1, 1, 1]))
        kept.append(numbers.from_array(np.array(10, np.float32), "ten"))
        nodes += [
            helper.make_node("Sub", ["blurred", "picture"], ["step"]),
            helper.make_node("Mul", ["sigma", "ten"], ["share"]),
            helper.make_node("Mul", ["step", "share"], ["part"]),
            helper.make_node("Add", ["picture", "part"], ["mixed"]),
        ]
        result = "mixed"
    outputs = [helper.make_tensor_value_info(result, onnx.TensorProto.FLOAT, shape)]
    graph = helper.make_graph(nodes, "denoiser", inputs, outputs, kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("kind", ["direct", "residual", "grey", "nhwc", "sigma"])
def test_files_of_others_are_opponents(kind: str, tmp_path: Path) -> None:
    from dae_edge.bench.method import Noisy
    from dae_edge.bench.opponents.onnx import Foreign, is_foreign
    from dae_edge.bench.quality import measure
    from dae_edge.bench.takes import Take
    from dae_edge.runtime.load import SHIPPED

    path = network(tmp_path / f"{kind}.onnx", kind=kind)
    assert is_foreign(path)
    assert not is_foreign(SHIPPED["lowlight"])
    frames = Take("room", "dark", None, 2, (70, 50), 5).load()  # sides that are no multiple of 8
    theirs, noisy = (measure(frames, m).score for m in (Foreign(kind, path, 1), Noisy()))
    assert theirs.later > noisy.later + 1  # type: ignore[operator]
    assert list(theirs.setting) == (["sigma"] if kind == "sigma" else [])
    if kind == "sigma":
        assert theirs.setting["sigma"] > 15


def test_files_of_no_known_convention_say_what_they_take(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    from dae_edge.bench.opponents.onnx import Network
    from dae_edge.errors import ModelLoadError

    helper = onnx.helper
    shapes = [helper.make_tensor_value_info(name, onnx.TensorProto.UINT8, [1, 5]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", shapes[:1], shapes[1:])
    path = tmp_path / "other.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    with pytest.raises(
        ModelLoadError, match=r"takes x \[1, 5\] tensor\(uint8\); an opponent takes one float"
    ):
        Network(path, 1)
