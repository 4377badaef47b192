"""The picture of a camera file: noise as seen, and the photon transfer curve in linear light."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dae_edge.files import writing
from dae_edge.sensor.measure.camera_file import COLOURS, CameraFile

_INK = "#1f2933"
_COLOUR = {"blue": "#2f6fb0", "green": "#3d9145", "red": "#c4453b"}


def draw(found: CameraFile, path: Path, *, force: bool = False) -> None:
    """Write a .png: left what the picture shows, right what the sensor does."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    seen, linear = figure.subplots(1, 2)
    _seen(seen, found)
    _linear(linear, found)
    sensor = found.sensor
    figure.suptitle(
        f"{found.made['source'] or 'camera'}: {sensor.electrons:.3g} electrons at white, "
        f"read noise {sensor.read_noise:.2g} electrons, {found.noise:.1f} grey levels in the picture",
        color=_INK,
        fontsize=11,
    )
    with writing(path, force=force) as temporary:
        figure.savefig(temporary, dpi=100, format="png")


def _seen(axes: Axes, found: CameraFile) -> None:
    for colour in COLOURS:
        rows = np.array(found.seen[colour], float).reshape(-1, 3)
        axes.plot(rows[:, 0], rows[:, 1], marker="o", markersize=3, color=_COLOUR[colour], label=colour)
    axes.set_title("as seen", color=_INK, fontsize=10)
    axes.set_xlabel("grey level")
    axes.set_ylabel("noise of a pixel, grey levels rms")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    _plain(axes)


def _linear(axes: Axes, found: CameraFile) -> None:
    for colour in COLOURS:
        of = found.linear[colour]
        points = np.array(of["points"], float).reshape(-1, 3)
        axes.scatter(points[:, 0], points[:, 1], s=10, color=_COLOUR[colour])
        if not len(points):
            continue
        ends = np.array([0.0, points[:, 0].max()])
        axes.plot(ends, of["shot"] * ends + of["read"], color=_COLOUR[colour], linewidth=1)
        low, high = (of["shot_interval"][side] * ends + of["read_interval"][side] for side in (0, 1))
        axes.fill_between(ends, low, high, color=_COLOUR[colour], alpha=0.12, linewidth=0)
    axes.set_title("in linear light: variance = shot * light + read", color=_INK, fontsize=10)
    axes.set_xlabel("light, 1 = white")
    axes.set_ylabel("variance of one photosite")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
