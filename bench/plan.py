"""What an evaluation is to measure: models and opponents by their names, takes by where their clips lie."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from dae_edge.bench.clips import read_clip
from dae_edge.bench.method import Method
from dae_edge.bench.models import Model
from dae_edge.bench.opponents import Opponent
from dae_edge.bench.opponents.onnx import Foreign, is_foreign
from dae_edge.bench.pairs import find_pairs
from dae_edge.bench.takes import Take
from dae_edge.errors import BadValueError, ModelLoadError
from dae_edge.formats import FORMATS
from dae_edge.runtime.load import SHIPPED
from dae_edge.sensor import preset

ROOM = (640, 480)  # of the drawn room
LARGEST = (848, 480)  # of clips and pairs
LIGHTS = ("dim", "dark")


def models(names: Sequence[str], threads: int, follow: bool | None = None) -> list[Method]:
    """Shipped models, exported files, and those of others, which run as opponents.

    `follow` motion or not, where a file can; None for what each was made for.

    Raises `ModelLoadError` for what is no file; what is wrong inside one shows where it runs.
    """
    suffixes = sorted({format.suffix for format in FORMATS})
    methods: list[Method] = []
    for name in dict.fromkeys(names):
        path = SHIPPED.get(name) or Path(name)
        if not path.is_file():
            raise ModelLoadError(f"{name} is neither a file nor a shipped model ({', '.join(SHIPPED)}).")
        if path.suffix not in suffixes:
            raise ModelLoadError(f"{name} is none of {', '.join(suffixes)}.")
        shown = name if name in SHIPPED else path.stem
        if any(method.name == shown for method in methods):
            shown = name
        foreign = path.suffix == ".onnx" and is_foreign(path)
        methods.append(
            Foreign(shown, path, threads) if foreign else Model(shown, path, threads, follow=follow)
        )
    return methods


def choose(known: Sequence[Opponent], chosen: Sequence[str]) -> tuple[list[Method], dict[str, str]]:
    """The opponents that run, and why others do not, by their names; `chosen` keys, all if none."""
    keys = {opponent.key: opponent for opponent in known}
    for name in chosen:
        if name not in (*keys, "all", "none"):
            near = difflib.get_close_matches(name, keys, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise BadValueError(f"`--opponent` (={name}) must be one of {', '.join(keys)}, all, none.{hint}")
    if "none" in chosen:
        if len(chosen) > 1:
            raise BadValueError("`--opponent none` goes with no other opponent.")
        return [], {}
    everyone = not chosen or "all" in chosen
    run, missing = [], {}
    for opponent in known:
        asked = opponent.key in chosen
        if not asked and not everyone:
            continue
        if opponent.missing:
            missing[opponent.method.name] = opponent.missing
        elif opponent.asked and not asked:
            missing[opponent.method.name] = f"takes minutes a clip; ask for it with --opponent {opponent.key}"
        else:
            run.append(opponent.method)
    return run, missing


def takes(
    clips: Sequence[Path],
    presets: Sequence[str],
    pairs: Path | None,
    frames: int,
    size: tuple[int, int] | None,
    seed: int,
) -> list[Take]:
    """Every clip in every light, then the pairs of a folder; the drawn room where there are neither.

    What cannot be read is said now, before the work begins: `MediaError`, `BadValueError`.
    """
    for light in presets:
        if light != "clean":
            preset(light)
    if presets and pairs is not None and not clips:
        raise BadValueError("`--preset` is for clips; `--pairs` have their own noise.")
    sources: list[Path | None] = list(clips) if clips or pairs is not None else [None]
    stems = [path.stem for path in sources if path]
    found = [
        Take(_name(path, stems), light, path, frames, size or (LARGEST if path else ROOM), seed)
        for path in sources
        for light in dict.fromkeys(presets or LIGHTS)
    ]
    if pairs is not None:
        found += [Take(p.name, "real", p, frames, size or LARGEST, seed) for p in find_pairs(pairs)]
    for take in found:
        _check_readable(take)
    return found


def _name(path: Path | None, stems: list[str]) -> str:
    """The file's name, or its path where two files have one name."""
    if path is None:
        return "room"
    return path.stem if stems.count(path.stem) == 1 else path.as_posix()


def _check_readable(take: Take) -> None:
    take.key  # noqa: B018  reads every file
    if isinstance(take.source, Path):
        read_clip(take.source, take.frames, take.size)
    elif take.source is not None:
        take.load()
