"""`dae-edge evaluate`: how good the picture is, on clips of yours, beside what you could use instead."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, check_json, next_step, out, progress, write_json, write_text
from dae_edge.errors import ModelLoadError, OutputError

if TYPE_CHECKING:
    from dae_edge.bench.method import Method


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
            help="For clips: dim, dark, very-dark, webcam, night, or clean, no noise; dim and dark if none. "
            "Repeat.",
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
    follow: options.Follow = None,
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

    from dae_edge.bench import evaluation, machine, plan
    from dae_edge.bench.clips import find_clips
    from dae_edge.bench.method import Noisy
    from dae_edge.bench.opponents import opponents

    ours = plan.models(models or ["lowlight"], threads, follow)
    theirs, missing = plan.choose(opponents(threads), chosen or [])
    sources = [*(find_clips(clips) if clips is not None else []), *(clip or [])]
    takes = plan.takes(sources, presets or [], pairs, frames, limit, seed)
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
        "size": list(limit or (plan.LARGEST if sources or pairs else plan.ROOM)),
        "threads": threads,
        "seed": seed,
        "load": round(load, 2),
    }
    record = evaluation.record(takes, methods, cells, missing, asdict(machine.machine()), settings)
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


def _check_models(record: dict[str, Any]) -> None:
    """A run without a figure of any model has failed, its reports written all the same."""
    names = {method["name"] for method in record["methods"] if method["kind"] == "model"}
    rows = [row for row in record["means"] if row["method"] in names]
    if rows and not any(row["takes"] for row in rows):
        raise ModelLoadError(f"no model could be measured: {rows[0]['method']}: {rows[0]['problem']}")
