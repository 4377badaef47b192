"""Which layers suffer from 8 bits, and leaving the worst of them in float."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import ParityError
from dae_edge.export.check import Reference
from dae_edge.export.picture_model import Frame
from dae_edge.export.ways import Attach, Way

_ROUNDING = 1 / 12  # mean squared error of rounding to whole levels: every file's frames have it
_LEAST = 1e-4  # less is nothing

Expected: TypeAlias = list[NDArray[np.float32]]  # what Keras makes of frames, in levels, unrounded
Held = TypeVar("Held")  # what accepting a file says of it


@dataclass(frozen=True)
class Sensitivity:
    """A layer quantized alone.

    loss: dB of PSNR against clean that the model loses to Keras on the clips where it loses most; no less
          than noise of the error's power would cost there, as luck on a few frames is gone on others
    sqnr: signal to quantization noise of its frames, in dB
    """

    layer: str
    loss: float
    sqnr: float


def sensitivities(
    layers: Sequence[str],
    run: Callable[[tuple[str, ...]], list[list[Frame]]],
    references: Sequence[Reference],
    say: Callable[[str], None] = lambda _: None,
) -> list[Sensitivity]:
    """Every layer alone in 8 bits, the most costly first.

    `run` gives each reference's frames with the layers named in float. Ranked by what is lost against clean,
    as files are checked: an error that steers a memory costs more, frame by frame, than noise on the result.
    """
    expected = [[frame for _, _, frame, _ in reference.steps()] for reference in references]
    found = []
    for index, layer in enumerate(layers):
        say(f"layer {index + 1} of {len(layers)} alone in 8 bits")
        made = run(tuple(other for other in layers if other != layer))
        loss = max(map(_loss, references, expected, made))
        found.append(Sensitivity(layer, round(loss, 4), round(min(map(_sqnr, expected, made)), 1)))
    return sorted(found, key=lambda layer: (-layer.loss, layer.sqnr))


def leave_worst(
    way: Way,
    accept: Callable[[Attach, tuple[str, ...]], Held],
    rank: Callable[[], list[Sensitivity]],
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Attach, tuple[str, ...], Held]:
    """The model with as few layers in float as `accept` lets through, those layers, and what it said.

    `accept` raises `ParityError` for one that loses too much. Layers are left worst first, one more
    each time, more at a time when many are out already; where none would remain, the error stands. Then
    each that can do with 8 bits after all, now that others are in float, goes back.
    """
    left: tuple[str, ...] = ()
    worst: list[str] = []
    refused = set()
    while True:
        made = way.make(left)
        try:
            held = accept(made, left)
            break
        except ParityError:
            refused.add(left)
            count = len(left) + max(len(left) // 3, 1)
            if count >= len(way.layers):
                raise
        worst = worst or [layer.layer for layer in rank()]
        left = tuple(worst[:count])
        say(f"{count} of {len(worst)} layers in float")
    for layer in reversed(left):
        fewer = tuple(other for other in left if other != layer)
        if not fewer or fewer in refused:
            continue
        say(f"{len(fewer)} of {len(worst)} layers in float once more")
        candidate = way.make(fewer)
        try:
            held = accept(candidate, fewer)
        except ParityError:
            continue
        made, left = candidate, fewer
    return made, left, held


def _loss(reference: Reference, expected: Expected, frames: list[Frame]) -> float:
    keras = max(_error(reference.clean, expected), _LEAST)
    file = _error(reference.clean, frames) - _ROUNDING
    return 10 * math.log10(max(file, keras + _noise(expected, frames)) / keras)


def _sqnr(expected: Expected, frames: list[Frame]) -> float:
    signal = float(np.mean([np.square(frame).mean() for frame in expected]))
    return 10 * math.log10(signal / _noise(expected, frames))


def _noise(expected: Expected, frames: list[Frame]) -> float:
    return max(_error(expected, frames) - _ROUNDING, _LEAST)


def _error(expected: Sequence[NDArray[Any]], frames: Sequence[NDArray[Any]]) -> float:
    return float(
        np.mean([np.square(f - e.astype(np.float32)).mean() for f, e in zip(frames, expected, strict=True)])
    )
