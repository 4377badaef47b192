"""Raw frames on standard output."""

from __future__ import annotations

import os
import threading
import time

from dae_edge.camera import Controls
from dae_edge.camera.sinks import (
    Stdout,
)
from tests.dae_edge.sinks.support import view
from tests.support import wait_for


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
