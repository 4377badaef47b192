"""Scores small enough to check by hand, the search for settings, and the run that holds them together."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dae_edge.bench import evaluation, motion
from dae_edge.bench.apart import Apart, Died
from dae_edge.bench.clips import room
from dae_edge.bench.evaluation import Folder
from dae_edge.bench.method import Knob, Memory, Noisy, Output, Setting
from dae_edge.bench.models import Model
from dae_edge.bench.opponents import opponents
from dae_edge.bench.quality import PERFECT, facts, measure
from dae_edge.bench.search import at_the_end, best_setting
from dae_edge.bench.takes import Frames, Take
from dae_edge.runtime.load import SHIPPED
from dae_edge.sensor import SimulatedCamera, preset

OURS = Model("lowlight", SHIPPED["lowlight"], 1)
TAKE = Take("room", "dark", None, 6, (96, 64), 5)


@dataclass(frozen=True)
class Brighten:
    """A method that is right at setting 0 only; `breaks` says how it fails."""

    clean: tuple[Any, ...] = ()
    name: str = "brighten"
    kind: str = "opponent"
    memory: Memory = "none"
    knobs: tuple[Knob, ...] = (Knob("levels", (-9, -3, 0, 2, 7, 12)),)
    tries: int = 0
    most: int = 0
    note: str = ""
    identity: str = ""
    breaks: str = ""

    def run(
        self, frames: Sequence[Any], wanted: Sequence[int], setting: Setting, *, timed: bool = False
    ) -> Output:
        if self.breaks == "raises":
            raise ValueError("no such kernel\nand a long trace")
        if self.breaks == "dies":
            os.abort()
        clean = self.clean or frames
        done = [np.clip(clean[i].astype(int) + int(setting[0]), 0, 255).astype(np.uint8) for i in wanted]
        return Output(done, [2.0, 4.0, 90.0])


@pytest.fixture(scope="module")
def seen() -> Frames:
    clip, camera = room(10, (96, 64)), SimulatedCamera(preset("dark"), seed=1)
    return Frames([camera.capture(f) for f in clip.frames], [camera.clean(f) for f in clip.frames])


def test_a_method_is_shown_at_its_best_setting(seen: Frames) -> None:
    score = measure(seen, Brighten(tuple(seen.clean))).score
    assert score.setting == {"levels": 0}
    assert score.first == score.later == PERFECT
    assert score.ssim == pytest.approx(1)
    assert score.ms == 4.0
    assert score.at_end == []


def test_the_search_finds_the_top_of_any_hill() -> None:
    values = tuple(range(14))
    knobs = (Knob("a", values), Knob("b", values[:5]))
    for top in itertools.product(values, values[:5]):
        asked: list[Setting] = []

        def worth(setting: Setting, top: Setting = top, asked: list[Setting] = asked) -> float:
            asked.append(setting)
            return -abs(setting[0] - top[0]) - 2 * abs(setting[1] - top[1])

        assert best_setting(knobs, worth) == top
        assert len(asked) == len(set(asked)) <= 30
    assert at_the_end(knobs, (0, 2)) == ["a"]
    assert best_setting((), worth) == ()


def test_frames_that_are_scored() -> None:
    frame = np.zeros((16, 16, 3), np.uint8)

    def taken(count: int) -> Frames:
        return Frames([frame] * count, [frame] * count)

    assert [i + 1 for i in taken(24).scored] == [1, 2, 4, 8, 16, 21, 22, 23, 24]
    assert [i + 1 for i in taken(24).later] == [16, 21, 22, 23, 24]
    assert [i + 1 for i in taken(32).scored] == [1, 2, 4, 8, 16, 24, 29, 30, 31, 32]
    assert taken(3).scored == [0, 1, 2]
    assert taken(3).later == [2]
    assert taken(1).scored == taken(1).later == [0]


def test_one_frame_has_no_figures_over_time(seen: Frames) -> None:
    alone = Frames(seen.noisy[:1], seen.clean[:1])
    score = measure(alone, OURS).score
    assert score.first == score.later
    assert (score.flicker, score.ghost) == (None, None)
    assert list(score.convergence) == ["1"]
    assert facts(alone)["at_rest"] is None


def test_our_model_gains_and_settles(seen: Frames) -> None:
    noisy, ours = (measure(seen, method).score for method in (Noisy(), OURS))
    assert ours.later > noisy.later + 3  # type: ignore[operator]
    assert ours.flicker < noisy.flicker / 3  # type: ignore[operator]
    assert ours.ms > 0  # type: ignore[operator]
    assert noisy.ms is None
    assert list(ours.convergence) == ["1", "2", "4", "8"]
    assert ours.convergence["8"] > ours.convergence["1"]


def moving_square(frames: int = 14) -> list[np.ndarray]:
    """A bright square that moves 5 pixels a frame to the right over a grey ground."""
    clip = []
    for index in range(frames):
        picture = np.full((64, 160, 3), 60, np.uint8)
        picture[20:44, 5 * index : 5 * index + 24] = 200
        clip.append(picture)
    return clip


def test_what_rests_and_what_was_uncovered() -> None:
    clip = moving_square()
    rest = motion.at_rest(clip[-4:])
    assert rest is not None
    assert rest[:10].all()
    assert not rest[20:44, 50:94].any()
    mask = motion.uncovered(clip, 10)
    assert mask[30, 32:43].all()  # left by the square two to four frames ago
    assert mask[30, 56:68].all()  # inside of the square, which covers it since a few frames
    assert not mask[30, 46:50].any()  # left just now
    assert not mask[30, 72:].any()
    assert not mask[:10].any()
    assert motion.flicker(clip[-4:], rest) == 0
    assert motion.at_rest(clip[:1]) is None


@dataclass(frozen=True)
class Average(Brighten):
    """Mean of the last three frames: it leaves ghosts behind what moves."""

    memory: Memory = "past"
    knobs: tuple[Knob, ...] = ()

    def run(
        self, frames: Sequence[Any], wanted: Sequence[int], setting: Setting, *, timed: bool = False
    ) -> Output:
        return Output(
            [np.mean(frames[max(i - 2, 0) : i + 1], axis=0).round().astype(np.uint8) for i in wanted]
        )


def test_ghosts_are_found_behind_what_moves() -> None:
    clean = moving_square(16)
    random = np.random.default_rng(0)
    noisy = [np.clip(f + random.normal(0, 2, f.shape), 0, 255).astype(np.uint8) for f in clean]
    seen = Frames(noisy, clean)
    assert measure(seen, Average()).score.ghost > 10  # type: ignore[operator]
    assert measure(seen, replace(Brighten(), knobs=(Knob("levels", (0,)),))).score.ghost is None


@pytest.mark.parametrize("opponent", opponents(1), ids=lambda o: o.key)
def test_every_opponent_denoises(opponent: Any, seen: Frames) -> None:
    if opponent.missing:
        pytest.skip(opponent.missing)
    if opponent.key == "bm3d":
        seen = Frames([f[:24, :24] for f in seen.noisy[:1]], [f[:24, :24] for f in seen.clean[:1]])
    # A few of the values are enough here, and each takes a process of ffmpeg.
    few = tuple(
        Knob(k.name, k.values[len(k.values) // 2 :: len(k.values) // 2]) for k in opponent.method.knobs
    )
    method = replace(opponent.method, knobs=few)
    score = measure(seen, method).score
    noisy = measure(seen, Noisy()).score
    assert score.later > noisy.later + 1.5  # type: ignore[operator]
    assert score.ms > 0  # type: ignore[operator]
    assert len(score.times) >= 3  # a median of fewer would be no better than one of them
    assert set(score.setting) == {knob.name for knob in method.knobs}


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="the ffmpeg program is not installed")
def test_a_filter_gives_the_same_frames_whatever_is_asked_for(seen: Frames) -> None:
    for opponent in opponents(1):
        if opponent.key not in ("hqdn3d", "atadenoise", "fftdnoiz", "nlmeans"):
            continue
        setting = tuple(knob.values[1] for knob in opponent.method.knobs)
        every = opponent.method.run(seen.noisy, range(10), setting).frames
        some = opponent.method.run(seen.noisy, [3, 7], setting).frames
        assert np.array_equal(every[3], some[0]), opponent.key
        assert np.array_equal(every[7], some[1]), opponent.key


def test_missing_programs_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dae_edge.bench.opponents.ffmpeg.installed", lambda: False)
    monkeypatch.setattr("dae_edge.bench.opponents.bm3d.installed", lambda: False)
    missing = {o.key: o.missing for o in opponents(2) if o.missing}
    assert missing["hqdn3d"] == "the ffmpeg program is not installed"
    assert "pip install bm3d" in missing["bm3d"]
    assert "nlm" not in missing


def test_a_method_that_fails_costs_its_own_row_only(tmp_path: Path) -> None:
    methods = [Noisy(), Brighten(name="raising", breaks="raises"), OURS]
    cells = evaluation.evaluate([TAKE], methods, Folder(tmp_path), threads=1, apart=False)
    assert cells[1].score.problem == "no such kernel"
    assert cells[2].score.later is not None
    assert len(list((tmp_path / "cells").iterdir())) == 2  # what failed is tried again the next time
    rows = evaluation.means(cells)
    assert [row["takes"] for row in rows] == [1, 0, 1]
    assert rows[1]["problem"] == "no such kernel"


def test_a_method_that_dies_costs_its_own_row_only(tmp_path: Path) -> None:
    methods = [Brighten(name="dying", breaks="dies"), OURS]
    cells = evaluation.evaluate([TAKE], methods, Folder(tmp_path), threads=1)
    assert cells[0].score.problem == "its process died of SIGABRT"
    assert cells[1].score.later is not None


def test_what_is_finished_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path)
    begun: list[str] = []

    def stop(what: str, done: int, total: int) -> None:
        begun.append(what)
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluation.evaluate([TAKE], [Noisy(), OURS], folder, threads=1, apart=False, say=stop)
    assert begun == ["room dark: noisy", "room dark: lowlight"]

    measured: list[str] = []
    really = evaluation.measure_cell
    monkeypatch.setattr(
        evaluation, "measure_cell", lambda t, m, f, n: (measured.append(m.name), really(t, m, f, n))[1]
    )
    first = evaluation.evaluate([TAKE], [Noisy(), OURS], folder, threads=1, apart=False)
    assert measured == ["lowlight"]
    again = evaluation.evaluate([TAKE], [Noisy(), OURS], folder, threads=1, apart=False)
    assert measured == ["lowlight"]
    assert again == first
    darker = replace(TAKE, light="very-dark")
    evaluation.evaluate([darker], [Noisy()], folder, threads=1, apart=False)
    assert measured == ["lowlight", "noisy"]
    for cell in folder.cells.iterdir():
        cell.write_text("{ cut short")
    evaluation.evaluate([TAKE], [OURS], folder, threads=1, apart=False)
    assert measured[-1] == "lowlight"
    evaluation.evaluate([TAKE], [OURS], folder, threads=1, apart=False, again=True)
    assert len(measured) == 4


def test_the_record_is_what_the_docs_say(tmp_path: Path) -> None:
    methods = [Noisy(), OURS]
    cells = evaluation.evaluate([TAKE], methods, Folder(tmp_path), threads=1, apart=False)
    record = evaluation.record([TAKE], methods, cells, {"BM3D": "not installed"}, {"cpu": "x"}, {"frames": 6})
    json.dumps(record, allow_nan=False)
    text = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text()
    names = {
        *record, *record["takes"][0], *record["cells"][1], *record["means"][0],
        *(key for method in record["methods"] for key in method),
    }  # fmt: skip
    assert {name for name in names if f"`{name}`" not in text} == set()
    assert record["methods"][1]["kB"] == round(OURS.path.stat().st_size / 1024)
    for cell in record["cells"]:
        assert all((tmp_path / name).is_file() for name in cell["pictures"].values())


def test_a_process_apart_answers_raises_and_is_replaced() -> None:
    with Apart() as worker:
        assert worker.call(len, "four") == 4
        with pytest.raises(ValueError, match="invalid literal"):
            worker.call(int, "four")
        with pytest.raises(Died, match="SIGABRT"):
            worker.call(os.abort)
        assert worker.call(abs, -1) == 1
