"""Reading a source: files keep every frame, live sources the newest, and a lost camera comes back."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from dae_edge.camera.capture import FileCapture, LiveCapture, Patience
from dae_edge.camera.capture.sameness import Sameness
from dae_edge.camera.notices import Notices
from dae_edge.camera.sources import Shot
from dae_edge.errors import CameraError
from tests.support import FakeCamera, wait_for

SHORT = Patience(
    opening=0.3, silence=0.1, refusal=0.05, sameness=0.1, same_frames=4, first_wait=0.02, last_wait=0.1
)


def watch(capture: LiveCapture, seconds: float) -> list[int]:
    """The numbers of the frames taken for so long."""
    until = time.monotonic() + seconds
    numbers = []
    while time.monotonic() < until:
        if (captured := capture.take(0.02)) is not None:
            numbers.append(captured.number)
    return numbers


def threads() -> int:
    return sum(thread.name == "capture" for thread in threading.enumerate())


def test_a_file_loses_no_frame_even_to_a_slow_loop() -> None:
    capture = FileCapture(FakeCamera(["frame"] * 10, then="none", live=False, rate=1000))
    seen = []
    while (captured := capture.take(2)) is not None:
        time.sleep(0.01)
        seen.append(int(captured.shot.frame[0, 0, 0]))
    assert seen == list(range(1, 11))
    assert capture.ended


def test_a_failure_in_a_files_thread_comes_after_the_frames_before_it() -> None:
    capture = FileCapture(FakeCamera(["frame", "raise"], live=False))
    assert capture.take(1) is not None
    with pytest.raises(OSError, match="unplugged"):
        capture.take(1)


def test_closing_frees_a_thread_that_waits_for_the_loop() -> None:
    before = threads()
    source = FakeCamera(live=False, rate=1000)
    capture = FileCapture(source)
    time.sleep(0.05)
    capture.close()
    assert threads() == before
    assert source.closed == 1


def test_from_a_camera_the_newest_frame_wins() -> None:
    source = FakeCamera(rate=500)
    capture = LiveCapture(source)
    time.sleep(0.2)
    captured = capture.take(1)
    assert captured is not None
    assert captured.number >= source.reads - 2
    assert time.monotonic() - captured.taken < 0.1
    assert capture.dropped == captured.number
    capture.close()
    assert source.closed == 1


@pytest.mark.parametrize("fault", ["block", "none", "raise", "same"])
def test_a_camera_that_fails_is_opened_anew(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    first = FakeCamera(["frame"] * 5, then=fault, revive=lambda count: FakeCamera())
    capture = LiveCapture(first, patience=SHORT)
    with caplog.at_level(logging.INFO, "dae_edge"):
        assert wait_for(lambda: bool(capture.take(0.02)) and capture.reopened == 1)
        watch(capture, 0.1)
    assert capture.status == ""
    assert "is lost" in caplog.text
    assert "is back" in caplog.text
    first.unblock.set()
    capture.close()
    assert wait_for(lambda: first.closed == 1)


def test_a_new_clip_begins_with_every_opening() -> None:
    capture = LiveCapture(FakeCamera(["frame"] * 5, then="raise"), patience=SHORT)
    clips: list[int] = []
    while len(set(clips)) < 3:
        if (captured := capture.take(1)) is not None:
            clips.append(captured.clip)
    capture.close()
    assert clips == sorted(clips)


def test_a_single_refusal_is_no_loss() -> None:
    capture = LiveCapture(FakeCamera(["frame", "none", "frame", "none", "none"] * 20), patience=SHORT)
    assert len(watch(capture, 0.4)) > 10
    assert capture.reopened == 0
    capture.close()


def test_a_camera_that_dies_twenty_times_comes_back_twenty_times() -> None:
    before = threads()
    faults = ["none", "raise", "same", "block"]

    def revive(count: int) -> FakeCamera:
        return FakeCamera(["frame"] * 6, then=faults[count % 3] if count < 20 else "frame")

    first = FakeCamera(["frame"] * 6, then="none", revive=revive)
    capture = LiveCapture(first, patience=SHORT)
    assert wait_for(lambda: bool(capture.take(0.02)) and capture.reopened == 20, 30)
    assert len(watch(capture, 0.2)) > 5
    assert capture.reopened == 20
    assert threads() == before + 1
    assert all(camera.closed == 1 for camera in first.openings[:-1])
    capture.close()
    assert threads() == before


def test_reads_that_never_return_are_left_behind_but_not_without_end() -> None:
    before = threads()
    first = FakeCamera(then="block")
    capture = LiveCapture(first, patience=SHORT)
    assert wait_for(lambda: capture.take(0.01) is None and "hang in its driver" in capture.status, 20)
    assert threads() - before == 8
    for camera in list(first.openings):  # the driver lets go
        camera._revive = lambda count: FakeCamera()
        camera.unblock.set()
    assert wait_for(lambda: bool(capture.take(0.02)))
    capture.close()
    assert wait_for(lambda: threads() == before)


def test_a_blocked_read_does_not_block_the_end() -> None:
    source = FakeCamera(then="block")
    capture = LiveCapture(source)
    assert capture.take(0.05) is None
    began = time.perf_counter()
    capture.close()
    assert time.perf_counter() - began < 1.5
    assert source.closed == 0, "releasing under a read() in progress can crash"
    source.unblock.set()
    assert wait_for(lambda: source.closed == 1)


def test_a_slow_camera_is_not_a_lost_one() -> None:
    capture = LiveCapture(FakeCamera(rate=5), patience=SHORT)
    numbers = watch(capture, 1.5)
    assert capture.reopened == 0
    assert len(numbers) >= 4
    assert capture.period == pytest.approx(0.2, rel=0.6)
    capture.close()


def test_waits_grow_while_it_stays_away_and_begin_anew_when_it_was_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def gone(count: int) -> FakeCamera:
        raise CameraError("nobody there.")

    first = FakeCamera(["frame"] * 3, then="raise", revive=gone)
    patience = replace(SHORT, first_wait=0.1, last_wait=0.4, frames=3)
    capture = LiveCapture(first, patience=patience, notices=Notices(0))

    def waits() -> list[str]:
        return [message.split()[-2] for message in caplog.messages if "is lost" in message]

    with caplog.at_level(logging.INFO, "dae_edge"):
        assert wait_for(lambda: capture.take(0.02) is None and len(waits()) == 5)
        assert waits() == ["0.1", "0.2", "0.4", "0.4", "0.4"]
        assert "nobody there; trying again" in caplog.messages[-1]
        assert "camera lost, trying again" in capture.status
        first._revive = lambda count: FakeCamera(["frame"] * 3, then="raise")
        assert wait_for(lambda: capture.take(0.02) is None and len(waits()) == 6)
    assert waits()[-1] == "0.1"
    capture.close()


def test_a_scene_that_stands_still_costs_one_opening_only() -> None:
    still = FakeCamera(["frame"], then="same")
    capture = LiveCapture(still, patience=SHORT)
    watch(capture, 0.8)
    assert capture.reopened == 1
    assert capture.status == ""
    capture.close()


def test_frames_that_differ_in_one_pixel_are_not_the_same() -> None:
    sameness = Sameness(Patience(sameness=1.0, same_frames=2))
    frame = np.zeros((64, 64, 3), np.uint8)
    for second in range(5):
        other = frame.copy()
        other[37, 5, 1] = second
        sameness.add(other, second)
    assert not sameness.suspicious(5)
    for second in range(5, 9):
        sameness.add(other.copy(), second)
    assert sameness.suspicious(9)
    sameness.excuse()
    assert not sameness.suspicious(20)
    sameness.add(frame, 20)
    for second in range(21, 25):
        sameness.add(frame.copy(), second)
    assert sameness.suspicious(25), "after a change it is watched again"


def test_what_is_on_its_way_when_a_camera_is_given_up_is_not_shown() -> None:
    class Late(FakeCamera):
        def read(self) -> Shot | None:
            if self.reads == 3 and self.unblock.wait(60):
                self.reads += 1
                return Shot(np.full((32, 48, 3), 255, np.uint8))
            return super().read()

    late = Late(revive=lambda count: FakeCamera())
    capture = LiveCapture(late, patience=SHORT)
    assert wait_for(lambda: bool(capture.take(0.02)) and capture.reopened == 1)
    late.unblock.set()
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        captured = capture.take(0.02)
        assert captured is None or captured.shot.frame[0, 0, 0] < 100
    capture.close()


def test_the_log_is_neither_flooded_nor_told_secrets(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    notices = Notices(10, clock=lambda: now[0])
    with caplog.at_level(logging.INFO, "dae_edge"):
        for second in range(25):
            now[0] = second
            notices.say("lost", "rtsp://me:pa@ss@cam/1?token=abc is lost")
    assert len(caplog.messages) == 3
    assert caplog.messages[1].endswith("(9 more like this before it)")
    for secret in ("me:", "pa", "ss@", "abc"):
        assert secret not in caplog.messages[0].replace("lost", "")
