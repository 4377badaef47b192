"""Percentiles of a run of any length in a room that does not grow."""

from __future__ import annotations

import math

import numpy as np

_STEP = 1.01  # the ratio of one bin's edge to the last: percentiles are right to 1 %
_LOWEST, _HIGHEST = 1e-3, 1e7
_BINS = math.ceil(math.log(_HIGHEST / _LOWEST) / math.log(_STEP)) + 1


class Spread:
    """How values above 0 spread: a histogram whose bins grow by one per cent."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS, np.int64)

    def __len__(self) -> int:
        return int(self._counts.sum())

    def add(self, value: float) -> None:
        """Count one value; beyond 0.001 and 10 million it counts as that."""
        held = min(max(value, _LOWEST), _HIGHEST)
        self._counts[int(math.log(held / _LOWEST) / math.log(_STEP))] += 1

    def percentile(self, share: float) -> float:
        """The value below which `share` per cent of all lie, to 1 %; 0.0 without any."""
        total = len(self)
        if not total:
            return 0.0
        rank = max(1, math.ceil(total * share / 100))
        bin_ = int(np.searchsorted(np.cumsum(self._counts), rank))
        return float(_LOWEST * _STEP ** (bin_ + 0.5))
