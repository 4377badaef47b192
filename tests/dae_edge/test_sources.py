"""What can be opened, what it says of itself, and how it says no."""

from __future__ import annotations

import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from dae_edge.camera.sources import (
    CameraDevice,
    DemoCamera,
    PictureFolder,
    device,
    hide_credentials,
    open_source,
)
from dae_edge.camera.sources.address import is_stream
from dae_edge.errors import BadValueError, CameraError, MediaError
from tests.support import write_video


def test_a_video_gives_every_frame_and_its_size(tmp_path: Path) -> None:
    source = open_source(str(write_video(tmp_path / "in.mp4", frames=7, rate=20)))
    assert (source.size, source.rate, source.live) == ((64, 48), 20.0, False)
    assert source.detail == "64x48 at 20 fps"
    frames = 0
    while source.read() is not None:
        frames += 1
    assert frames == 7
    source.close()


def test_a_folder_of_pictures_is_a_clip_in_order_of_name(tmp_path: Path) -> None:
    for name, level in (("b.png", 20), ("a.png", 10), ("c.png", 30)):
        cv2.imwrite(str(tmp_path / name), np.full((32, 48, 3), level, np.uint8))
    source = open_source(str(tmp_path), rate=5)
    assert isinstance(source, PictureFolder)
    assert (source.size, source.rate, source.frames) == ((48, 32), 5, 3)
    levels = []
    while (shot := source.read()) is not None:
        levels.append(int(shot.frame[0, 0, 0]))
    assert levels == [10, 20, 30]
    again = source.again().read()
    assert again is not None
    assert again.frame[0, 0, 0] == 10


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="holds no pictures"):
        open_source(str(tmp_path))


def test_a_missing_file_and_a_file_that_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="is not a file"):
        open_source(str(tmp_path / "none.mp4"))
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(MediaError, match="not a video"):
        open_source(str(tmp_path / "text.mp4"))


def test_a_simulated_source_is_noisy_and_knows_the_clean(tmp_path: Path) -> None:
    source = open_source(str(write_video(tmp_path / "in.mp4")), simulate="dark")
    shot = source.read()
    assert shot is not None
    assert shot.clean is not None
    assert (shot.frame != shot.clean).any()
    source.close()


def test_the_demo_never_repeats_its_noise_within_two_seconds() -> None:
    source = DemoCamera("dim", size=(64, 48), rate=1000)
    period = len(source._shots)
    assert period >= 60
    seen = {source._shots[index].frame.tobytes() for index in range(period)}
    assert len(seen) == period
    assert sum(shot.clean is not None for shot in source._shots) == period // 8


def test_the_demo_keeps_a_cameras_time() -> None:
    source = DemoCamera("dim", size=(64, 48), rate=100)
    source.read()
    began = time.perf_counter()
    for _ in range(20):
        source.read()
    assert 0.15 < time.perf_counter() - began < 2
    time.sleep(0.2)
    count = source._count
    source.read()
    assert source._count > count + 10, "who is late has missed frames"


def test_the_demo_knows_its_limits() -> None:
    with pytest.raises(BadValueError, match="noisy already"):
        open_source("demo", simulate="dim")
    with pytest.raises(BadValueError, match="`preset`"):
        open_source("demo:dusk")
    with pytest.raises(BadValueError, match="--size"):
        open_source("demo", size=(8, 8))
    with pytest.raises(BadValueError, match="--fourcc"):
        open_source("demo", fourcc="MJPG")


def test_an_option_that_a_source_cannot_honour_is_refused(tmp_path: Path) -> None:
    video = str(write_video(tmp_path / "in.mp4"))
    for options in ({"size": (64, 48)}, {"rate": 5.0}, {"fourcc": "MJPG"}):
        with pytest.raises(BadValueError, match="has its own"):
            open_source(video, **options)  # type: ignore[arg-type]
    with pytest.raises(BadValueError, match="four characters"):
        open_source("0", fourcc="MJPEG")


def test_a_missing_camera_says_what_to_try() -> None:
    if list(Path("/dev").glob("video*")):
        pytest.skip("this machine has a camera")
    with pytest.raises(CameraError, match=r"no camera .*--source demo"):
        open_source("0")


class Driver:
    """A stand-in for cv2.VideoCapture: a camera that grants 640x480 at 15 fps, whatever it is asked."""

    opened: list[object]

    def __init__(self, target: object, backend: int, options: list[int]) -> None:
        self.opened.append(target)
        self.asked: list[int] = []

    def isOpened(self) -> bool:
        return True

    def set(self, name: int, value: float) -> bool:
        self.asked.append(name)
        return True

    def get(self, name: int) -> float:
        return {
            cv2.CAP_PROP_FRAME_WIDTH: 640, cv2.CAP_PROP_FRAME_HEIGHT: 480, cv2.CAP_PROP_FPS: 15,
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"YUYV"),
        }[name]  # fmt: skip

    def read(self) -> tuple[bool, np.ndarray]:
        return True, np.zeros((480, 640), np.uint8)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> type[Driver]:
    Driver.opened = []
    monkeypatch.setattr(cv2, "VideoCapture", Driver)
    return Driver


def test_a_camera_says_what_was_asked_and_what_was_granted(driver: type[Driver]) -> None:
    source = open_source("0", size=(1280, 720), rate=30)
    assert source.detail == "asked for 1280x720, 30 fps; granted 640x480 at 15 fps YUYV"
    assert (source.size, source.rate) == ((640, 480), 15)
    assert isinstance(source, CameraDevice)
    asked = source._capture.asked
    assert asked.index(cv2.CAP_PROP_FOURCC) < asked.index(cv2.CAP_PROP_FRAME_WIDTH), "sizes depend on it"
    assert open_source("0").detail == "640x480 at 15 fps YUYV"
    shot = source.read()
    assert shot is not None
    assert shot.frame.shape == (480, 640, 3), "a grey camera gives colour frames"


def test_a_camera_comes_back_under_its_lasting_name(
    driver: type[Driver], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    monkeypatch.setattr(device, "_BY_ID", by_id)
    node = tmp_path / "video0"
    node.touch()
    link = by_id / "usb-Some_Camera-video-index0"
    os.symlink(node, link)
    source = CameraDevice(str(node), rate=30)
    back = source.again()
    assert driver.opened == [str(node), str(link)]
    assert back.detail == source.detail
    link.unlink()
    source.again()
    assert driver.opened[-1] == str(node)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:secret@host/stream", "http://host/stream"),
        ("rtsp://user:se@cret@host:554/a@b", "rtsp://host:554/a@b"),
        ("http://host/x?token=secret&size=2", "http://host/x?token=***&size=2"),
        ("http://host/x?a=1&password=secret", "http://host/x?a=1&password=***"),
        ("udp://@239.0.0.1:1234", "udp://239.0.0.1:1234"),
        ("http://host/stream", "http://host/stream"),
    ],
)
def test_secrets_in_urls_are_not_shown(url: str, shown: str) -> None:
    assert is_stream(url)
    assert hide_credentials(url) == shown


def test_a_stream_that_is_not_there() -> None:
    with pytest.raises(CameraError, match="cannot be opened") as caught:
        open_source("http://user:secret@127.0.0.1:9/stream")
    assert "secret" not in str(caught.value)
