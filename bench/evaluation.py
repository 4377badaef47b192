"""An evaluation: every method on every take, cell by cell, each kept as it is finished.

The record that it ends with is documented in docs/evaluation.md; `SCHEMA` counts its versions.
"""

from __future__ import annotations

import functools
import hashlib
import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dae_edge import __version__
from dae_edge.bench import pictures
from dae_edge.bench.apart import Apart, Died
from dae_edge.bench.method import Method
from dae_edge.bench.quality import Score, facts, measure
from dae_edge.bench.takes import Frames, Take
from dae_edge.errors import ModelLoadError, OutputError
from dae_edge.files import writing
from dae_edge.opencv import cv2
from dae_edge.runtime.load import COMPANIONS
from dae_edge.runtime.opening import read_sidecar

SCHEMA = 1
_MEASURED = 1  # raised where the same input would give other figures than before
MEANS = ("first", "later", "ssim", "flicker", "ghost", "ms")


@dataclass
class Cell:
    """One method on one take. `pictures`: what they show -> path below the evaluation's folder."""

    take: str
    light: str
    method: str
    facts: dict[str, Any] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    score: Score = field(default_factory=Score)

    def figures(self) -> dict[str, Any]:
        """For JSON."""
        known = {k: v for k, v in asdict(self).items() if k not in ("facts", "score")}
        return known | {k: _rounded(v) for k, v in asdict(self.score).items()}


class Folder:
    """Where an evaluation lies: its finished cells, its pictures, and the reports on them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cells, self.pictures = path / "cells", path / "pictures"

    def begin(self) -> None:
        """Make the folder, so that a run that stops early leaves what the next one knows."""
        try:
            self.cells.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise OutputError(f"{self.path} cannot be made: {failure.strerror}.") from failure

    def find(self, key: str) -> Cell | None:
        """A finished cell; None where it is not there, or is not readable."""
        try:
            raw = json.loads((self.cells / f"{key}.json").read_text())
            cell = Cell(**{**raw, "score": Score(**raw["score"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None
        there = all((self.path / name).is_file() for name in cell.pictures.values())
        return cell if there else None

    def keep(self, key: str, cell: Cell) -> None:
        with writing(self.cells / f"{key}.json", force=True) as temporary:
            temporary.write_text(json.dumps(asdict(cell), indent=1) + "\n")


def evaluate(
    takes: Sequence[Take],
    methods: Sequence[Method],
    folder: Folder,
    *,
    threads: int,
    again: bool = False,
    apart: bool = True,
    say: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> list[Cell]:
    """Measure every method on every take; what `folder` holds already is taken from there.

    again: measure everything anew
    apart: in a process of its own, so that a file that crashes it costs its own cells only
    say:   told (what is measured, cells done, cells in all) before each

    A method that fails has a cell that says so.
    """
    folder.begin()
    total, done = len(takes) * len(methods), 0
    cells = []
    with Apart() as worker:
        for take in takes:
            for method in methods:
                say(f"{take.name} {take.light}: {method.name}", done, total)
                cells.append(_cell(take, method, folder, worker if apart else None, threads, again=again))
                done += 1
    say("", done, total)
    return cells


def _cell(
    take: Take, method: Method, folder: Folder, worker: Apart | None, threads: int, *, again: bool
) -> Cell:
    key = _key(take, method, threads)
    known = None if again else folder.find(key)
    if known is not None:
        return known
    job = (take, method, folder, threads)
    try:
        cell: Cell = worker.call(measure_cell, *job) if worker is not None else measure_cell(*job)
    except Died as end:
        cell = Cell(take.name, take.light, method.name, score=Score(problem=str(end)))
    if not cell.score.problem:  # what failed may work the next time
        folder.keep(key, cell)
    return cell


def measure_cell(take: Take, method: Method, folder: Folder, threads: int) -> Cell:
    """One cell, its pictures written; a method that raises has a cell that says what."""
    cv2.setNumThreads(threads)
    frames = _load(take)
    cell = Cell(take.name, take.light, method.name, facts(frames))
    try:
        measured = measure(frames, method)
    except Exception as failure:  # whatever a file or program of somebody else raises
        cell.score.problem = _first_line(failure)
        return cell
    cell.score = measured.score
    stem = _file_name(f"{take.name}-{take.light}-{method.name}-{_key(take, method, threads)[:6]}")
    saved = pictures.save(frames, measured, folder.pictures, stem, method.kind)
    cell.pictures = {what: f"{folder.pictures.name}/{name}" for what, name in saved.items()}
    return cell


def record(
    takes: Sequence[Take],
    methods: Sequence[Method],
    cells: Sequence[Cell],
    missing: dict[str, str],
    machine: dict[str, object],
    settings: dict[str, object],
) -> dict[str, Any]:
    """The evaluation as JSON. `missing`: opponents that could not run -> why."""
    known = {(cell.take, cell.light): cell.facts for cell in cells if cell.facts}
    return {
        "kind": "dae-edge evaluate",
        "schema": SCHEMA,
        "version": __version__,
        "machine": machine,
        "settings": settings,
        "takes": [
            {"name": t.name, "light": t.light}
            | {k: _rounded(v) for k, v in known.get((t.name, t.light), {}).items()}
            for t in takes
        ],
        "methods": [_describe(method) for method in methods]
        + [{"name": name, "kind": "opponent", "missing": why} for name, why in missing.items()],
        "cells": [cell.figures() for cell in cells],
        "means": means(cells),
    }


def means(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """The mean of every figure over the takes of one light; `takes` counts those that have figures."""
    rows = []
    for light, method in dict.fromkeys((cell.light, cell.method) for cell in cells):
        scores = [c.score for c in cells if (c.light, c.method) == (light, method)]
        good = [score for score in scores if not score.problem]
        row: dict[str, Any] = {"light": light, "method": method, "takes": len(good)}
        for name in MEANS:
            values = [value for score in good if (value := getattr(score, name)) is not None]
            row[name] = _rounded(statistics.fmean(values)) if values else None
        problems = list(dict.fromkeys(score.problem for score in scores if score.problem))
        rows.append(row | ({"problem": "; ".join(problems)} if problems else {}))
    return rows


def _describe(method: Method) -> dict[str, Any]:
    path: Path | None = getattr(method, "path", None)
    told: dict[str, Any] = {
        "name": method.name,
        "kind": method.kind,
        "memory": method.memory,
        "note": method.note,
    }
    if path is None:
        return told
    parts = [path, *(path.with_suffix(suffix) for suffix in COMPANIONS.get(path.suffix, ()))]
    size = sum(part.stat().st_size for part in parts if part.is_file())
    told |= {"file": path.name, "kB": round(size / 1024)}
    try:
        said = read_sidecar(path) or {}
    except ModelLoadError:  # its cells say what is wrong with it
        said = {}
    fields = {"model": "name", "format": "format", "sha256": "sha256"}
    return told | {ours: said[its] for ours, its in fields.items() if isinstance(said.get(its), str)}


def _key(take: Take, method: Method, threads: int) -> str:
    """A digest of everything that decides a cell."""
    decides = (
        _MEASURED, take.key, type(method).__name__, method.name, method.identity, repr(method.knobs), threads,
        method.tries, method.most,
    )  # fmt: skip
    return hashlib.sha256(repr(decides).encode()).hexdigest()[:24]


@functools.lru_cache(maxsize=1)
def _load(take: Take) -> Frames:
    return take.load()


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def _file_name(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in text)


def _first_line(failure: Exception) -> str:
    return (str(failure).strip().splitlines() or [type(failure).__name__])[0]
