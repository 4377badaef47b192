"""Real streams from ffmpeg on this machine, killed and begun again while the loop looks on."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import dae_edge
from dae_edge.camera import Loop, open_source
from tests.support import Eyes, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg on this machine"),
]

PICTURE = ["-re", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=30,noise=alls=20:allf=t"]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _streams(port: int) -> dict[str, tuple[str, list[str]]]:
    http, udp = f"http://127.0.0.1:{port}/", f"udp://127.0.0.1:{port}"
    return {
        "MJPEG over HTTP": (http, ["-f", "mpjpeg", "-listen", "1", http]),
        "MPEG-TS over UDP": (
            udp,
            [
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-tune",
                "zerolatency",
                "-g",
                "15",
                "-f",
                "mpegts",
                udp,
            ],
        ),
    }


@contextmanager
def _sending(arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        ["ffmpeg", "-loglevel", "quiet", *PICTURE, *arguments], stdin=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("kind", ["MJPEG over HTTP", "MPEG-TS over UDP"])
def test_a_stream_that_dies_ten_times_comes_back_ten_times(kind: str) -> None:
    """Back within two seconds of its return, plus the wait that was under way; nothing leaks."""
    url, arguments = _streams(_free_port())[kind]
    eyes = Eyes()
    took = []
    with _sending(arguments):
        time.sleep(1)
        loop = Loop(open_source(url), dae_edge.load("lowlight", threads=1))
        thread = threading.Thread(target=loop.run, args=([eyes],), daemon=True)
        thread.start()
        assert wait_for(lambda: bool(eyes.views) and eyes.views[-1].number > 15, 10)
        steady = threading.active_count(), _open_files()
    for _ in range(10):
        assert wait_for(lambda: "camera lost" in eyes.views[-1].figures.status, 8)
        time.sleep(1)
        with _sending(arguments):
            began, last = time.monotonic(), eyes.views[-1].number
            assert wait_for(lambda last=last: eyes.views[-1].number > last + 15, 20)
            took.append(time.monotonic() - began)
            assert eyes.views[-1].figures.status == ""
            assert thread.is_alive()
            assert wait_for(lambda: (threading.active_count(), _open_files()) == steady, 3)
            eyes.views = eyes.views[-1:]
    print(f"{kind}: back after", ", ".join(f"{seconds:.1f}" for seconds in took), "s")
    loop.controls.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert loop.summary.reopened >= 10
    # ffmpeg's own start, at most two waits (0.5 s and 1 s), half a second of frames, and two seconds.
    assert max(took) < 5
