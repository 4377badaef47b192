"""Which layers suffer from 8 bits, and leaving the worst of them in float."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dae_edge.errors import ParityError
from dae_edge.export.check import Reference
from dae_edge.export.ways import Attach, Way
from dae_edge.runtime.engine import Engine

_ROUNDING = 1 / 12  # mean squared error of rounding to whole levels: every file's frames have it


@dataclass(frozen=True)
class Sensitivity:
    """A layer quantized alone: signal to quantization noise of the model's frames, in dB."""

    layer: str
    sqnr: float


def sensitivities(
    way: Way,
    run: Callable[[Attach], Engine],
    reference: Reference,
    say: Callable[[str], None] = lambda _: None,
) -> list[Sensitivity]:
    """Every layer alone in 8 bits, worst first."""
    expected = [frame for _, _, frame, _ in reference.steps()]
    signal = float(np.mean([np.square(frame).mean() for frame in expected]))
    found = []
    for index, layer in enumerate(way.layers):
        say(f"layer {index + 1} of {len(way.layers)} alone in 8 bits")
        frames = reference.run(run(way.make([other for other in way.layers if other != layer])))
        error = [np.square(f - e).mean() for f, e in zip(frames, expected, strict=True)]
        noise = max(float(np.mean(error)) - _ROUNDING, 1e-4)
        found.append(Sensitivity(layer, round(10 * math.log10(signal / noise), 1)))
    return sorted(found, key=lambda layer: layer.sqnr)


def leave_worst(
    way: Way,
    accept: Callable[[Attach, tuple[str, ...]], None],
    rank: Callable[[], list[Sensitivity]],
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Attach, tuple[str, ...]]:
    """The model with as few layers in float as `accept` lets through, and those layers.

    `accept` raises `ParityError` for one that loses too much. Layers are left worst first, one more
    each time, more at a time when many are out already; where none would remain, the error stands.
    """
    left: tuple[str, ...] = ()
    worst: list[str] = []
    while True:
        made = way.make(left)
        try:
            accept(made, left)
            return made, left
        except ParityError:
            count = len(left) + max(len(left) // 3, 1)
            if count >= len(way.layers):
                raise
        worst = worst or [layer.layer for layer in rank()]
        left = tuple(worst[:count])
        say(f"{count} of {len(worst)} layers in float")
