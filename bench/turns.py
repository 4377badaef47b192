"""Models take turns, so that a slow moment of the machine hits all of them; every frame's time is kept."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dae_edge.bench.machine import Watch
from dae_edge.bench.record import Stages, Sustained, Times

SPREAD = 0.10  # between a row's turns; beyond it the row counts as noisy

Clock = Callable[[], float]


class Task(Protocol):
    """What is timed. `stages`: (convert, infer, hand over) of the last step in seconds, or None."""

    def begin(self) -> None:
        """Forget everything: the next step is the first of a clip."""
        ...

    def step(self) -> None:
        """One frame."""
        ...

    @property
    def stages(self) -> tuple[float, float, float] | None: ...


@dataclass
class Taken:
    """What a task's turns took: milliseconds a frame, turn by turn, and who else used the processors."""

    turns: list[list[float]] = field(default_factory=list)
    stages: list[tuple[float, float, float]] = field(default_factory=list)  # medians of each turn
    cpu_seconds: float = 0.0
    watch: Watch = field(default_factory=Watch)

    @property
    def frames(self) -> int:
        return sum(map(len, self.turns))

    @property
    def medians(self) -> list[float]:
        return [statistics.median(turn) for turn in self.turns]

    @property
    def median(self) -> float:
        return statistics.median(self.medians)

    @property
    def spread(self) -> float:
        """How far the turns' medians lie apart, over the median of the medians."""
        return (max(self.medians) - min(self.medians)) / self.median

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.cpu_seconds / self.frames

    def times(self, deadline: float) -> Times:
        """`deadline` in ms. Percentiles by linear interpolation, as numpy's."""
        every = sorted(ms for turn in self.turns for ms in turn)
        return Times(
            n=len(every), mean=statistics.fmean(every), min=every[0], p50=percentile(every, 50),
            p90=percentile(every, 90), p95=percentile(every, 95), p99=percentile(every, 99), max=every[-1],
            median=self.median, medians=self.medians, spread=self.spread,
            late=sum(ms > deadline for ms in every) / len(every),
            samples=[[round(ms, 4) for ms in turn] for turn in self.turns],
        )  # fmt: skip

    def stage_medians(self) -> Stages | None:
        if not self.stages:
            return None
        return Stages(*(1000 * seconds for seconds in _middle(self.stages)))

    def doubts(self) -> list[str]:
        """A sentence for each reason to doubt these times."""
        found = self.watch.doubts()
        if self.spread > SPREAD:
            found.insert(0, f"its turns differ by {self.spread:.0%}")
        return found


def turn(
    task: Task, taken: Taken, *, seconds: float, warm_frames: int, warm_seconds: float,
    clock: Clock = time.perf_counter,
) -> None:  # fmt: skip
    """Warm `task` up for so many frames and seconds at least, then time frames for `seconds`."""
    task.begin()
    warm, until = 0, clock() + warm_seconds
    while warm < warm_frames or clock() < until:
        task.step()
        warm += 1
    times: list[float] = []
    stages: list[tuple[float, float, float]] = []
    with taken.watch.on():
        cpu, began = time.process_time(), clock()
        until, ended = began + seconds, began
        while ended < until or not times:
            began = clock()
            task.step()
            ended = clock()
            times.append(1000 * (ended - began))
            if (split := task.stages) is not None:
                stages.append(split)
        taken.cpu_seconds += time.process_time() - cpu
    taken.turns.append(times)
    if stages:
        taken.stages.append(_middle(stages))


def sustain(task: Task, seconds: float, *, clock: Clock = time.perf_counter) -> Sustained:
    """Run without a pause; a machine that grows hot shows in the last window against the first.

    The windows are of 30 s, or a third of the time where there is less than 90 s.
    """
    window = min(30.0, seconds / 3)
    task.begin()
    ends: list[float] = []
    began = clock()
    while not ends or ends[-1] < seconds:
        task.step()
        ends.append(clock() - began)
    first, last = _rate(ends, 0, window), _rate(ends, seconds - window, seconds)
    slice_ = min(5.0, window)
    rates = [_rate(ends, i * slice_, (i + 1) * slice_) for i in range(int(seconds / slice_))]
    return Sustained(seconds, window, first, last, last / first if first else 0.0, rates)


def percentile(ordered: Sequence[float], share: float) -> float:
    """`share` in percent, of sorted numbers."""
    place = (len(ordered) - 1) * share / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _rate(ends: Sequence[float], since: float, until: float) -> float:
    """Frames a second that ended in that time, the last one counted by its part."""
    return sum(since < end <= until for end in ends) / (until - since)


def _middle(stages: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    convert, infer, hand_over = (statistics.median(stage) for stage in zip(*stages, strict=True))
    return convert, infer, hand_over
