"""Timing, with a clock that the tests turn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dae_edge.bench.turns import Taken, percentile, sustain, turn


class Clock:
    """Stands still but for the tasks that take time."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Task:
    """Each step takes the next of `times`, round and round."""

    def __init__(self, clock: Clock, *times: float) -> None:
        self._clock, self._times = clock, itertools.cycle(times)
        self.log: list[str] = []
        self.stages = (0.001, 0.002, 0.003)

    def begin(self) -> None:
        self.log.append("begin")

    def step(self) -> None:
        self.log.append("step")
        self._clock.now += next(self._times)


def test_warm_up_goes_by_count_and_by_time() -> None:
    clock = Clock()
    for warm_frames, warm_seconds, expected in ((5, 0.0, 5), (1, 1.0, 8), (0, 0.0, 0)):
        task, taken = Task(clock, 0.125), Taken()
        turn(task, taken, seconds=0.45, warm_frames=warm_frames, warm_seconds=warm_seconds, clock=clock)
        assert task.log == ["begin", *["step"] * (expected + taken.frames)]
        assert taken.frames == 4


def test_every_frame_is_kept_and_the_slowest_is_the_largest() -> None:
    clock = Clock()
    taken = Taken()
    turn(Task(clock, 0.010, 0.010, 0.500), taken, seconds=1.5, warm_frames=0, warm_seconds=0, clock=clock)
    times = taken.times(33.3)
    assert (times.n, len(times.samples[0])) == (9, 9)
    assert times.max == pytest.approx(500)
    assert times.p50 == pytest.approx(10)
    assert times.late == pytest.approx(1 / 3)
    assert times.mean == pytest.approx((6 * 10 + 3 * 500) / 9)


def test_a_frame_longer_than_the_turn_is_timed_all_the_same() -> None:
    clock, taken = Clock(), Taken()
    turn(Task(clock, 9.0), taken, seconds=0.1, warm_frames=0, warm_seconds=0, clock=clock)
    assert taken.turns == [[pytest.approx(9000)]]


def test_the_figure_is_the_median_of_the_turns_medians() -> None:
    taken = Taken(turns=[[10.0, 10.0, 99.0], [11.0], [14.0, 14.0, 14.0]])
    assert taken.medians == [10.0, 11.0, 14.0]
    assert taken.median == 11.0
    assert taken.spread == pytest.approx(4 / 11)
    assert taken.doubts() == ["its turns differ by 36%"]
    assert Taken(turns=[[10.0], [10.5]]).doubts() == []


def test_stages_are_medians_in_milliseconds() -> None:
    clock, taken = Clock(), Taken()
    turn(Task(clock, 0.1), taken, seconds=0.3, warm_frames=0, warm_seconds=0, clock=clock)
    stages = taken.stage_medians()
    assert stages is not None
    assert (stages.convert, stages.infer, stages.hand_over) == pytest.approx((1, 2, 3))


@pytest.mark.parametrize("count", [1, 2, 7, 100])
@pytest.mark.parametrize("share", [0, 50, 90, 99, 100])
def test_percentiles_are_numpys(random: np.random.Generator, count: int, share: float) -> None:
    numbers = sorted(random.random(count).tolist())
    assert percentile(numbers, share) == pytest.approx(np.percentile(numbers, share))


def test_a_machine_that_slows_down_is_seen() -> None:
    clock = Clock()

    class Heating(Task):
        def step(self) -> None:
            self._clock.now += 0.010 if self._clock.now < 145 else 0.020

    lasting = sustain(Heating(clock), 90, clock=clock)
    assert (lasting.window, len(lasting.rates)) == (30, 18)
    assert lasting.first_fps == pytest.approx(100, rel=0.01)
    assert lasting.last_fps == pytest.approx(50, rel=0.01)
    assert lasting.retention == pytest.approx(0.5, rel=0.02)


def test_a_short_run_has_smaller_windows() -> None:
    clock = Clock()
    assert sustain(Task(clock, 0.1), 6, clock=clock).window == 2
