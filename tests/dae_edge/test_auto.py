"""`--auto`: what is given up for the camera's rate, in which order, and that it does not swing."""

from __future__ import annotations

import numpy as np
import pytest

import dae_edge
from dae_edge.camera import Loop, Models
from dae_edge.camera.auto import Auto, Level, ladder
from tests.support import Eyes, FakeCamera, Slow


@pytest.fixture
def slow() -> Slow:
    return Slow(dae_edge.load("lowlight", threads=1))


def test_auto_works_on_smaller_frames_until_the_rate_holds(slow: Slow) -> None:
    class ByArea(Slow):
        def __call__(self, frame: np.ndarray) -> np.ndarray:
            self.seconds = 0.05 * frame.size / (96 * 128 * 3)
            return super().__call__(frame)

    model, eyes = ByArea(slow._real), Eyes()
    summary = Loop(FakeCamera(rate=30, size=(128, 96)), model, auto=True, seconds=1.5).run([eyes])
    assert model.shapes[0] == (96, 128, 3)
    assert (64, 96, 3) in model.shapes or (80, 96, 3) in model.shapes
    assert eyes.views[-1].after.shape == (96, 128, 3), "what is shown keeps its size"
    assert summary.raw == 0


class Machine:
    """What frames cost at each level of a ladder, for as long as it is asked."""

    def __init__(self, costs: dict[Level, float], period: float = 1 / 30) -> None:
        self.costs, self.period, self.now = costs, period, 0.0
        self.auto = Auto(tuple(costs))
        self.seen: list[Level] = []

    def live(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            cost = self.costs[self.auto.level]
            self.now += max(cost, self.period)
            self.seen.append(self.auto.note(cost, self.period, self.now))

    @property
    def changes(self) -> int:
        return sum(a != b for a, b in zip(self.seen, self.seen[1:], strict=False))


BEST, MIDDLE, LOWEST = ladder("lowlight")


def test_the_ladder_takes_smaller_models_before_smaller_frames() -> None:
    assert [(level.model, level.scale) for level in ladder("m", ("s",))] == [
        ("m", 1.0), ("s", 1.0), ("s", 0.75), ("s", 0.5),
    ]  # fmt: skip


def test_auto_follows_motion_before_anything_else_is_given_up(slow: Slow) -> None:
    levels = ladder("m", ("s",), follows=True)
    assert [(level.model, level.scale, level.follow) for level in levels] == [
        ("m", 1.0, True), ("m", 1.0, False), ("s", 1.0, None), ("s", 0.75, None), ("s", 0.5, None),
    ]  # fmt: skip
    assert [str(level) for level in levels[:3]] == [
        "m at 100 % of the size, following motion", "m at 100 % of the size, not following motion",
        "s at 100 % of the size",
    ]  # fmt: skip

    class Costly(Slow):
        def __call__(self, frame: np.ndarray) -> np.ndarray:
            self.seconds = 0.05 if self.follow else 0.0
            followed.append(self.follow)
            return super().__call__(frame)

    for follow in (True, False):
        followed: list[bool] = []
        Loop(FakeCamera(rate=30), Costly(slow._real), auto=True, follow=follow, seconds=1.5).run()
        assert followed[0] == follow
        assert not followed[-1], "as good as it gets at the camera's rate"


def test_which_shipped_models_can_follow_is_known_before_they_are_loaded(slow: Slow) -> None:
    models = Models("mine", slow, others=("lowlight", "lowlight-s", "lowlight-l"), load=dae_edge.load)
    assert [name for name in models.names if models.can_follow(name)] == ["mine", "lowlight", "lowlight-l"]


def test_auto_goes_down_at_once_and_stays_where_it_holds() -> None:
    machine = Machine({BEST: 0.050, MIDDLE: 0.030, LOWEST: 0.014})
    machine.live(1.0)
    assert machine.auto.level == MIDDLE
    machine.live(600)
    assert machine.changes == 1, "the level above would not hold, and that is known"


def test_auto_goes_up_again_when_it_can_after_a_while() -> None:
    machine = Machine({BEST: 0.080, MIDDLE: 0.045, LOWEST: 0.020})
    machine.live(3)
    assert machine.auto.level == LOWEST
    machine.costs = {BEST: 0.024, MIDDLE: 0.0135, LOWEST: 0.006}  # the other program has ended
    machine.live(5)
    assert machine.auto.level == LOWEST
    machine.live(40)
    assert machine.auto.level == BEST


def test_auto_does_not_swing() -> None:
    """A level above that looks cheap from below and is not is tried ever more seldom."""
    machine = Machine({BEST: 0.050, MIDDLE: 0.030, LOWEST: 0.014})
    machine.live(1)
    for _ in range(60):  # a machine that is free whenever it works little, and busy otherwise
        machine.costs = {BEST: 0.050, MIDDLE: 0.010, LOWEST: 0.005}
        machine.live(20)
    assert machine.changes < 20
