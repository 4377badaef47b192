"""Recordings and snapshots."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import pytest

from dae_edge.camera import Controls
from dae_edge.camera.sinks import (
    Snapshots,
    dated,
    numbered,
)
from tests.dae_edge.sinks.support import read_video, recorder, view


def test_a_recording_lasts_as_long_as_what_was_seen(tmp_path: Path) -> None:
    """Four frames a second and a stall, written at twenty: nothing plays too fast."""
    sink = recorder(Controls(recording=True), tmp_path / "out.mp4")
    began = time.monotonic()
    for number in range(3):
        sink.show(view(number, 60 + 40 * number))
        time.sleep(0.25)
    held = view(2, 140)
    while time.monotonic() - began < 1.5:  # the camera is lost: the last frame is held
        sink.show(held)
        seen = time.monotonic() - began
        time.sleep(0.1)
    sink.close()
    frames, rate = read_video(tmp_path / "out.mp4")
    assert len(frames) / rate == pytest.approx(seen, abs=0.2)
    levels = [int(frame[24, 32, 0]) for frame in frames]
    assert levels == sorted(levels)
    assert sum(level > 120 for level in levels) > 10
    assert sink.written == [tmp_path / "out.mp4"]


def test_of_a_file_every_frame_is_written_once(tmp_path: Path) -> None:
    sink = recorder(Controls(recording=True), tmp_path / "out.mp4", live=False)
    for number in (0, 1, 2, 2, 2, 3):  # it was frozen at 2
        sink.show(view(number))
    sink.close()
    assert len(read_video(tmp_path / "out.mp4")[0]) == 4


def test_recording_is_turned_on_and_off_while_it_runs(tmp_path: Path) -> None:
    controls = Controls()
    sink = recorder(controls, tmp_path / "out.mp4", live=False)
    for number in range(12):
        controls.recording = number in (2, 3, 4, 8, 9)
        sink.show(view(number))
    sink.close()
    assert sink.written == [tmp_path / "out.mp4", tmp_path / "out-2.mp4"]
    assert [len(read_video(path)[0]) for path in sink.written] == [3, 2]


def test_a_recording_that_cannot_be_written_ends_and_says_so(tmp_path: Path) -> None:
    controls = Controls(recording=True)
    (tmp_path / "out.mp4").write_text("older")
    sink = recorder(controls, tmp_path / "out.mp4")
    sink.show(view())
    assert not controls.recording
    assert "--force" in controls.notice
    sink.show(view(1))
    sink.close()
    assert len(sink.failures) == 1
    assert (tmp_path / "out.mp4").read_text() == "older"


def test_names_never_meet_a_file_that_exists(tmp_path: Path) -> None:
    (tmp_path / "a-2.mp4").touch()
    names = numbered(tmp_path / "a.mp4")
    assert [next(names).name for _ in range(2)] == ["a.mp4", "a-3.mp4"]
    stamps = dated(".png", tmp_path)
    first = next(stamps)
    first.touch()
    assert next(stamps) != first


def test_a_snapshot_is_written_when_asked_for(tmp_path: Path) -> None:
    controls = Controls()
    sink = Snapshots(controls, dated(".png", tmp_path))
    sink.show(view())
    controls.snapshot()
    sink.show(view())
    sink.show(view())
    sink.close()
    assert len(sink.written) == 1
    picture = cv2.imread(str(sink.written[0]))
    assert picture is not None
    assert picture.shape == (48, 128, 3)
    assert controls.notice == f"wrote {sink.written[0]}"
