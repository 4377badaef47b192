"""Pictures of a run: the training curve and sheets to judge by eye."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dae_edge.files import writing

Row = tuple[str, NDArray[np.floating] | NDArray[np.uint8]]  # a label and pictures of one size
_INK = "#1f2933"


def curve(rows: list[dict[str, float]], path: Path, series: dict[str, str], unit: str) -> None:
    """Figures of `history.csv` over the epochs; `series` maps a column to its label."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    epochs = [row["epoch"] + 1 for row in rows]
    for column, label in series.items():
        axes.plot(epochs, [row[column] for row in rows], label=label, marker="o", markersize=3)
    axes.set_xlabel("epoch")
    axes.set_ylabel(unit)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    save(figure, path)


def sheet(blocks: Sequence[Sequence[Row]], path: Path, title: str) -> None:
    """Blocks of labelled rows of pictures, (n, H, W, 1 or 3), grey or RGB, float in [0, 1] or uint8."""
    rows = [row for block in blocks for row in block]
    columns = len(rows[0][1])
    height, width = rows[0][1].shape[1:3]
    gaps = len(blocks) - 1
    cell = 0.75 if max(height, width) < 64 else 2.6
    figure = Figure(figsize=(cell * columns * width / height + 1.1, cell * (len(rows) + 0.35 * gaps) + 0.5))
    figure.suptitle(title, color=_INK, y=0.99)
    ratios = [r for i, block in enumerate(blocks) for r in [0.35] * (i > 0) + [1.0] * len(block)]
    grid = figure.add_gridspec(
        len(ratios), columns, height_ratios=ratios, hspace=0.06, wspace=0.06,
        left=1.0 / figure.get_figwidth(), right=0.99, bottom=0.01, top=1 - 0.4 / figure.get_figheight(),
    )  # fmt: skip
    lines = [index for index, ratio in enumerate(ratios) if ratio == 1.0]
    for line, (label, pictures) in zip(lines, rows, strict=True):
        for column, picture in enumerate(pictures):
            axes = figure.add_subplot(grid[line, column])
            grey = picture.shape[-1] == 1
            axes.imshow(picture[..., 0] if grey else picture, cmap="gray", vmin=0, vmax=1 if grey else None)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)
            if column == 0:
                axes.set_ylabel(label, rotation=0, ha="right", va="center", color=_INK)
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write the figure whole or not at all, over an earlier one of the same run."""
    with writing(path, force=True) as temporary:
        figure.savefig(temporary, dpi=150)
