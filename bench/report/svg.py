"""Plots as SVG, written by hand: they go into a page and into a README, and need nothing to be drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from dae_edge.bench.report.rows import pareto

# The colours of a plot that stands alone; a page brings its own for the same names.
PALETTE = {"ink": "#1f2933", "faint": "#8a94a0", "line": "#dde2e7", "ours": "#0a6ebd", "theirs": "#c2571a"}
_FRAME_MS = 1000 / 30
_TEXT = 12  # pixels
_APART = 16
_GAP = 6  # between two labels
_NARROW = 0.6  # of a letter's width to its height, about


@dataclass(frozen=True)
class Point:
    """A method: milliseconds, dB, and whether it is one of ours."""

    name: str
    ms: float
    quality: float
    ours: bool


def tradeoff(points: Sequence[Point], floor: float | None, title: str, *, alone: bool = False) -> str:
    """Quality over time on a logarithmic axis, and the front that nothing beats. floor: the noisy dB."""
    width, height = 760, 430
    left, right, top, bottom = 52, 20, 46, 48
    qualities = [p.quality for p in points] + ([floor] if floor is not None else [])
    low, high = math.floor(min(qualities) - 0.3), math.ceil(max(qualities) + 0.3)
    begin, end = _decades([p.ms for p in points] + [_FRAME_MS])

    def x(ms: float) -> float:
        return left + (math.log10(ms) - begin) / (end - begin) * (width - left - right)

    def y(quality: float) -> float:
        return top + (high - quality) / (high - low) * (height - top - bottom)

    parts = [_text(left, 18, title, "ink", weight=600)]
    for value in _ticks(low, high):
        parts += [_line(left, y(value), width - right, y(value), "line")]
        parts += [_text(left - 8, y(value) + 4, f"{value:g}", "faint", anchor="end")]
    for ms in _log_ticks(begin, end):
        parts += [_line(x(ms), top, x(ms), height - bottom, "line")]
        parts += [_text(x(ms), height - bottom + 18, f"{ms:g}", "faint", anchor="middle")]
    parts += [
        _text((left + width - right) / 2, height - 10, "milliseconds a frame", "faint", anchor="middle"),
        _text(left - 8, top - 8, "PSNR, dB", "faint", anchor="middle"),
        _line(x(_FRAME_MS), top, x(_FRAME_MS), height - bottom, "faint", dash="2 4"),
        _text(x(_FRAME_MS), top - 8, "30 frames a second", "faint", anchor="middle"),
    ]
    taken = []
    if floor is not None:
        parts += [
            _line(left, y(floor), width - right, y(floor), "faint", dash="6 4"),
            _text(width - right, y(floor) - 5, "noisy", "faint", anchor="end"),
        ]
        taken.append(_Box(left, y(floor) - 1, width - right - left, 2))
    front = sorted((points[i] for i in pareto([(p.ms, p.quality) for p in points])), key=lambda p: p.ms)
    if front:
        steps: list[tuple[float, float]] = [(x(front[0].ms), height - bottom)]
        for before, point in zip([None, *front], front, strict=False):
            if before is not None:
                steps.append((x(point.ms), y(before.quality)))
            steps.append((x(point.ms), y(point.quality)))
        steps.append((width - right, y(front[-1].quality)))
        parts.append(_path(steps, "ours", width=1.5, opacity=0.45))
        taken += [
            _Box(min(x1, x2), min(y1, y2) - 1, abs(x2 - x1) + 2, abs(y2 - y1) + 2)
            for (x1, y1), (x2, y2) in itertools.pairwise(steps)
        ]
    taken += [_Box(x(p.ms) - 7, y(p.quality) - 7, 14, 14) for p in points]
    for point in sorted(points, key=lambda p: -p.quality):
        here = (x(point.ms), y(point.quality))
        colour = "ours" if point.ours else "theirs"
        parts.append(_dot(*here, 5.5, colour, filled=point in front, tip=_tip(point)))
        label = _place(here, point.name, taken, width - right, (left, top, height - bottom))
        near = (min(max(here[0], label.x), label.x + label.width), label.y + label.height / 2)
        if math.dist(here, near) > _APART:  # so far that it could be another's
            parts.append(_line(*here, *near, "faint", opacity=0.6))
        # The box is a guess at the letters' width: the text keeps to the side that its point is on.
        anchor = "start" if label.x > here[0] else "end" if label.x + label.width < here[0] else "middle"
        across = {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * label.width
        ink = "ink" if point.ours else "faint"
        parts.append(_text(label.x + across, label.y + _TEXT, point.name, ink, anchor=anchor))
        taken.append(_Box(label.x - _GAP, label.y, label.width + 2 * _GAP, label.height))
    return _svg(width, height, parts, title, alone=alone)


def curves(lines: Sequence[tuple[str, dict[int, float], bool]], title: str, *, alone: bool = False) -> str:
    """PSNR by frame, frames on a logarithmic axis; each line is (name, dB by frame, whether it is ours)."""
    width, height = 760, 320
    left, right, top, bottom = 52, 230, 46, 48
    values = [value for _, curve, _ in lines for value in curve.values()]
    frames = sorted({frame for _, curve, _ in lines for frame in curve})
    low, high = math.floor(min(values) - 0.3), math.ceil(max(values) + 0.3)
    last = math.log2(frames[-1]) or 1

    def x(frame: int) -> float:
        return left + math.log2(frame) / last * (width - left - right)

    def y(quality: float) -> float:
        return top + (high - quality) / (high - low) * (height - top - bottom)

    parts = [
        _text(left, 18, title, "ink", weight=600),
        _text(left - 8, top - 8, "PSNR, dB", "faint", anchor="middle"),
    ]
    for value in _ticks(low, high):
        parts += [_line(left, y(value), width - right, y(value), "line")]
        parts += [_text(left - 8, y(value) + 4, f"{value:g}", "faint", anchor="end")]
    for frame in frames:
        parts.append(_text(x(frame), height - bottom + 18, str(frame), "faint", anchor="middle"))
    parts.append(_text((left + width - right) / 2, height - 10, "frame", "faint", anchor="middle"))
    ends = sorted(
        ((y(curve[max(curve)]), name, curve, ours) for name, curve, ours in lines), key=lambda e: e[0]
    )
    below = 0.0
    for wanted, name, curve, ours in ends:
        colour = "ours" if ours else "theirs"
        spots = [(x(frame), y(value)) for frame, value in sorted(curve.items())]
        parts.append(_path(spots, colour, width=2 if ours else 1.2, opacity=1 if ours else 0.6))
        parts += [_dot(*spot, 2.5, colour, filled=True, tip=f"{name}: {curve[f]:.2f} dB at frame {f}")
                  for spot, f in zip(spots, sorted(curve), strict=True)]  # fmt: skip
        below = max(wanted + 4, below + _TEXT + 3)
        parts.append(_text(spots[-1][0] + 10, below, name, "ink" if ours else "faint"))
    return _svg(width, height, parts, title, alone=alone)


def strips(lines: Sequence[tuple[str, Sequence[float], bool]], title: str, *, alone: bool = False) -> str:
    """Every time measured as a tick on a logarithmic axis, the median as a long one."""
    row, width = 26, 760
    left, right, top, bottom = 240, 60, 44, 40
    height = top + bottom + row * len(lines)
    begin, end = _decades([ms for _, times, _ in lines for ms in times])

    def x(ms: float) -> float:
        return left + (math.log10(ms) - begin) / (end - begin) * (width - left - right)

    parts = [_text(8, 18, title, "ink", weight=600)]
    for ms in _log_ticks(begin, end):
        parts += [_line(x(ms), top - 8, x(ms), height - bottom, "line")]
        parts += [_text(x(ms), height - bottom + 18, f"{ms:g}", "faint", anchor="middle")]
    parts.append(
        _text((left + width - right) / 2, height - 6, "milliseconds a frame", "faint", anchor="middle")
    )
    for index, (name, times, ours) in enumerate(lines):
        middle = top + row * (index + 0.5)
        colour = "ours" if ours else "theirs"
        ordered = sorted(times)
        median = ordered[len(ordered) // 2]
        for ms in _thinned(ordered):
            parts.append(_line(x(ms), middle - 5, x(ms), middle + 5, colour, opacity=0.35))
        parts.append(_line(x(median), middle - 9, x(median), middle + 9, colour, width=2.5))
        parts.append(_text(left - 10, middle + 4, name, "ink" if ours else "faint", anchor="end"))
        parts.append(_text(width - 8, middle + 4, f"{median:.1f}", "ink", anchor="end"))
    return _svg(width, height, parts, title, alone=alone)


@dataclass(frozen=True)
class _Box:
    x: float
    y: float
    width: float
    height: float

    def overlap(self, other: _Box) -> float:
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(across, 0) * max(down, 0)


def _place(
    spot: tuple[float, float],
    name: str,
    taken: Sequence[_Box],
    right: float,
    edge: tuple[float, float, float],
) -> _Box:
    """Where a point's label covers the least of what is there already: beside it, above or below."""
    x, y = spot
    left, top, bottom = edge
    wide, high = len(name) * _TEXT * _NARROW, _TEXT + 4
    places = [
        _Box(x + across, y + down, wide, high)
        for down in (-8, -22, 6, -36, 20, -50, 34, 48, 62)
        for across in (10, -wide - 10, -wide / 2)
    ]
    inside = [
        b for b in places if b.x >= left and b.x + wide <= right and top <= b.y and b.y + high <= bottom
    ]
    return min(inside or places, key=lambda box: sum(box.overlap(other) for other in taken))


def _decades(values: Iterable[float]) -> tuple[float, float]:
    """The ends of a logarithmic axis around the values, in powers of ten, a little to spare."""
    logs = [math.log10(value) for value in values if value > 0] or [0.0]
    return min(logs) - 0.12, max(logs) + 0.12


def _log_ticks(begin: float, end: float) -> list[float]:
    marks = [m * 10.0**power for power in range(math.floor(begin), math.ceil(end) + 1) for m in (1, 2, 5)]
    return [mark for mark in marks if begin <= math.log10(mark) <= end]


def _ticks(low: int, high: int) -> list[int]:
    step = next(s for s in (1, 2, 5, 10, 20) if (high - low) / s <= 9)
    return list(range(-(-low // step) * step, high + 1, step))


def _thinned(ordered: Sequence[float], most: int = 240) -> list[float]:
    """Evenly fewer of very many times, the extremes kept."""
    if len(ordered) <= most:
        return list(ordered)
    return [ordered[round(i * (len(ordered) - 1) / (most - 1))] for i in range(most)]


def _tip(point: Point) -> str:
    return f"{point.name}: {point.quality:.2f} dB, {point.ms:.1f} ms"


def _svg(width: float, height: float, parts: Iterable[str], title: str, *, alone: bool) -> str:
    style = ""
    if alone:
        colours = "".join(f".{n}{{color:{c}}}" for n, c in PALETTE.items())
        style = f'<style>{colours}</style><rect width="100%" height="100%" fill="#fff"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="{_TEXT}">'
        f"{style}{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, text: str, colour: str, *, anchor: str = "start", weight: int = 400) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{colour}" fill="currentColor" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )


def _line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    colour: str,
    *,
    dash: str = "",
    width: float = 1,
    opacity: float = 1,
) -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{colour}" '
        f'stroke="currentColor" stroke-width="{width:g}" opacity="{opacity:g}"{dashed}/>'
    )


def _path(spots: Sequence[tuple[float, float]], colour: str, *, width: float, opacity: float) -> str:
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    return (
        f'<polyline points="{way}" class="{colour}" fill="none" stroke="currentColor" '
        f'stroke-width="{width:g}" opacity="{opacity:g}"/>'
    )


def _dot(x: float, y: float, radius: float, colour: str, *, filled: bool, tip: str) -> str:
    fill = "currentColor" if filled else "none"
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" class="{colour}" fill="{fill}" '
        f'stroke="currentColor" stroke-width="1.8"><title>{escape(tip)}</title></circle>'
    )
