"""The command as a person meets it: what it does, and how it says no."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from dae_edge.scenes import Room
from tests.support import write_video

Run = Callable[..., "object"]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "in.png"
    cv2.imwrite(str(path), Room(80, 60).frame(0))
    return path


def test_help_names_every_verb(dae_edge: Run) -> None:
    ended = dae_edge("--help")
    assert ended.code == 0
    for verb in ("live", "denoise", "calibrate", "doctor", "bench", "inspect", "train", "export"):
        assert verb in ended.out


@pytest.mark.parametrize(
    "verb",
    [
        ["live"],
        ["denoise"],
        ["calibrate"],
        ["doctor"],
        ["bench"],
        ["inspect"],
        ["export"],
        ["train", "mnist"],
        ["train", "lowlight"],
    ],
)
def test_every_verb_has_help(dae_edge: Run, verb: list[str]) -> None:
    assert dae_edge(*verb, "--help").code == 0


def test_version(dae_edge: Run) -> None:
    assert dae_edge("--version").out.startswith("dae-edge 0.")


def test_a_picture_is_denoised(dae_edge: Run, picture: Path, tmp_path: Path) -> None:
    ended = dae_edge("denoise", picture, tmp_path / "out.png")
    assert ended.code == 0, ended.err
    assert cv2.imread(str(tmp_path / "out.png")).shape == (60, 80, 3)
    assert "next:" in ended.out


def test_simulation_measures_the_gain(dae_edge: Run, picture: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    ended = dae_edge("denoise", picture, tmp_path / "out.png", "--simulate", "dark", "--json", figures)
    assert ended.code == 0, ended.err
    known = json.loads(figures.read_text())
    assert known["denoised_psnr_db"] > known["noisy_psnr_db"] + 2


def test_a_folder_keeps_its_names(dae_edge: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b.jpg", "a.png"):
        cv2.imwrite(str(tmp_path / "in" / name), Room(80, 60).frame(0))
    assert dae_edge("denoise", tmp_path / "in", tmp_path / "out").code == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["a.png", "b.jpg"]


def test_in_a_sequence_frames_help_each_other(dae_edge: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for index in range(6):
        cv2.imwrite(str(tmp_path / "in" / f"{index}.png"), Room(80, 60).frame(0))
    gains = {}
    for option in ("--sequence", "--quiet"):
        figures = tmp_path / f"{option}.json"
        ended = dae_edge(
            "denoise",
            tmp_path / "in",
            tmp_path / f"out{option}",
            option,
            "--simulate",
            "dark",
            "--json",
            figures,
        )
        assert ended.code == 0, ended.err
        gains[option] = json.loads(figures.read_text())["denoised_psnr_db"]
    assert gains["--sequence"] > gains["--quiet"] + 0.5


def test_a_video_keeps_size_and_rate(dae_edge: Run, tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", rate=20)
    assert dae_edge("denoise", source, tmp_path / "out.mp4", "-q").code == 0
    video = cv2.VideoCapture(str(tmp_path / "out.mp4"))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(20)
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 12
    assert video.get(cv2.CAP_PROP_FRAME_WIDTH) == 64


def test_live_writes_video_picture_and_figures(dae_edge: Run, tmp_path: Path) -> None:
    video, snapshot, figures = (tmp_path / name for name in ("o.mp4", "s.png", "f.json"))
    ended = dae_edge(
        "live", "--source", "demo", "--size", "160x120", "--seconds", "1", "--no-window",
        "--output", video, "--snapshot", snapshot, "--json", figures,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert cv2.imread(str(snapshot)).shape == (120, 320, 3)
    known = json.loads(figures.read_text())
    assert known["frames"] > 5
    assert known["denoised_psnr_db"] > known["noisy_psnr_db"]
    assert known["p50_ms"] <= known["p99_ms"]
    assert cv2.VideoCapture(str(video)).read()[0]


def test_live_takes_a_file_to_its_end(dae_edge: Run, tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", frames=10, rate=50)
    ended = dae_edge("live", "--source", source, "--no-window", "--output", tmp_path / "out.mp4")
    assert ended.code == 0, ended.err
    assert "10 of 64x48" in ended.out


BAD = {
    "missing input": (["denoise", "none.png", "out.png"], 1, "none.png is neither a file nor a folder"),
    "text as model": (["denoise", "in.png", "out.png", "-m", "text.onnx"], 1, "text.onnx cannot be loaded"),
    "text as tflite": (["denoise", "in.png", "out.png", "-m", "text.tflite"], 1, "text.tflite cannot be loaded"),
    "missing model": (["denoise", "in.png", "out.png", "-m", "none.onnx"], 1, "neither a file nor a shipped"),
    "text as video": (["denoise", "text.mp4", "out.mp4"], 1, "text.mp4 is not a video"),
    "text as picture": (["denoise", "text.png", "out.png"], 1, "text.png cannot be read as a picture"),
    "picture to video": (["denoise", "in.png", "out.mp4"], 2, "must end in .png"),
    "empty folder": (["denoise", "empty", "out"], 1, "holds no pictures"),
    "output there": (["denoise", "in.png", "there.png"], 1, "there.png exists; add --force"),
    "folder there": (["denoise", "pictures", "full"], 1, "full exists and is not empty"),
    "output under a file": (["denoise", "in.png", "text.png/out.png"], 1, "cannot be written"),
    "video under a file": (["denoise", "in.mp4", "text.png/out.mp4"], 1, "cannot be written"),
    "bad strength": (["denoise", "in.png", "out.png", "--strength", "2"], 2, "`strength` (=2.0)"),
    "nothing to follow": (["denoise", "in.mp4", "out.mp4", "-m", "lowlight-s", "--follow"], 2, "`follow` (=True)"),
    "bad preset": (["denoise", "in.png", "out.png", "--simulate", "noon"], 2, "`preset` (='noon')"),
    "bad engine": (["denoise", "in.png", "out.png", "--engine", "litert"], 2, "runs .tflite files"),
    "sequence of one": (["denoise", "in.png", "out.png", "--sequence"], 2, "is for a folder"),
    "live missing file": (["live", "--source", "none.mp4", "--no-window"], 1, "none.mp4 is not a file"),
    "live text": (["live", "--source", "text.mp4", "--no-window"], 1, "is not a video"),
    "live compare": (["live", "--source", "demo", "--compare", "up"], 2, "`compare` (='up')"),
    "live seconds": (["live", "--source", "demo", "--seconds", "0"], 2, "`--seconds` (=0)"),
    "live snapshot": (["live", "--source", "demo", "--snapshot", "s.txt", "--no-window"], 2, "`--snapshot` (=s.txt)"),
    "live file size": (["live", "--source", "in.mp4", "--size", "64x48", "--no-window"], 2, "`--size` is for a camera"),
    "live file rate": (["live", "--source", "in.mp4", "--fps", "9", "--no-window"], 2, "`--fps` is for a camera"),
    "live fast demo": (["live", "--source", "demo", "--fast", "--no-window"], 2, "`--fast` is for a file"),
    "live output": (["live", "--source", "demo", "-o", "out.txt", "--no-window"], 2, "must end in .mp4"),
    "live output there": (["live", "--source", "demo", "-o", "in.mp4", "--no-window"], 1, "in.mp4 exists"),
    "bench size": (["bench", "--size", "big"], 2, "`--size` (=big) must be WxH"),
    "bench size 0": (["bench", "--size", "0x720"], 2, "`--size` (=0x720) must be WxH"),
    "bench missing": (["bench", "none.onnx"], 1, "neither a file nor a shipped"),
    "unknown format": (["export", "lowlight", "-f", "onnx-int4"], 2, "`--format` (=onnx-int4) must be one of"),
    "format without size": (["export", "lowlight", "-f", "tflite-fp32"], 2, "`--size` must be given"),
    "dynamic tflite": (["export", "lowlight", "-f", "tflite-fp32", "--size", "dynamic"], 2, "does not go with"),
    "option not taken": (
        ["export", "lowlight", "-f", "onnx-fp32", "--calibration", "pictures"], 2,
        "`--calibration` does not go with onnx-fp32; it goes with onnx-int8, tflite-int8, tflite-int16x8",
    ),
    "loss not taken": (["export", "lowlight", "-f", "onnx-fp16", "--max-loss", "1"], 2, "`--max-loss` does not go with"),
    "loss below 0": (["export", "lowlight", "-f", "onnx-int8", "--max-loss", "-1"], 2, "`--max-loss` (=-1)"),
    "export missing": (["export", "none.keras", "-f", "onnx-fp32"], 1, "neither a .keras file nor"),
    "export text": (["export", "text.keras", "-f", "onnx-fp32"], 1, "not a Keras model"),
    "export suffix": (["export", "lowlight", "-f", "onnx-fp32", "-o", "a.tflite"], 2, "must end in .onnx"),
    "run folder there": (["train", "mnist", "--data", "digits", "-o", "full"], 1, "exists and is not empty"),
    "no run to resume": (["train", "mnist", "--data", "digits", "-o", "empty", "--resume"], 1, "no run to resume"),
    "no digits": (["train", "mnist", "--data", "empty", "-o", "run"], 1, "holds no train-images"),
    "no pictures": (["train", "lowlight", "--data", "empty", "-o", "run"], 1, "holds no pictures"),
    "resume and force": (["train", "mnist", "--resume", "--force"], 2, "give one of them"),
    "nothing to train": (["train", "lowlight", "--keep-memory", "--only-memory"], 2, "leave nothing to train"),
    "no gate to train": (["train", "lowlight", "--only-memory"], 2, "give it by `--start`"),
    "no memory to keep": (["train", "lowlight", "--keep-memory"], 2, "give it by `--start`"),
    "no such start": (["train", "lowlight", "--start", "none.keras"], 2, "`--start` (=none.keras) must be a .keras file"),
    "no such precision": (
        ["train", "lowlight", "--precision", "half"],
        2,
        "(='half') must be one of float32, mixed_bfloat16",
    ),
    "no learning": (["train", "lowlight", "--learning-rate", "0"], 2, "(=0) must be above 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    dae_edge: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    arguments, code, says = BAD[case]
    monkeypatch.chdir(tmp_path)
    for name in ("text.onnx", "text.tflite", "text.mp4", "text.png", "text.keras"):
        Path(name).write_text("just some text")
    cv2.imwrite("in.png", np.zeros((32, 32, 3), np.uint8))
    write_video(Path("in.mp4"), frames=2)
    for name in ("empty", "full", "pictures"):
        Path(name).mkdir()
    for name in ("there.png", "full/old.png", "pictures/a.png"):
        Path(name).write_bytes(Path("in.png").read_bytes())
    before = snapshot(tmp_path)

    ended = dae_edge(*arguments)

    assert ended.code == code
    assert says in ended.err
    assert ended.err.count("\n") == 1  # one sentence
    assert "Traceback" not in ended.err
    assert snapshot(tmp_path) == before


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() if p.is_file() else b"" for p in sorted(folder.rglob("*"))}


def test_a_truncated_tflite_is_one_sentence(
    dae_edge: Run, picture: Path, tiny_tflite: Path, tmp_path: Path
) -> None:
    whole = tiny_tflite.read_bytes()
    for share in (0.3, 0.9, 0.999):
        cut = tmp_path / "cut.tflite"
        cut.write_bytes(whole[: int(share * len(whole))])
        ended = dae_edge("denoise", picture, tmp_path / "out.png", "-m", cut)
        assert ended.code == 1
        assert "cut.tflite cannot be loaded" in ended.err
        assert not (tmp_path / "out.png").exists()


def test_a_missing_extra_says_what_to_install(dae_edge: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from dae_edge.cli import extras

    monkeypatch.setitem(extras._MODULES, "export", ("no_such_module",))
    ended = dae_edge("export", "lowlight", "-f", "onnx-fp32")
    assert ended.code == 1
    assert 'pip install "dae-edge[export]"' in ended.err
