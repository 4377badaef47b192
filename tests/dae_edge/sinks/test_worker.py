"""The threads behind sinks."""

from __future__ import annotations

import threading
import time

import pytest

from dae_edge.camera.sinks.worker import Worker
from tests.support import wait_for


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
