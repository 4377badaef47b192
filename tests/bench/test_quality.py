"""Clips, opponents and scores, small enough to check by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import dae_edge
from dae_edge.bench import quality
from dae_edge.bench.clips import Clip, read_clip, read_pairs, room
from dae_edge.bench.peers import HQDN3D, NLMEANS, MotionAverage, NonLocalMeans, Setting
from dae_edge.errors import BadValueError, MediaError
from tests.support import write_video


@pytest.fixture(scope="module")
def seen() -> quality.Seen:
    return quality.see(room(10, (96, 64)), "dark", seed=1)


@dataclass(frozen=True)
class Brighten:
    """An opponent that is right at setting 0 only."""

    truth: Sequence[np.ndarray]
    streaming: bool
    name: str = "brighten"
    settings: tuple[Setting, ...] = ((7,), (0,), (3,))

    def run(self, frames: Sequence[np.ndarray], setting: Setting) -> list[np.ndarray]:
        clean = self.truth if self.streaming or len(frames) == len(self.truth) else self.truth[8::5]
        return [np.clip(c.astype(int) + int(setting[0]), 0, 255).astype(np.uint8) for c in clean]


@pytest.mark.parametrize("streaming", [True, False])
def test_an_opponent_is_shown_at_its_best_setting(seen: quality.Seen, streaming: bool) -> None:
    score = quality.best(seen, Brighten(seen.clean, streaming))
    assert score.setting == "0"
    assert score.later == float("inf")
    assert score.figures()["later"] is None


def test_first_and_later_are_what_they_say(seen: quality.Seen) -> None:
    half = [*seen.clean[:1], *seen.noisy[1:8], *seen.clean[8:]]
    score = seen.score("half", half)
    assert score.first == score.later == float("inf")
    assert seen.score("noisy", seen.noisy).later < 30


def test_a_model_starts_every_clip_afresh(seen: quality.Seen) -> None:
    models = [("lowlight", dae_edge.load("lowlight", threads=1))]
    once, again = (quality.evaluate(seen, models, []) for _ in range(2))
    assert once == again
    noisy, ours = once
    assert ours.later > noisy.later + 3


@pytest.mark.parametrize("peer", [NonLocalMeans(), MotionAverage(), HQDN3D, NLMEANS], ids=lambda p: p.name)
def test_every_opponent_denoises(seen: quality.Seen, peer: Any) -> None:
    if peer.name.startswith("ffmpeg") and not shutil.which("ffmpeg"):
        pytest.skip("the ffmpeg program is not installed")
    score = quality.best(seen, peer)
    assert score.later > seen.score("noisy", seen.noisy).later + 1.5
    assert score.setting


def test_clips_come_from_videos_folders_and_stills(tmp_path: Path) -> None:
    video = read_clip(write_video(tmp_path / "a.mp4"), 5, None)
    assert len(video.frames) == 5
    (tmp_path / "folder").mkdir()
    for index in range(3):
        cv2.imwrite(str(tmp_path / "folder" / f"{index}.png"), np.full((41, 60, 3), index, np.uint8))
    folder = read_clip(tmp_path / "folder", 5, None)
    assert [int(f[0, 0, 0]) for f in folder.frames] == [0, 1, 2]
    assert folder.frames[0].shape == (40, 60, 3)  # even, for the mosaic
    still = read_clip(tmp_path / "folder" / "2.png", 4, (30, 30))
    assert len(still.frames) == 4
    assert still.frames[0].shape == (20, 30, 3)


def test_pairs_are_matched_by_name(tmp_path: Path) -> None:
    for name in ("a_real", "a_mean", "noisy_2", "clean_2", "lonely_real"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((8, 8, 3), len(name), np.uint8))
    found = read_pairs(tmp_path)
    assert [name for name, _, _ in found] == ["a", "2"]
    assert all(noisy.shape == clean.shape for _, noisy, clean in found)


def test_wrong_clips_are_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="holds no pictures"):
        read_clip(tmp_path, 3, None)
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(BadValueError, match="holds no pairs"):
        read_pairs(tmp_path)
    cv2.imwrite(str(tmp_path / "a_real.png"), np.zeros((8, 8, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "a_mean.png"), np.zeros((8, 10, 3), np.uint8))
    with pytest.raises(MediaError, match=r"a_real.png and a_mean.png are not of one size"):
        read_pairs(tmp_path)
    cv2.imwrite(str(tmp_path / "y.png"), np.zeros((10, 8, 3), np.uint8))
    with pytest.raises(MediaError, match="not all of one size"):
        read_clip(tmp_path, 3, None)


def test_clean_light_leaves_the_frames_as_they_are() -> None:
    clip = Clip("flat", [np.full((8, 8, 3), 7, np.uint8)])
    assert quality.see(clip, "clean", seed=0).noisy is clip.frames


def test_the_command_reports_and_writes_json(dae_edge: Callable[..., Any], tmp_path: Path) -> None:
    import json

    cv2.imwrite(str(tmp_path / "still.png"), np.full((48, 64, 3), 90, np.uint8))
    ended = dae_edge(
        "evaluate", "--clip", tmp_path / "still.png", "--preset", "dim", "--frames", 9,
        "--json", tmp_path / "figures.json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "lowlight" in ended.out
    scores = json.loads((tmp_path / "figures.json").read_text())["scores"]
    assert [s["method"] for s in scores] == ["noisy", "lowlight"]
    assert scores[1]["later"] > scores[0]["later"] + 6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--pairs", "x", "--preset", "dim"], "`--pairs` has its own noise"),
        (["--sequence"], "`--sequence` is for `--pairs`"),
        (["--preset", "night"], "must be one of dim, dark, very-dark"),
    ],
)
def test_the_command_refuses_in_one_sentence(
    dae_edge: Callable[..., Any], arguments: list[str], sentence: str
) -> None:
    ended = dae_edge("evaluate", *arguments)
    assert ended.code == 2
    assert sentence in ended.err.replace("\n", " ")
