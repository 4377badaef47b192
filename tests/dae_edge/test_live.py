"""`dae-edge live` as a program: how it begins, what it prints, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support import write_video

Run = Callable[..., "object"]

LIVE = [sys.executable, "-m", "dae_edge", "live", "--no-window"]


@contextmanager
def stalling_stream(frames: int, rate: float = 20.0) -> Iterator[str]:
    """An MJPEG stream over HTTP that gives some frames to whoever connects and then only holds the line."""
    random = np.random.default_rng(0)
    parts = []
    for _ in range(frames):
        picture = random.integers(0, 90, (48, 64, 3), dtype=np.uint8)
        packet = cv2.imencode(".jpg", picture)[1].tobytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(packet)}\r\n\r\n"
        parts.append(head.encode() + packet + b"\r\n")
    head = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
    over = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                connection.sendall(head)
                for part in parts:
                    connection.sendall(part)
                    time.sleep(1 / rate)
                over.wait(60)
            except OSError:
                pass

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    finally:
        over.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def count_frames(path: Path) -> int:
    video = cv2.VideoCapture(str(path))
    frames = 0
    while video.read()[0]:
        frames += 1
    return frames


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_soon_in_a_read_that_never_returns_and_the_video_plays(
    tmp_path: Path, number: signal.Signals
) -> None:
    target = tmp_path / "out.mp4"
    with stalling_stream(30) as url:
        process = subprocess.Popen(
            [*LIVE, "--source", url, "--output", target], stderr=subprocess.PIPE, text=True
        )
        time.sleep(4)  # a second to start, one and a half of frames, then silence
        assert process.poll() is None
        began = time.perf_counter()
        process.send_signal(number)
        assert process.wait(10) == 0
        assert time.perf_counter() - began < 2
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert count_frames(target) > 20
    assert os.listdir(tmp_path) == ["out.mp4"]


def test_ctrl_c_ends_the_waiting_for_a_stream_that_does_not_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        process = subprocess.Popen([*LIVE, "--source", url], stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        silent.settimeout(10)
        connection, _ = silent.accept()  # and never a word
        time.sleep(0.5)
        began = time.perf_counter()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert time.perf_counter() - began < 2
        connection.close()
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


def test_standard_output_holds_frames_and_nothing_else(tmp_path: Path) -> None:
    command = [*LIVE, "--source", "demo:dim", "--size", "64x48", "--seconds", "1", "--stdout"]
    ended = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path)
    count, rest = divmod(len(ended.stdout), 64 * 48 * 3)
    assert rest == 0
    assert 15 < count < 60, "thirty, and a few where the machine is busy"
    assert b"demo camera" in ended.stderr
    frames = np.frombuffer(ended.stdout, np.uint8).reshape(count, 48, 64, 3)
    assert 20 < frames[-1].mean() < 120, "the room, not black and not noise"


def test_when_the_reader_goes_away_it_ends_well(tmp_path: Path) -> None:
    command = [*LIVE, "--source", "demo:dim", "--size", "64x48", "--stdout"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    assert len(process.stdout.read(64 * 48 * 3)) == 64 * 48 * 3
    process.stdout.close()
    assert process.wait(5) == 0
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


def test_a_file_goes_through_whole(dae_edge: Run, tmp_path: Path) -> None:
    video = write_video(tmp_path / "in.mp4", frames=9)
    figures = tmp_path / "figures.json"
    ended = dae_edge(
        "live", "--source", video, "--no-window", "--fast", "--output", tmp_path / "out.mp4",
        "--snapshot", tmp_path / "last.png", "--brighten", "0.5", "--json", figures,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "64x48 at 20 fps" in ended.out
    assert "next:" in ended.out
    assert count_frames(tmp_path / "out.mp4") == 9
    picture = cv2.imread(str(tmp_path / "last.png"))
    assert picture is not None
    assert picture.shape == (48, 128, 3)
    known = json.loads(figures.read_text())
    assert (known["frames"], known["dropped"], known["raw"]) == (9, 0, 0)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--source", "demo", "--fast"], 2, "--fast"),
        (["--source", "demo", "--compare", "both"], 2, "compare"),
        (["--source", "demo", "--strength", "2"], 2, "strength"),
        (["--source", "demo", "--brighten", "-1"], 2, "brighten"),
        (["--source", "demo", "--fps", "0"], 2, "--fps"),
        (["--source", "demo", "--seconds", "-1"], 2, "--seconds"),
        (["--source", "demo", "--size", "big"], 2, "--size"),
        (["--source", "demo", "--output", "out.txt"], 2, "--output"),
        (["--source", "demo", "--snapshot", "out.mp4"], 2, "--snapshot"),
        (["--source", "none.mp4"], 1, "is not a file"),
        (["--source", "http://127.0.0.1:9/"], 1, "cannot be opened"),
    ],
)
def test_bad_use_is_one_sentence(dae_edge: Run, options: list[str], code: int, message: str) -> None:
    ended = dae_edge("live", "--no-window", *options)
    assert ended.code == code
    assert message in ended.err
    assert ended.err.startswith("error:")
    assert ended.err.count("\n") == 1


def test_a_video_that_is_there_is_kept(dae_edge: Run, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    target.write_text("older")
    ended = dae_edge("live", "--source", "demo", "--no-window", "--output", target)
    assert ended.code == 1
    assert "--force" in ended.err
    assert target.read_text() == "older"


def test_a_model_for_another_size_is_refused_at_the_start(
    dae_edge: Run, tmp_path: Path, tiny_tflite: Path
) -> None:
    ended = dae_edge("live", "--source", "demo", "--size", "64x48", "--no-window", "--model", tiny_tflite)
    assert ended.code == 2
    assert "80x60" in ended.err
