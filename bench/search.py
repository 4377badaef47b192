"""The best setting of a method for a very clip: which no user could know, so nobody can call it unfair."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dae_edge.bench.method import Knob, Setting


def best_setting(knobs: Sequence[Knob], worth: Callable[[Setting], float]) -> Setting:
    """The setting with the highest `worth`, found from coarse to fine on the grid of the knobs' values.

    A pattern search (Hooke and Jeeves, "Direct search solution of numerical and statistical problems",
    JACM 1961): from the middle of every knob, steps of a quarter of its values, halved when no step
    helps, until no neighbour on the grid is better. It finds the best of the whole grid where quality
    rises to one top and falls, as it does with a denoiser's strength.
    """
    if not knobs:
        return ()
    known: dict[tuple[int, ...], float] = {}

    def value(place: tuple[int, ...]) -> float:
        if place not in known:
            known[place] = worth(_setting(knobs, place))
        return known[place]

    here = tuple((len(knob.values) - 1) // 2 for knob in knobs)
    steps = [max(len(knob.values) // 4, 1) for knob in knobs]
    while True:
        near = [
            (*here[:axis], here[axis] + step, *here[axis + 1 :])
            for axis, reach in enumerate(steps)
            for step in (-reach, reach)
            if 0 <= here[axis] + step < len(knobs[axis].values)
        ]
        top = max([here, *near], key=value)
        if top != here:
            here = top
        elif all(step == 1 for step in steps):
            return _setting(knobs, here)
        else:
            steps = [max(step // 2, 1) for step in steps]


def at_the_end(knobs: Sequence[Knob], setting: Setting) -> list[str]:
    """The knobs that were best at an end of their values, where more might be better still."""
    return [
        knob.name
        for knob, value in zip(knobs, setting, strict=True)
        if len(knob.values) > 2 and value in (knob.values[0], knob.values[-1])
    ]


def _setting(knobs: Sequence[Knob], place: tuple[int, ...]) -> Setting:
    return tuple(knob.values[index] for knob, index in zip(knobs, place, strict=True))
