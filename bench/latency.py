"""How long a frame takes: real sequences, the memory carried, nothing clipped away.

The same code measures here and, joined into one file by `pack`, on a device that has no dae-edge.
What differs between the two is a `Place`: how it opens a model, and where its clips are from.
"""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import numpy as np

from dae_edge.bench.alone import FRAMES, Child, Facts, Frame, Model, reason
from dae_edge.bench.limit import PRECISIONS, Chain, bandwidth
from dae_edge.bench.machine import Surroundings, Watch, machine
from dae_edge.bench.record import Bandwidth, Key, Limit, Operator, Quality, Record, Row, Settings
from dae_edge.bench.turns import Taken, sustain, turn
from dae_edge.errors import BadValueError, ModelLoadError

Size = tuple[int, int]  # width, height

CLIP_FRAMES = 16
COLOUR, GREY = (1280, 720), (28, 28)  # sizes of frames where nobody names one
_CHAIN_SECONDS = 0.15  # a turn of a chain; it is the same work again and again

Say = Callable[[str], None]


@dataclass(frozen=True)
class File:
    """What is to be measured, and by which engine; at `sizes` alone where they are given.

    companions: files that are part of it and lie beside it
    """

    path: Path
    engine: str
    sizes: tuple[Size, ...] = ()
    companions: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Clip:
    """The same frames twice; `clean` may hold the last ones only."""

    name: str
    noisy: list[Frame]
    clean: list[Frame]


class Place(Protocol):
    """Where the benchmark runs. `child`: the command that begins `alone.serve` with one more argument."""

    @property
    def version(self) -> str: ...

    @property
    def child(self) -> Sequence[str]: ...

    @property
    def can_profile(self) -> bool: ...

    def open(self, path: Path, engine: str, threads: int) -> Model: ...

    def clip(self, size: Size, channels: int) -> Clip: ...

    def psnr(self, frames: Sequence[Frame], clean: Sequence[Frame]) -> float: ...


@dataclass
class _Entry:
    """A row on its way, and what it needs until it is measured."""

    row: Row
    file: File
    clip: Clip
    taken: Taken = field(default_factory=Taken)
    task: Playback | None = None


class Playback:
    """A task for `turns.turn`: a clip to and fro without end, so that no cut makes a frame unlike others."""

    def __init__(self, model: Model, frames: list[Frame]) -> None:
        self._model, self._frames = model, frames
        self._order = itertools.cycle([*range(len(frames)), *range(len(frames) - 2, 0, -1)])

    def begin(self) -> None:
        self._model.begin()

    def step(self) -> None:
        self._model(self._frames[next(self._order)])

    @property
    def stages(self) -> tuple[float, float, float]:
        return self._model.stages


def bench(
    files: Sequence[File],
    place: Place,
    settings: Settings,
    *,
    threads: Sequence[int],
    sizes: Sequence[Size] = (),
    limits: bool = True,
    profile: bool = False,
    say: Say = lambda _: None,
) -> Record:
    """Measure each file at each of `sizes` with each of `threads`; a file made for one size at that.

    A file that cannot be measured has a row that says why. Raises `BadValueError` for settings out of range.
    """
    check(files, settings, threads)
    surroundings, watch = Surroundings(), Watch()
    rows: list[Row] = []
    paths: list[Path] = []
    peaks: list[Limit] = []
    copies: list[Bandwidth] = []
    clips: set[str] = set()
    for count in dict.fromkeys(threads):
        entries = []
        for file in files:
            for row, clip in _alone(file, count, sizes, place, profile, say):
                rows.append(row)
                paths.append(file.path)
                if clip is not None:
                    entries.append(_Entry(row, file, clip))
                    clips.add(clip.name)
        chains: list[Chain] = []
        if limits and entries:
            say(f"memory bandwidth, {threads_text(count)}")
            copies.append(bandwidth(count))
            chains = _chains({entry.file.engine for entry in entries}, count)
        for size in dict.fromkeys((e.row.width, e.row.height) for e in entries):
            group = [e for e in entries if (e.row.width, e.row.height) == size]
            peaks += _take_turns(group, chains, place, settings, say)
            chains = []  # a limit does not depend on the size of a frame
            for entry in group:
                watch.add(entry.taken.watch)
                entry.task = None  # let its memory go before the next group
        for entry in entries:
            _finish(entry, settings, peaks)
    _tell_apart(rows, paths)
    noisy = sum(row.status == "noisy" for row in rows)
    doubts = [f"{noisy} of {len(rows)} rows are noisy"] if noisy else []
    return Record(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=place.version,
        machine=machine(),
        settings=replace(settings, clip=", ".join(sorted(clips))),
        conditions=surroundings.conditions(watch, doubts),
        limits=peaks,
        bandwidth=copies,
        rows=_without_needless(rows),
    )


def check(files: Sequence[File], settings: Settings, threads: Sequence[int]) -> None:
    """Raise `BadValueError` for what cannot be measured, before anything is."""
    if not files:
        raise BadValueError("there must be a model to measure; none was given.")
    if not threads or min(threads) < 1:
        raise BadValueError(f"`threads` (={list(threads)}) must be 1 or more.")
    for name, value in (("seconds", settings.seconds), ("fps", settings.fps), ("turns", settings.turns)):
        if not value > 0:
            raise BadValueError(f"`{name}` (={value:g}) must be greater than 0.")
    for name, value in (("warm_up", settings.warm_up_seconds), ("sustained", settings.sustained_seconds)):
        if not value >= 0:
            raise BadValueError(f"`{name}` (={value:g}) must be 0 or greater.")


def size_text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def threads_text(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _alone(
    file: File, threads: int, sizes: Sequence[Size], place: Place, profile: bool, say: Say
) -> Iterator[tuple[Row, Clip | None]]:
    """A row for each size, with what a process of its own says; without a clip where it cannot go on."""
    todo: list[Size] | None = None  # not known before the file has said what it is
    while todo is None or todo:
        row = Row(file.path.stem, "", file.engine, 0, 0, threads, file=file.path.name)
        row.width, row.height = todo[0] if todo else sizes[0] if sizes else COLOUR
        clip = None
        try:
            row.file_bytes = sum(part.stat().st_size for part in (file.path, *file.companions))
            row.sha256 = sha256(file.path.read_bytes()).hexdigest()
            say(f"{file.path.name} alone: load, first frame, memory")
            with Child(place.child, file.path, file.engine, threads) as child:
                loaded = child.loaded()
                facts = loaded.facts
                if todo is None:
                    todo = list(dict.fromkeys(file.sizes or sizes or _own_size(facts)))
                row.width, row.height = size = todo[0]
                row.model, row.format, row.precision = facts.name, facts.format, facts.precision
                row.mac_per_pixel = facts.mac_per_pixel
                row.load_ms, row.base_mib = loaded.load_ms, loaded.base_mib
                if facts.size not in (None, size):
                    row.status, made = "skipped", size_text(facts.size)
                    row.problem = f"made for {made}: --size {made}"
                else:
                    clip = place.clip(size, facts.channels)
                    with _saved(clip) as saved:
                        ran = child.run(saved)
                        row.first_ms, row.peak_mib = ran.first_ms, ran.peak_mib
                        if profile and place.can_profile:
                            _profile(row, child, saved)
        except (ModelLoadError, OSError) as failure:
            row.status, row.problem, clip = "failed", reason(failure), None
        todo = todo[1:] if todo else []
        yield row, clip


def _profile(row: Row, child: Child, clip: Path) -> None:
    try:
        row.operators = [Operator(**one) for one in child.profile(clip)]
    except ModelLoadError as failure:
        row.unprofiled = reason(failure)


def _own_size(facts: Facts) -> list[Size]:
    return [facts.size or (COLOUR if facts.channels == 3 else GREY)]


@contextmanager
def _saved(clip: Clip) -> Iterator[Path]:
    """Its first frames as a file that a child can read."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clip.npy"
        np.save(path, np.stack(clip.noisy[:FRAMES]))
        yield path


def _chains(engines: set[str], threads: int) -> list[Chain]:
    found = []
    for engine, precision in itertools.product(sorted(engines), PRECISIONS):
        try:
            found.append(Chain(engine, precision, threads))
        except Exception:  # without a chain there is no limit, and no share of it
            continue
    return found


def _take_turns(
    entries: list[_Entry], chains: list[Chain], place: Place, settings: Settings, say: Say
) -> list[Limit]:
    """Load all, then A B C, B C A, C A B, ...; the chains too. A model that fails drops out."""
    for entry in entries:
        with _failing(entry):
            say(f"quality of {_name(entry)}")
            model = place.open(entry.file.path, entry.file.engine, entry.row.threads)
            entry.row.quality = _quality(model, entry.clip, place)
            entry.task = Playback(model, entry.clip.noisy)
    taken = [Taken() for _ in chains]
    begin = functools.partial(
        turn,
        seconds=settings.seconds / settings.turns,
        warm_frames=settings.warm_up_frames,
        warm_seconds=settings.warm_up_seconds,
    )
    for number in range(settings.turns):
        first = number % len(entries)
        for entry in entries[first:] + entries[:first]:
            if entry.task is not None:
                say(f"turn {number + 1} of {settings.turns}: {_name(entry)}")
                with _failing(entry):
                    begin(entry.task, entry.taken)
        for chain, its in zip(chains, taken, strict=True):
            say(f"turn {number + 1} of {settings.turns}: the limit of {chain.engine}, {chain.precision}")
            turn(chain, its, seconds=_CHAIN_SECONDS, warm_frames=2, warm_seconds=0.05)
    for entry in entries:
        if entry.task is not None and settings.sustained_seconds:
            say(f"{_name(entry)} for {settings.sustained_seconds:g} s without a pause")
            with _failing(entry):
                entry.row.sustained = sustain(entry.task, settings.sustained_seconds)
    return [chain.limit(its) for chain, its in zip(chains, taken, strict=True)]


@contextmanager
def _failing(entry: _Entry) -> Iterator[None]:
    """What goes wrong with one model is told in its row, and the others go on."""
    try:
        yield
    except Exception as failure:  # engines raise a dozen unrelated kinds
        entry.row.status, entry.row.problem = "failed", reason(failure)
        entry.task = None


def _finish(entry: _Entry, settings: Settings, limits: list[Limit]) -> None:
    row, taken = entry.row, entry.taken
    if row.status == "failed":
        return
    row.times = taken.times(1000 / settings.fps)
    row.stages, row.cpu_ms, row.noisy = taken.stage_medians(), taken.cpu_ms, taken.doubts()
    if row.noisy:
        row.status = "noisy"
    if row.mac_per_pixel is not None:
        row.gmacs = row.mac_per_pixel * row.width * row.height / row.times.median / 1e6
        peak = {(one.engine, one.precision, one.threads): one.gmacs for one in limits}
        most = peak.get((row.engine, row.precision, row.threads))
        row.of_limit = row.gmacs / most if most else None


def _quality(model: Model, clip: Clip, place: Place) -> Quality:
    """PSNR of the clip's second half, when the memory has settled."""
    model.begin()
    denoised = [model(frame) for frame in clip.noisy]
    half = len(clip.noisy) // 2
    clean = clip.clean[-half:]
    return Quality(place.psnr(clip.noisy[-half:], clean), place.psnr(denoised[-half:], clean))


def _name(entry: _Entry) -> str:
    row = entry.row
    return f"{row.model} {row.format} at {row.width}x{row.height}, {threads_text(row.threads)}"


def _tell_apart(rows: Sequence[Row], paths: Sequence[Path]) -> None:
    """Name rows after their files where two files say the same of themselves, with the folder if need be."""
    files: dict[Key, set[Path]] = defaultdict(set)
    for row, path in zip(rows, paths, strict=True):
        files[row.key].add(path)
    for row, path in zip(rows, paths, strict=True):
        alike = files[row.key]
        if len(alike) > 1:
            stems = [other.stem for other in alike]
            row.model = path.stem if stems.count(path.stem) == 1 else f"{path.parent.name}/{path.stem}"


def _without_needless(rows: list[Row]) -> list[Row]:
    """Without the rows that only say that a file is for another size, where it was measured at its own."""
    measured = {(row.model, row.format, row.engine) for row in rows if row.times is not None}
    return [r for r in rows if r.status != "skipped" or (r.model, r.format, r.engine) not in measured]
