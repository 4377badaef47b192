"""`dae-edge evaluate`: how good the picture is, on clips of yours, beside what you could use instead."""

from __future__ import annotations

import difflib
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, check_json, next_step, out, progress, write_json, write_text
from dae_edge.errors import BadValueError, ModelLoadError, OutputError
from dae_edge.formats import FORMATS

if TYPE_CHECKING:
    from dae_edge.bench.method import Method
    from dae_edge.bench.opponents import Opponent
    from dae_edge.bench.takes import Take

_ROOM = (640, 480)
_LARGEST = (848, 480)
_LIGHTS = ["dim", "dark"]


def evaluate(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="Shipped names or exported files, lowlight if none; and .onnx files of others, such as "
            "DnCNN and FFDNet: float RGB pictures, with or without a noise level.",
        ),
    ] = None,
    clips: Annotated[
        Path | None,
        typer.Option(
            "--clips",
            metavar="FOLDER",
            help="Clean videos, folders of frames, and pictures held still; simulated noise is added.",
        ),
    ] = None,
    clip: Annotated[
        list[Path] | None,
        typer.Option("--clip", metavar="PATH", help="One of them; the demo's room if none. Repeat it."),
    ] = None,
    presets: Annotated[
        list[str] | None,
        typer.Option(
            "--preset",
            metavar="PRESET",
            help="Light for clips: dim, dark, very-dark, clean (no noise); dim and dark if none. Repeat it.",
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs",
            metavar="FOLDER",
            help="Real noise, subfolders too: pictures like 1_real.png beside 1_mean.png, and clips like "
            "noisy_1.png beside clean_1.png or beside one clean still.",
        ),
    ] = None,
    frames: Annotated[int, typer.Option("--frames", metavar="N", min=1, help="Of each clip at most.")] = 32,
    size: Annotated[
        str | None,
        typer.Option(
            "--size", metavar="WxH", help="Shrink larger clips to this, 848x480 if none; cut pairs."
        ),
    ] = None,
    chosen: Annotated[
        list[str] | None,
        typer.Option(
            "--opponent",
            metavar="NAME",
            help="nlm, nlm-multi, bilateral, average, hqdn3d, nlmeans, atadenoise, vaguedenoiser, fftdnoiz, "
            "bm3d; none; or all, the default, but for bm3d, which takes minutes a clip. Repeat it.",
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="For the reports, the pictures, and what is finished."
        ),
    ] = Path("runs/evaluate"),
    threads: options.Threads = 2,
    seed: options.Seed = 5,
    json: options.Json = None,
    force: Annotated[bool, typer.Option("--force", help="Measure again what is there already.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure PSNR, SSIM, flicker, ghosts, convergence and time, beside opponents at their best setting.

    Stopped in the middle, the same command goes on where it was.
    """
    be_quiet(quiet)
    check_json(json, force=force)
    limit = options.parse_size(size)
    _check_folder(output)

    from dae_edge.bench import evaluation, machine
    from dae_edge.bench.method import Noisy
    from dae_edge.bench.opponents import opponents

    ours = _models(models or ["lowlight"], threads)
    theirs, missing = _choose(opponents(threads), chosen)
    takes = _takes(clips, clip, presets, pairs, frames, limit, seed)
    methods: list[Method] = [Noisy(), *ours, *theirs]
    folder = evaluation.Folder(output)
    load = os.getloadavg()[0]
    with progress("evaluating", "measurements") as step:
        try:
            cells = evaluation.evaluate(
                takes, methods, folder, threads=threads, again=force,
                say=lambda what, done, total: step(done, total, what),
            )  # fmt: skip
        except KeyboardInterrupt:
            out.print(f"what is finished is kept in {output}; the same command goes on from there")
            raise
    settings = {
        "command": shlex.join(["dae-edge", *sys.argv[1:]]),
        "frames": frames,
        "size": list(limit or (_LARGEST if clips or clip or pairs else _ROOM)),
        "threads": threads,
        "seed": seed,
        "load": round(load, 2),
    }
    record = evaluation.record(takes, methods, cells, missing, machine.record(), settings)
    _finish(record, output, json, force=force)
    _check_models(record)


def _finish(record: dict[str, Any], output: Path, json: Path | None, *, force: bool) -> None:
    from dae_edge.bench.report import console, markdown, page
    from dae_edge.bench.report.source import Source

    file = output / "evaluate.json"
    write_json(file, record, force=True)
    source = Source([(file, record)])
    for table in console.tables(record):
        out.print(table)
    for sentence in console.remarks(record):
        out.print(f"[dim]{escape(sentence)}[/]")
    write_text(output / "report.html", page.page(source), force=True)
    write_text(output / "report.md", markdown.markdown(source), force=True)
    write_json(json, record, force=force)
    next_step(f"dae-edge report {file} bench.json --output report.html")


def _check_folder(output: Path) -> None:
    """A folder that is new, empty, or holds an evaluation: others are not written into."""
    if output.is_file():
        raise OutputError(f"{output} is a file; name a folder.")
    if output.is_dir() and any(output.iterdir()) and not (output / "cells").is_dir():
        raise OutputError(f"{output} is not empty and holds no evaluation; name another --output.")


def _models(names: list[str], threads: int) -> list[Method]:
    from dae_edge.bench.models import Model
    from dae_edge.bench.opponents.onnx import Foreign, is_foreign
    from dae_edge.runtime.load import SHIPPED

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
        methods.append((Foreign if foreign else Model)(shown, path, threads))
    return methods


def _choose(known: list[Opponent], chosen: list[str] | None) -> tuple[list[Method], dict[str, str]]:
    """The opponents that run, and those that cannot with the reason."""
    keys = {opponent.key: opponent for opponent in known}
    for name in chosen or []:
        if name not in (*keys, "all", "none"):
            near = difflib.get_close_matches(name, keys, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise BadValueError(f"`--opponent` (={name}) must be one of {', '.join(keys)}, all, none.{hint}")
    if chosen and "none" in chosen:
        if len(chosen) > 1:
            raise BadValueError("`--opponent none` goes with no other opponent.")
        return [], {}
    everyone = not chosen or "all" in chosen
    run, missing = [], {}
    for opponent in known:
        asked = opponent.key in (chosen or [])
        if not asked and not everyone:
            continue
        if opponent.missing:
            missing[opponent.method.name] = opponent.missing
        elif opponent.asked and not asked:
            missing[opponent.method.name] = f"takes minutes a clip; ask for it with --opponent {opponent.key}"
        else:
            run.append(opponent.method)
    return run, missing


def _takes(
    clips: Path | None,
    single: list[Path] | None,
    presets: list[str] | None,
    pairs: Path | None,
    frames: int,
    size: tuple[int, int] | None,
    seed: int,
) -> list[Take]:
    from dae_edge.bench.clips import find_clips
    from dae_edge.bench.pairs import find_pairs
    from dae_edge.bench.takes import Take
    from dae_edge.sensor import preset

    for light in presets or []:
        if light != "clean":
            preset(light)
    if presets and pairs is not None and not (clips or single):
        raise BadValueError("`--preset` is for clips; `--pairs` have their own noise.")
    sources: list[Path | None] = [*(find_clips(clips) if clips is not None else []), *(single or [])]
    if not sources and pairs is None:
        sources = [None]
    stems = [path.stem for path in sources if path]
    takes = [
        Take(_name(path, stems), light, path, frames, size or (_LARGEST if path else _ROOM), seed)
        for path in sources
        for light in dict.fromkeys(presets or _LIGHTS)
    ]
    if pairs is not None:
        takes += [Take(p.name, "real", p, frames, size or _LARGEST, seed) for p in find_pairs(pairs)]
    for take in takes:
        _check_readable(take)
    return takes


def _name(path: Path | None, stems: list[str]) -> str:
    """The file's name, or its path where two files have one name."""
    if path is None:
        return "room"
    return path.stem if stems.count(path.stem) == 1 else path.as_posix()


def _check_readable(take: Take) -> None:
    """What cannot be read is said before the work begins, not in its middle."""
    take.key  # noqa: B018  reads every file
    if isinstance(take.source, Path):
        from dae_edge.bench.clips import read_clip

        read_clip(take.source, take.frames, take.size)
    elif take.source is not None:
        take.load()


def _check_models(record: dict[str, Any]) -> None:
    """A run without a figure of any model has failed, its reports written all the same."""
    names = {method["name"] for method in record["methods"] if method["kind"] == "model"}
    rows = [row for row in record["means"] if row["method"] in names]
    if rows and not any(row["takes"] for row in rows):
        raise ModelLoadError(f"no model could be measured: {rows[0]['method']}: {rows[0]['problem']}")
