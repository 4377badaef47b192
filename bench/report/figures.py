"""The project's own figures: a README's table and plot, from evaluations and bench runs at several sizes."""

from __future__ import annotations

import copy
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dae_edge.bench.report import svg
from dae_edge.bench.report.markdown import table
from dae_edge.bench.report.rows import Row, busy_line, machine_line, rows
from dae_edge.bench.report.source import Record, Source
from dae_edge.errors import BadValueError
from dae_edge.formats import FORMATS

BEGIN, END = "<!-- figures: begin, written by `make figures` -->", "<!-- figures: end -->"
# From the README.
PLOT = "docs/quality.svg"
RECORD = "bench/results/figures.json"
FIELDS = "docs/evaluation.md"
_COLUMNS = ("ms", "p99", "first", "later", "SSIM")


def section(source: Source, light: str) -> str:
    """The table: a line a method, models by name and format, a group of columns a size."""
    sizes = {_size(record): record for record in source.evaluations}
    shown = {size: rows(record, light) for size, record in sizes.items()}
    names = list(dict.fromkeys(_name(sizes[size], row) for size in sizes for row in shown[size]))
    header = ["", "kB"] + [f"{size}: {c}" if i == 0 else c for size in sizes for i, c in enumerate(_COLUMNS)]
    body = []
    for name in names:
        if not any(row.takes for s in sizes for row in shown[s] if _name(sizes[s], row) == name):
            continue  # it has a sentence below
        line = [name, ""]
        for size, record in sizes.items():
            row = next((row for row in shown[size] if _name(record, row) == name), None)
            line += _cells(source, size, row, name)
            line[1] = line[1] or next((str(m["kB"]) for m in _method(record, row) if "kB" in m), "")
        body.append(line)
    notes = dict.fromkeys(
        f"{_name(sizes[s], row)}: {row.note}" for s in sizes for row in shown[s] if row.note and not row.takes
    )
    busy = dict.fromkeys(filter(None, [*map(busy_line, sizes.values()), *map(_noisy_line, source.benches)]))
    record = next(iter(sizes.values()))
    threads = record["settings"]["threads"]
    origin = f"From one run of `make figures` ([the record]({RECORD}), [its fields]({FIELDS}))."
    about = (
        f"{machine_line(record)}; {threads} threads. ms: a frame, the median; p99 by `dae-edge bench`. "
        f"first, later: PSNR in dB against the clean drawn room in `{light}` light, of the first frame and "
        "of those from the ninth on; SSIM of the same. Each opponent has the best setting for this very clip."
    )
    picture = f"![PSNR against milliseconds a frame, {_size(_largest(source))}]({PLOT})"
    return "\n\n".join(
        [table(header, body), picture, " ".join([origin, about, *(f"{note}." for note in notes), *busy])]
    )


def plot(source: Source, light: str) -> str:
    """Quality against time at the largest size, as an SVG file of its own."""
    record = _largest(source)
    shown = rows(record, light)
    points = []
    short = _short_names([_name(record, row) for row in shown if row.kind == "model"])
    for row in shown:
        name = _name(record, row)
        ms = _milliseconds(source, _size(record), row, name)
        if ms and row.values.get("later"):
            label = short.get(name, name)
            points.append(svg.Point(label, ms, row.values["later"] or 0.0, row.kind == "model"))
    floor = next((row.values["later"] for row in shown if row.kind == "noisy"), None)
    return svg.tradeoff(points, floor, f"{_size(record)}, light: {light}", alone=True) + "\n"


def replaced(text: str, inner: str) -> str:
    """A README with `inner` between its markers; `BadValueError` where it lacks them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadValueError(f"the README must hold the lines {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n\n{inner}\n\n{END}{after}"


def slim(record: Record) -> Record:
    """A record without single times, pictures and this machine's folders: what a repository may keep."""
    kept = copy.deepcopy(record)
    if command := kept["settings"].get("command"):
        words = (Path(word).name if Path(word).is_absolute() else word for word in shlex.split(command))
        kept["settings"]["command"] = shlex.join(words)
    for cell in kept.get("cells", []):
        cell.pop("times", None)
        cell.pop("pictures", None)
    for row in kept.get("rows", []):
        if row.get("times"):
            row["times"].pop("samples", None)
    return kept


def _cells(source: Source, size: str, row: Row | None, name: str) -> list[str]:
    if row is None:
        return [""] * len(_COLUMNS)
    ms = _milliseconds(source, size, row, name)
    times = _times(source, size, name) if row.kind == "model" else None
    return [
        "" if ms is None else f"{ms:.1f}",
        "" if times is None else f"{times['p99']:.1f}",
        row.text("first", 2),
        row.text("later", 2),
        row.text("ssim", 3),
    ]


def _milliseconds(source: Source, size: str, row: Row, name: str) -> float | None:
    """By `dae-edge bench` where it measured the file, which is made for it; by the evaluation otherwise."""
    times = _times(source, size, name) if row.kind == "model" else None
    return row.values.get("ms") if times is None else times["p50"]


def _times(source: Source, size: str, name: str) -> dict[str, Any] | None:
    engines = {known.name: known.engine for known in FORMATS}
    for record in source.benches:
        for row in record["rows"]:
            same = (_title(row["model"], row["format"]), f"{row['width']}x{row['height']}") == (name, size)
            if same and row["engine"] == engines.get(row["format"]) and row.get("times"):
                return row["times"]
    return None


def _name(record: Record, row: Row) -> str:
    """A model's name is what it was made from and its format: files for several sizes share a line."""
    said = (_title(m["model"], m["format"]) for m in _method(record, row) if "model" in m and "format" in m)
    return next(said, row.method)


def _noisy_line(bench: Record) -> str:
    """How many of a bench run's figures its own turns put in doubt."""
    noisy = [row for row in bench["rows"] if row.get("status") == "noisy"]
    if not noisy:
        return ""
    size = f"{noisy[0]['width']}x{noisy[0]['height']}"
    spread = max(row["times"]["spread"] for row in noisy)
    doubt = f"medians of {len(noisy)} files differ by up to {spread:.0%} from turn to turn"
    return f"At {size} the machine was noisy: {doubt}."


def _short_names(names: Sequence[str]) -> dict[str, str]:
    """For a plot, where room is scarce: the model with most files goes unnamed, one with one file by name."""
    models = [name.partition(" ")[0] for name in names]
    most = max(models, key=models.count, default="")
    alone = {model for model in models if models.count(model) == 1}
    return {
        name: name.removeprefix(f"{most} ") if model == most else model if model in alone else name
        for name, model in zip(names, models, strict=True)
    }


def _title(model: str, format: str) -> str:
    return f"{model} {format}"


def _method(record: Record, row: Row | None) -> Sequence[Record]:
    return [method for method in record["methods"] if row and method["name"] == row.method]


def _largest(source: Source) -> Record:
    return max(source.evaluations, key=lambda record: record["settings"]["size"][0])


def _size(record: Record) -> str:
    return "x".join(map(str, record["settings"]["size"]))
