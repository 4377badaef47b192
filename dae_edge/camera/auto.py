"""`--auto`: as good a picture as this machine can make at the camera's rate."""

from __future__ import annotations

import itertools
import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

_SCALES = (0.75, 0.5)
_FRAMES = 20  # the last so many decide
_AT_LEAST = 8  # and so many must be there
_FULL = 0.97  # busy for more of the camera's period than this: one level down
_SPARE = 0.85  # the level above would be busy for less than this: one level up
_CALM, _CALMEST = 10.0, 300.0  # seconds before going up; doubles with each time that it was too much
_UNKNOWN = 2.0  # how much cheaper the next model is, before it was measured
_FOLLOWING = 1.6  # how much more a model costs that follows motion, while everything moves


@dataclass(frozen=True)
class Level:
    """A model, and the side length it works at as a share of the frame's.

    follow: whether its memory goes along with what moves; None for as it was loaded
    """

    model: str
    scale: float = 1.0
    follow: bool | None = None

    def __str__(self) -> str:
        along = (
            "" if self.follow is None else ", following motion" if self.follow else ", not following motion"
        )
        return f"{self.model} at {100 * self.scale:.0f} % of the size{along}"


def ladder(model: str, cheaper: Sequence[str] = (), *, follows: bool = False) -> tuple[Level, ...]:
    """From the best to the cheapest: smaller models first, then the smallest of them on smaller frames.

    With `follows` the first one follows motion as long as that holds the rate.
    """
    first = (Level(model, follow=True), Level(model, follow=False)) if follows else (Level(model),)
    last = Level(cheaper[-1]) if cheaper else first[-1]
    smaller = (replace(last, scale=scale) for scale in _SCALES)
    return (*first, *(Level(name) for name in cheaper), *smaller)


class Auto:
    """Goes down a ladder until the camera's rate holds, and up again when it can.

    Down quickly, after a third of a second of frames that took too long. Up slowly: only after ten
    calm seconds, and only where the level above, by what it cost when it last ran, would leave a
    margin. A way up that proved too much makes the next wait twice as long.
    """

    def __init__(self, levels: Sequence[Level]) -> None:
        self._levels = tuple(levels)
        self._at = 0
        self._busy: deque[float] = deque(maxlen=_FRAMES)
        self._ratio = [_first_ratio(above, below) for above, below in itertools.pairwise(levels)]
        self._came_down_with: float | None = None  # the cost of the level above, to compare with
        self._changed: float | None = None
        self._went_up: float | None = None
        self._calm = _CALM

    @property
    def level(self) -> Level:
        return self._levels[self._at]

    def note(self, busy: float, period: float, now: float) -> Level:
        """The level for the next frame, after one that kept the loop `busy` seconds of its `period`."""
        if self._changed is None:
            self._changed = now
        self._busy.append(busy)
        if len(self._busy) < _AT_LEAST:
            return self.level
        cost = statistics.median(self._busy)
        if self._came_down_with is not None and cost > 0:
            self._ratio[self._at - 1] = self._came_down_with / cost
            self._came_down_with = None
        if cost > _FULL * period and self._at + 1 < len(self._levels):
            if self._went_up is not None and now - self._went_up < _CALM:
                self._calm = min(2 * self._calm, _CALMEST)
            self._came_down_with = cost
            self._go(1, now)
        elif self._at and now - self._changed > self._calm:
            if cost * self._ratio[self._at - 1] < _SPARE * period:
                self._went_up = now
                self._go(-1, now)
        elif self._went_up is not None and now - self._went_up > 2 * self._calm:
            self._calm = _CALM  # it held
        return self.level

    def _go(self, step: int, now: float) -> None:
        self._at += step
        self._changed = now
        self._busy.clear()


def _first_ratio(above: Level, below: Level) -> float:
    """How much more the level above costs, as far as one can say before measuring."""
    if above.model != below.model:
        return _UNKNOWN
    return _FOLLOWING if above.follow != below.follow else (above.scale / below.scale) ** 2
