"""The loop and its parts, with cameras that misbehave."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

import dae_edge
from dae_edge.camera import Loop, open_source, sinks
from dae_edge.camera.capture import Capture
from dae_edge.camera.sinks import VideoFile
from dae_edge.camera.sources import Shot
from dae_edge.errors import BadValueError, CameraError, MediaError, OutputError
from dae_edge.metrics import MeanError
from tests.support import write_video


class FakeSource:
    """Numbered frames, as fast as they are read or every `period` seconds."""

    name, rate = "fake", 1000.0

    def __init__(self, frames: int = 10, *, live: bool = False, period: float = 0.0) -> None:
        self.live, self.frames, self.period = live, frames, period
        self.read_frames, self.closed = 0, False

    def read(self) -> Shot | None:
        time.sleep(self.period)
        if self.read_frames == self.frames:
            return None
        self.read_frames += 1
        return Shot(np.full((32, 48, 3), self.read_frames, np.uint8))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def denoise() -> dae_edge.Denoiser:
    return dae_edge.load("lowlight", threads=1)


def test_a_file_loses_no_frame_even_to_a_slow_loop() -> None:
    capture = Capture(FakeSource(10))
    seen = []
    while (shot := capture.take(2)) is not None:
        time.sleep(0.01)
        seen.append(int(shot.frame[0, 0, 0]))
    assert seen == list(range(1, 11))
    assert capture.dropped == 0


def test_from_a_camera_the_newest_frame_wins() -> None:
    source = FakeSource(1000, live=True, period=0.002)
    capture = Capture(source)
    time.sleep(0.2)
    shot = capture.take(1)
    assert shot is not None
    assert int(shot.frame[0, 0, 0]) >= source.read_frames - 1
    assert capture.dropped > 10
    capture.close()
    assert source.closed


def test_a_camera_that_blocks_is_an_error_and_does_not_block_the_end() -> None:
    class Blocked(FakeSource):
        def read(self) -> Shot | None:
            threading.Event().wait(30)
            return None

    capture = Capture(Blocked(live=True))
    with pytest.raises(CameraError, match=r"gave no frame for 0\.1 seconds"):
        capture.take(0.1)
    began = time.perf_counter()
    capture.close()
    assert time.perf_counter() - began < 2


def test_a_failure_in_the_thread_reaches_the_loop() -> None:
    class Broken(FakeSource):
        def read(self) -> Shot | None:
            raise RuntimeError("unplugged")

    with pytest.raises(RuntimeError, match="unplugged"):
        Capture(Broken()).take(1)


def test_closing_frees_a_thread_that_waits_for_the_loop() -> None:
    capture = Capture(FakeSource(1000))
    time.sleep(0.05)
    capture.close()
    assert not capture._thread.is_alive()


def test_the_loop_counts_and_ends(denoise: dae_edge.Denoiser) -> None:
    shown: list[np.ndarray] = []

    def sink(frame: np.ndarray) -> str:
        shown.append(frame)
        return ""

    summary = Loop(FakeSource(7), denoise, compare="side", fast=True).run([sink])
    assert summary.frames == len(shown) == len(summary.times) == 7
    assert shown[0].shape == (32, 96, 3)
    assert summary.percentile(50) <= summary.percentile(99)
    assert summary.noisy.psnr is None


@pytest.mark.parametrize(("compare", "width"), [("off", 48), ("split", 48), ("side", 96)])
def test_every_view_has_its_size(denoise: dae_edge.Denoiser, compare: str, width: int) -> None:
    shapes = []
    Loop(FakeSource(1), denoise, compare=compare).run([lambda f: shapes.append(f.shape) or ""])  # type: ignore[func-returns-value]
    assert shapes == [(32, width, 3)]


def test_q_ends_it_and_every_sink_gets_the_last_frame(denoise: dae_edge.Denoiser) -> None:
    counts = [0, 0]

    def first(frame: np.ndarray) -> str:
        counts[0] += 1
        return "q" if counts[0] == 3 else ""

    def second(frame: np.ndarray) -> str:
        counts[1] += 1
        return ""

    source = FakeSource(100)
    assert Loop(source, denoise, fast=True).run([first, second]).frames == 3
    assert counts == [3, 3]
    assert source.closed


def test_ctrl_c_ends_it_with_a_summary(denoise: dae_edge.Denoiser) -> None:
    def interrupt(frame: np.ndarray) -> str:
        raise KeyboardInterrupt

    assert Loop(FakeSource(100), denoise, fast=True).run([interrupt]).frames == 1


def test_a_file_keeps_its_own_pace(denoise: dae_edge.Denoiser) -> None:
    source = FakeSource(11)
    source.rate = 50.0
    paced = Loop(source, denoise).run([])
    assert paced.seconds == pytest.approx(0.2, abs=0.1)


def test_the_demo_knows_what_it_gained(denoise: dae_edge.Denoiser) -> None:
    source = open_source("demo:dim", size=(160, 120), rate=100)
    summary = Loop(source, denoise, seconds=1.0).run([])
    assert summary.noisy.psnr is not None
    assert summary.denoised.psnr is not None
    assert summary.denoised.psnr > summary.noisy.psnr + 3


def test_a_simulated_source_is_noisy_and_knows_the_clean(tmp_path: Path) -> None:
    source = open_source(str(write_video(tmp_path / "in.mp4")), simulate="dark")
    shot = source.read()
    assert shot is not None
    assert shot.clean is not None
    assert (shot.frame != shot.clean).any()
    source.close()


def test_the_demo_is_not_made_noisy_twice() -> None:
    with pytest.raises(BadValueError, match="noisy already"):
        open_source("demo", simulate="dim")


def test_a_missing_camera_says_what_to_try() -> None:
    if list(Path("/dev").glob("video*")):
        pytest.skip("this machine has a camera")
    with pytest.raises(CameraError, match=r"no camera .*--source demo"):
        open_source("0")


def test_a_missing_file_and_a_file_that_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="is not a file"):
        open_source(str(tmp_path / "none.mp4"))
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(MediaError, match="not a video"):
        open_source(str(tmp_path / "text.mp4"))


def test_a_streams_password_is_not_shown() -> None:
    with pytest.raises(CameraError) as caught:
        open_source("http://user:secret@127.0.0.1:9/stream")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("size", [(64, 48), (65, 49)])
@pytest.mark.parametrize("with_ffmpeg", [True, False])
def test_a_video_is_written_whole(
    tmp_path: Path, size: tuple[int, int], with_ffmpeg: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if with_ffmpeg and not sinks.ffmpeg_works():
        pytest.skip("no ffmpeg on this machine")
    if not with_ffmpeg:
        monkeypatch.setattr(sinks, "ffmpeg_works", lambda: False)
        if size[0] % 2:
            pytest.skip("OpenCV's own encoder takes even sizes only")
    target = tmp_path / "out.mp4"
    sink = VideoFile(target, rate=30000 / 1001)
    for _ in range(9):
        sink.write(np.full((size[1], size[0], 3), 99, np.uint8))
    assert not target.exists()
    sink.close()
    video = cv2.VideoCapture(str(target))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(29.97, abs=0.01)
    assert (video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)) == size
    frames = 0
    while video.read()[0]:
        frames += 1
    assert frames == 9
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
    video = cv2.VideoCapture(str(tmp_path / "a.mp4"))
    frames = []
    while (got := video.read())[0]:
        frames.append(got[1])
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    assert np.abs(np.stack(frames).astype(int) - 120).max() < 8


def test_a_video_refuses_what_it_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(BadValueError, match=r"must end in \.mp4"):
        VideoFile(tmp_path / "a.txt", rate=10)
    (tmp_path / "b.mp4").write_text("older")
    with pytest.raises(OutputError, match="--force"):
        VideoFile(tmp_path / "b.mp4", rate=10)


def test_mean_error_is_psnr() -> None:
    error = MeanError()
    assert error.psnr is None
    clean = np.zeros((4, 4, 3), np.uint8)
    error.add(clean, clean)
    assert error.psnr == float("inf")
    error.add(clean + 10, clean)
    assert error.psnr == pytest.approx(10 * np.log10(255**2 / 50))


@pytest.mark.skipif(sys.platform != "linux", reason="displays are named in the environment on Linux only")
@pytest.mark.parametrize("display", [None, ":4077"])
def test_no_window_where_no_display_answers(monkeypatch: pytest.MonkeyPatch, display: str | None) -> None:
    """Qt aborts the process over a display that is named but gone: it must be found out before."""
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if display:
        monkeypatch.setenv("DISPLAY", display)
    assert sinks.window_missing() is not None
