"""Where frames go: files of the right length, pipes with nothing but frames, windows with keys."""

from __future__ import annotations

import os
import sys
import threading
import time
import types
from pathlib import Path

import cv2
import numpy as np
import pytest

from dae_edge.camera import Controls, Figures, View, sinks
from dae_edge.camera.overlay import Compose, fit
from dae_edge.camera.sinks import (
    Recorder,
    Snapshots,
    Stdout,
    VideoFile,
    VirtualCamera,
    Window,
    dated,
    numbered,
)
from dae_edge.camera.sinks import video_file as video_file_module
from dae_edge.camera.sinks.steady import Steady
from dae_edge.camera.sinks.worker import Worker
from dae_edge.errors import BadValueError, MissingExtraError, OutputError
from tests.support import wait_for

QUIET = Figures(0.0, 0.0, 0.0, 0, "")


def view(number: int = 0, level: int = 100, size: tuple[int, int] = (48, 64), status: str = "") -> View:
    before = np.full((*size, 3), level // 2, np.uint8)
    after = np.full((*size, 3), level, np.uint8)
    return View(before, after, number, time.monotonic(), Figures(30.0, 10.0, 15.0, 0, status))


def read_video(path: Path) -> tuple[list[np.ndarray], float]:
    video = cv2.VideoCapture(str(path))
    frames = []
    while (got := video.read())[0]:
        frames.append(got[1])
    return frames, video.get(cv2.CAP_PROP_FPS)


# The picture


@pytest.mark.parametrize(("compare", "width"), [("off", 64), ("before", 64), ("split", 64), ("side", 128)])
@pytest.mark.parametrize("figures", [True, False])
def test_every_comparison_has_its_size_and_leaves_the_view_alone(
    compare: str, width: int, figures: bool
) -> None:
    shown = view(status="camera lost, trying again in 4 s")
    kept = shown.before.copy(), shown.after.copy()
    picture = Compose(Controls(compare=compare), figures=figures)(shown)
    assert picture.shape == (48, width, 3)
    assert np.array_equal(shown.before, kept[0])
    assert np.array_equal(shown.after, kept[1])
    if not figures and compare in ("off", "before"):
        assert picture is (shown.after if compare == "off" else shown.before)


def test_a_picture_is_composed_once_for_all_sinks() -> None:
    controls = Controls(compare="side")
    compose, shown = Compose(controls), view()
    assert compose(shown) is compose(shown)
    controls.compare = "split"
    assert compose(shown).shape == (48, 64, 3)


def test_a_frame_is_fitted_with_its_shape_kept() -> None:
    fitted = fit(np.full((50, 100, 3), 200, np.uint8), (60, 60))
    assert fitted.shape == (60, 60, 3)
    assert (fitted[30] == 200).all()
    assert not fitted[:14].any()
    assert not fitted[46:].any()


# Steady rates


def test_five_frames_a_second_become_thirty() -> None:
    steady = Steady(30)
    frames = []
    for index in range(6):
        frames += ["old"] * steady.missing(index / 5) + ["new"] * steady.due(index / 5)
    assert len(frames) == 31
    assert frames.count("new") == 6
    assert frames[::6] == ["new"] * 6


def test_sixty_frames_a_second_become_thirty() -> None:
    steady = Steady(30)
    written = sum(steady.missing(index / 60) + steady.due(index / 60) for index in range(61))
    assert written == 31


# Video files


@pytest.mark.parametrize("size", [(64, 48), (65, 49)])
@pytest.mark.parametrize("with_ffmpeg", [True, False])
def test_a_video_is_written_whole(
    tmp_path: Path, size: tuple[int, int], with_ffmpeg: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if with_ffmpeg and not sinks.ffmpeg_works():
        pytest.skip("no ffmpeg on this machine")
    if not with_ffmpeg:
        monkeypatch.setattr(video_file_module, "ffmpeg_works", lambda: False)
        if size[0] % 2:
            pytest.skip("OpenCV's own encoder takes even sizes only")
    target = tmp_path / "out.mp4"
    sink = VideoFile(target, rate=30000 / 1001)
    for _ in range(9):
        sink.write(np.full((size[1], size[0], 3), 99, np.uint8))
    assert not target.exists()
    sink.close()
    frames, rate = read_video(target)
    assert rate == pytest.approx(29.97, abs=0.01)
    assert [frame.shape for frame in frames] == [(size[1], size[0], 3)] * 9
    assert os.listdir(tmp_path) == ["out.mp4"]


def test_a_video_without_frames_or_not_to_keep_leaves_nothing(tmp_path: Path) -> None:
    VideoFile(tmp_path / "a.mp4", rate=10).close()
    sink = VideoFile(tmp_path / "b.mp4", rate=10)
    sink.write(np.zeros((48, 64, 3), np.uint8))
    sink.close(keep=False)
    assert os.listdir(tmp_path) == []


def test_a_frame_of_another_size_does_not_spoil_the_video(tmp_path: Path) -> None:
    sink = VideoFile(tmp_path / "a.mp4", rate=10)
    for size in ((48, 64, 3), (96, 128, 3), (48, 64, 3)):
        sink.write(np.full(size, 120, np.uint8))
    sink.close()
    frames, _ = read_video(tmp_path / "a.mp4")
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    assert np.abs(np.stack(frames).astype(int) - 120).max() < 8


def test_a_video_refuses_what_it_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(BadValueError, match=r"must end in \.mp4"):
        VideoFile(tmp_path / "a.txt", rate=10)
    (tmp_path / "b.mp4").write_text("older")
    with pytest.raises(OutputError, match="--force"):
        VideoFile(tmp_path / "b.mp4", rate=10)


# Recordings


def recorder(controls: Controls, path: Path, *, rate: float = 20.0, live: bool = True) -> Recorder:
    compose = Compose(controls, figures=False)
    return Recorder(controls, compose, numbered(path), rate=rate, live=live)


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


# Threads behind sinks


def test_a_slow_worker_drops_the_oldest_and_never_blocks() -> None:
    gate, done = threading.Event(), []

    def work(item: int) -> None:
        gate.wait(5)
        done.append(item)

    worker = Worker(work, room=2)
    began = time.perf_counter()
    for item in range(100):
        worker.put(item)
    assert time.perf_counter() - began < 1
    gate.set()
    assert worker.close(5)
    assert done[-2:] == [98, 99]
    assert len(done) <= 4


def test_where_every_item_counts_a_worker_makes_wait() -> None:
    done: list[int] = []
    worker = Worker(lambda item: (time.sleep(0.002), done.append(item)), room=2, every=True)
    for item in range(30):
        worker.put(item)
    worker.close()
    assert done == list(range(30))


def test_a_workers_failure_reaches_whoever_puts() -> None:
    def work(item: int) -> None:
        raise OSError("disk full")

    worker = Worker(work, every=True)
    worker.put(0)
    assert wait_for(lambda: worker.done)
    with pytest.raises(OSError, match="disk full"):
        worker.put(1)


def test_a_worker_that_hangs_does_not_hold_the_end() -> None:
    gate = threading.Event()
    worker = Worker(lambda item: gate.wait(30))
    worker.put(0)
    began = time.perf_counter()
    assert not worker.close(0.1)
    assert time.perf_counter() - began < 1
    gate.set()


# Standard output


def test_raw_frames_are_steady_and_of_one_size() -> None:
    reading, writing = os.pipe()
    controls = Controls()
    sink = Stdout(writing, controls, rate=20, live=True)
    frames = bytearray()

    def drain() -> None:
        while block := os.read(reading, 1 << 16):
            frames.extend(block)

    thread = threading.Thread(target=drain)
    thread.start()
    for number in range(4):
        sink.show(view(number, size=(48, 64) if number < 2 else (24, 32)))
        time.sleep(0.2)
    sink.close()
    thread.join(5)
    os.close(reading)
    count, rest = divmod(len(frames), 48 * 64 * 3)
    assert rest == 0
    assert 11 <= count <= 40, "three fifths of a second at twenty, and a few where the machine is busy"
    assert not controls.stopping


def test_when_the_reader_goes_away_the_loop_stops() -> None:
    reading, writing = os.pipe()
    controls = Controls()
    sink = Stdout(writing, controls, rate=20, live=True)
    os.close(reading)
    sink.show(view())
    assert wait_for(lambda: controls.stopping)
    sink.close()


def test_a_reader_that_stalls_does_not_hold_the_loop() -> None:
    reading, writing = os.pipe()
    sink = Stdout(writing, Controls(), rate=1000, live=True)
    began = time.perf_counter()
    for number in range(50):
        sink.show(view(number, size=(480, 640)))
    sink.close()
    assert time.perf_counter() - began < 2
    os.close(reading)


# Virtual camera


@pytest.fixture
def pyvirtualcam(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """A pyvirtualcam that keeps what it is sent."""
    sent: list[np.ndarray] = []

    class Camera:
        device = "/dev/video9"

        def __init__(self, **options: object) -> None:
            if options["width"] == 2:
                raise RuntimeError("'v4l2loopback' backend: No v4l2 loopback device found.")

        def send(self, frame: np.ndarray) -> None:
            sent.append(frame)

        def close(self) -> None:
            pass

    module = types.SimpleNamespace(Camera=Camera, PixelFormat=types.SimpleNamespace(BGR="BGR"))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    return sent


def test_a_virtual_camera_gets_the_denoised_picture_in_one_size(pyvirtualcam: list[np.ndarray]) -> None:
    sink = VirtualCamera((64, 48), rate=30)
    assert sink.device == "/dev/video9"
    sink.show(view(0, 100))
    assert wait_for(lambda: len(pyvirtualcam) == 1)
    sink.show(view(1, 100, size=(96, 128)))
    sink.close()
    assert [frame.shape for frame in pyvirtualcam] == [(48, 64, 3)] * 2
    assert (pyvirtualcam[0] == 100).all()


def test_no_virtual_camera_says_how_to_get_one(
    pyvirtualcam: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OutputError, match="No v4l2 loopback device found"):
        VirtualCamera((2, 2), rate=30)
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(MissingExtraError, match=r"dae-edge\[virtual-camera\]"):
        VirtualCamera((64, 48), rate=30)


# The window


@pytest.mark.skipif(sys.platform != "linux", reason="displays are named in the environment on Linux only")
@pytest.mark.parametrize("display", [None, ":4077"])
def test_no_window_where_no_display_answers(monkeypatch: pytest.MonkeyPatch, display: str | None) -> None:
    """Qt aborts the process over a display that is named but gone: it must be found out before."""
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if display:
        monkeypatch.setenv("DISPLAY", display)
    assert sinks.window_missing() is not None


class Screen:
    """OpenCV's windows, without a display: what is shown, and which keys come."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: list[np.ndarray] = []
        self.keys: list[str] = []
        self.visible = 1.0
        for name in ("namedWindow", "resizeWindow", "destroyAllWindows"):
            monkeypatch.setattr(cv2, name, lambda *a: None, raising=False)
        monkeypatch.setattr(cv2, "imshow", lambda title, frame: self.shown.append(frame), raising=False)
        monkeypatch.setattr(
            cv2, "waitKey", lambda wait: ord(self.keys.pop(0)) if self.keys else -1, raising=False
        )
        monkeypatch.setattr(cv2, "getWindowProperty", lambda *a: self.visible, raising=False)


def test_keys_change_the_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(monkeypatch)
    controls = Controls(models=("a", "b"), model="a", compare="off")
    window = Window(controls, Compose(controls))

    def press(*keys: str) -> dict[str, object]:
        screen.keys = list(keys)
        for number in range(len(keys)):
            window.show(view(number))
        return controls.snapshot_state()

    assert press("c")["compare"] == "split"
    assert press("c", "c")["compare"] == "before"
    assert press("c")["compare"] == "off"
    assert press("-", "-", "-", "+")["strength"] == 0.8
    assert press("]", "]", "[")["brighten"] == 0.1
    assert press(*"[[[")["brighten"] == 0
    assert press("m")["model"] == "b"
    assert press(" ")["frozen"] is True
    assert press("r")["recording"] is True
    press("s", "?", "\x00")
    assert controls.take_snapshots() == 1
    window.show(view())
    plain = screen.shown[-1]
    press("h")
    window.show(view())
    assert (screen.shown[-1] != plain).mean() > 0.05, "the keys are on the picture"
    assert not controls.stopping
    press("q")
    assert controls.stopping


def test_closing_the_window_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(monkeypatch)
    controls = Controls()
    window = Window(controls, Compose(controls))
    window.show(view())
    assert not controls.stopping
    screen.visible = 0.0
    window.show(view(1))
    assert controls.stopping
