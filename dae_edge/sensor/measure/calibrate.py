"""From the frames of a still scene to what is known of the camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.sensor.measure import shape, spots, still, wire
from dae_edge.sensor.measure.camera_file import COLOURS, CameraFile
from dae_edge.sensor.measure.fit import (
    BIN,
    FEW,
    FITTED,
    Fit,
    Points,
    changed,
    compare,
    law,
    line_ratio,
    simulate,
    straight_line,
)
from dae_edge.sensor.measure.notes import notes
from dae_edge.sensor.measure.readings import APART, BLOCK, Readings, read
from dae_edge.sensor.sensor import Sensor

Stack = NDArray[np.uint8]
Plane = NDArray[np.float32]
Values = NDArray[np.float64]
Tell = Callable[[str, int, int], None]  # what is done, steps done, steps in all

_START = Sensor(electrons=100, read_noise=2, row_noise=0.3, red_gain=2, blue_gain=2)
_COARSE, _FINE = BLOCK, 2  # pixels a side of the means that are compared before and after the search
_FIRST, _LAST, _KEPT = 2, 6, 3  # quick steps; careful steps; of the last so many the mean is taken
_PIXELS = 4e6  # that a careful step simulates, about
_RESAMPLED = 60
_HOT = 1e-3  # share of hot pixels by which it is seen how many of them can be found
_BLIND = 0.15  # of them, below which their number says nothing
_TILE = 4  # blocks a side that are drawn together, as neighbours are alike


def calibrate(
    stack: Stack, *, source: str = "", rate: float = 0.0, tell: Tell = lambda *_: None
) -> CameraFile:
    """Measure the camera that took (F, H, W, 3) uint8 BGR `stack` of a still scene.

    Raises `CalibrationError`, with what to do, where the scene moves, is clipped, or is too short.
    """
    tell("looking at the scene", 0, 1)
    stack = still.different_frames(stack)
    first = read(stack)
    steady = still.check_still(first)
    real = read(stack, steady) if not steady.all() else first
    usable = still.check_light(real, steady)
    quality = wire.jpeg_quality(stack)

    scene = stack.mean(axis=0, dtype=np.float32)
    start = replace(_START, jpeg_quality=quality, chroma="4:4:4" if quality is None else "4:2:0")
    fit = Fit(real, steady, usable, start, scene)
    frames = int(np.clip(_PIXELS / (stack.shape[1] * stack.shape[2]), 8, 40))
    misfit = _find_kind(fit, stack, frames // 2, tell)
    side = _FINE if misfit < shape.FITS else _COARSE
    kept: list[Sensor] = []
    for index in range(_LAST):
        tell("measuring", index, _LAST)
        kept.append(fit.step(frames, side))
    tell("measuring", _LAST, _LAST)
    sensor = _mean(kept[-_KEPT:])
    found = spots.find(stack)
    seen = _hot_seen(sensor, fit.scene, min(frames, 16))
    sensor = replace(sensor, hot_pixels=min(found.share / seen, 1.0) if seen > _BLIND else 0.0)
    assert fit.points is not None
    return _file(
        stack,
        fit,
        sensor,
        fit.points,
        _resample(fit, side, sensor),
        found,
        seen,
        misfit,
        source=source,
        rate=rate,
    )


def _find_kind(fit: Fit, stack: Stack, frames: int, tell: Tell) -> float:
    """Give `fit` the demosaic, wire and touch-up with the noise's structure; the misfit that is left.

    Each look is followed by steps, since the amount of noise bends its structure a little; what is
    simpler is tried first.
    """
    search = shape.Search(stack, fit.scene, fit.usable)
    misfit = np.inf
    looks = (search.kind, search.kind, search.touched_up)
    for index, look in enumerate(looks):
        tell("finding the kind of camera", index, len(looks))
        for _ in range(_FIRST):
            fit.step(frames, _COARSE)
        search.see(fit.scene)
        misfit = search.misfit(fit.sensor)
        if index and misfit < shape.FITS:  # at first several kinds may fit
            return misfit
        fit.sensor = look(fit.sensor)
    for _ in range(_FIRST):
        fit.step(frames, _COARSE)
    search.see(fit.scene)
    return search.misfit(fit.sensor)


def _hot_seen(sensor: Sensor, scene: Plane, frames: int) -> float:
    """How many of the hot pixels that there are can be found in this scene, behind this demosaic and wire.

    The scene is the mean of what the real camera saw: a median takes its own hot pixels out.
    """
    codes = np.clip(np.rint(scene), 0, 255).astype(np.uint8)
    smooth = cv2.medianBlur(codes, 5).astype(np.float32)
    known = spots.find(simulate(replace(sensor, hot_pixels=_HOT), smooth, frames, seed=13))
    return known.share / _HOT


def _mean(sensors: list[Sensor]) -> Sensor:
    """The geometric mean of what the last steps found; their noise averages out."""
    names = (*FITTED, "row_noise")
    logs = np.log([[getattr(sensor, name) for name in names] for sensor in sensors]).mean(axis=0)
    return changed(sensors[-1], dict(zip(names, map(float, np.exp(logs)), strict=True)))


def _resample(fit: Fit, side: int, sensor: Sensor) -> dict[str, Values]:
    """What other frames might have given: bootstrap over tiles of the picture and over rows.

    (n,) draws of each parameter around the estimate.
    """
    random = np.random.default_rng(3)
    rows, columns = fit.usable.shape[:2]
    tiles = (-(-rows // _TILE), -(-columns // _TILE))
    before, scene = fit.before
    height = len(fit.real.rows)
    found = []
    for _ in range(_RESAMPLED):
        times = np.bincount(
            random.integers(tiles[0] * tiles[1], size=tiles[0] * tiles[1]), minlength=tiles[0] * tiles[1]
        )
        counted = np.kron(times.reshape(tiles), np.ones((_TILE, _TILE)))[:rows, :columns]
        weight = (counted[..., None] * fit.usable).astype(np.float64)
        drawn = straight_line(before, compare(fit.real, fit.drawn, before, scene, weight, side))
        lines = random.integers(height, size=height)
        ratio = max(line_ratio(fit.real.rows[lines], fit.drawn.rows[lines]), 1e-4)
        row_noise = before.row_noise * np.sqrt(ratio) * drawn.electrons / before.electrons
        found.append([*(getattr(drawn, name) for name in FITTED), row_noise])
    logs = np.log(np.array(found))
    logs -= np.median(logs, axis=0)  # around the estimate, which is the mean of several steps
    names = (*FITTED, "row_noise")
    return {name: getattr(sensor, name) * np.exp(logs[:, index]) for index, name in enumerate(names)}


def _interval(draws: Values) -> tuple[float, float]:
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)


def _file(
    stack: Stack,
    fit: Fit,
    sensor: Sensor,
    points: Points,
    draws: dict[str, Values],
    found: spots.Spots,
    hot_seen: float,
    misfit: float,
    *,
    source: str,
    rate: float,
) -> CameraFile:
    from dae_edge import __version__

    real, steady, usable = fit.real, fit.still, fit.usable
    interval = {name: _interval(values) for name, values in draws.items()}
    light = points.light
    coverage = {
        "levels": [float(edge) for edge in np.percentile(real.level[..., 1][usable[..., 1]], [1, 99])],
        "light": [float(light.min()), float(light.max())],
        "bins": len(light),
        "moving": float(1 - steady.mean()),
        "black": float((stack == 0).mean()),
        "white": float((stack == 255).mean()),
    }
    time = {"correlation": _time_correlation(real, usable)}
    trust, remarks = notes(sensor, interval, misfit, real, coverage, time["correlation"])
    if hot_seen <= _BLIND:
        remarks.append("Hot pixels cannot be counted here: the camera's processing spreads them too far.")
    return CameraFile(
        made={
            "version": __version__,
            "source": source,
            "size": [stack.shape[2], stack.shape[1]],
            "frames": len(stack),
            "rate": float(rate),
        },
        sensor=sensor,
        interval=interval,
        noise=float(np.sqrt(real.power[1][steady].mean())),
        seen=_seen(real, usable),
        linear=_linear(sensor, points, draws),
        structure=_structure(real),
        time=time,
        spots={"found": found.hot, "found_of_all": hot_seen, "pattern": _pattern(found, real)},
        coverage=coverage,
        misfit=misfit,
        trust=trust,
        notes=tuple(remarks),
    )


def _seen(real: Readings, usable: NDArray[np.bool_]) -> dict[str, list[tuple[float, float, int]]]:
    """The noise level function: grey level -> noise of a pixel, as the picture shows it."""
    curves = {}
    for channel, colour in enumerate(COLOURS):
        mine = usable[..., channel]
        level, power = real.level[..., channel][mine], real.power[1][..., channel][mine]
        bins = (level / BIN).astype(int)
        rows = []
        for number in np.unique(bins):
            chosen = bins == number
            if chosen.sum() >= FEW:
                sigma = float(np.sqrt(power[chosen].mean()))
                rows.append((float(level[chosen].mean()), sigma, int(chosen.sum()) * BLOCK * BLOCK))
        curves[colour] = rows
    return curves


def _linear(sensor: Sensor, points: Points, draws: dict[str, Values]) -> dict[str, dict[str, Any]]:
    """Shot and read noise of each colour in linear light, and the points their line goes through."""
    found: dict[str, dict[str, Any]] = {}
    ends = np.array([0.0, 1.0])
    for channel, colour in enumerate(COLOURS):
        which = np.full(2, channel)
        read_, both = law(sensor, which, ends)
        drawn = np.array(
            [
                law(changed(sensor, {n: float(draws[n][i]) for n in FITTED}), which, ends)
                for i in range(len(draws["electrons"]))
            ]
        )
        mine = points.channel == channel
        found[colour] = {
            "shot": float(both - read_),
            "shot_interval": _interval(drawn[:, 1] - drawn[:, 0]),
            "read": float(read_),
            "read_interval": _interval(drawn[:, 0]),
            "points": [
                [float(x), float(v), int(n)]
                for x, v, n in zip(
                    points.light[mine], points.variance[mine], points.blocks[mine], strict=True
                )
            ],
        }
    return found


def _structure(real: Readings) -> dict[str, Any]:
    names = ("right_1", "below_1", "right_2", "below_2")
    lines = {"rows": real.rows, "columns": real.columns}
    return {
        "neighbours": {
            name: [round(float(v), 4) for v in row] for name, row in zip(names, real.neighbours, strict=True)
        },
        "colours": {
            name: round(float(v), 4)
            for name, v in zip(("blue_green", "green_red", "blue_red"), real.colours, strict=True)
        },
        "lines": {
            name: [float(np.sqrt(max(v, 0.0))) for v in products.mean(axis=0)]
            for name, products in lines.items()
        },
        "edges": real.edges,
    }


def _pattern(found: spots.Spots, real: Readings) -> float:
    """Grey levels rms that stay, less what the noise leaves in a mean of frames."""
    return float(np.sqrt(max(found.pattern**2 - float(np.median(real.power[1])) / real.frames, 0.0)))


def _time_correlation(real: Readings, usable: NDArray[np.bool_]) -> float:
    """Of one frame's noise with the next one's, as a recursive average over time would make it.

    With correlation r**k at k frames, differences of frames k apart have 1 - r**k of the variance.
    """
    ratio = float(np.median(real.power[BLOCK][usable]) / max(float(np.median(real.slow[usable])), 1e-9))
    known = np.linspace(0.98, -0.3, 400)
    return float(np.interp(ratio, (1 - known) / (1 - known**APART), known))
