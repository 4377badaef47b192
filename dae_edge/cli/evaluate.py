"""`dae-edge evaluate`: how good the picture is, on clips of yours, beside what you could use instead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, check_json, next_step, out, write_json
from dae_edge.errors import BadValueError
from dae_edge.hush import hushed

if TYPE_CHECKING:
    from dae_edge.bench.quality import Score

_ROOM = (640, 480)


def evaluate(
    models: Annotated[
        list[str] | None, typer.Argument(help="Shipped names or exported files; lowlight if none.")
    ] = None,
    clips: Annotated[
        list[Path] | None,
        typer.Option(
            "--clip",
            metavar="PATH",
            help="A clean video, folder of frames or picture held still; the demo's room if none. Repeat it.",
        ),
    ] = None,
    presets: Annotated[
        list[str] | None,
        typer.Option(
            "--preset",
            metavar="PRESET",
            help="dim, dark, very-dark, or clean for no noise; dim and dark if none. Repeat it.",
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs",
            metavar="FOLDER",
            help="Real noise instead: 1_real.png beside 1_mean.png, or noisy_1.png beside clean_1.png.",
        ),
    ] = None,
    sequence: Annotated[
        bool, typer.Option("--sequence", help="The pairs are one clip, in order of name.")
    ] = False,
    frames: Annotated[int, typer.Option("--frames", metavar="N", min=1, help="Of each clip at most.")] = 24,
    size: Annotated[
        str | None, typer.Option("--size", metavar="WxH", help="Shrink larger clips to this.")
    ] = None,
    peers: Annotated[
        bool,
        typer.Option(
            "--peers", help="Measure classical denoisers too, each at its best setting; minutes a clip."
        ),
    ] = False,
    threads: options.Threads = 2,
    seed: options.Seed = 5,
    json: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure PSNR of the first frame and of those from the ninth on."""
    be_quiet(quiet)
    check_json(json, force=force)
    if pairs is not None and (clips or presets):
        raise BadValueError("`--pairs` has its own noise; give it without `--clip` and `--preset`.")
    if sequence and pairs is None:
        raise BadValueError("`--sequence` is for `--pairs`; a clip is a sequence always.")

    from dae_edge.bench import quality
    from dae_edge.bench.clips import read_clip, read_pairs, room
    from dae_edge.bench.peers import peers as opponents
    from dae_edge.runtime import load
    from dae_edge.sensor import preset

    lights = presets or ["dim", "dark"]
    for light in lights:
        if light != "clean":
            preset(light)
    against, missing = opponents() if peers else ([], [])
    with hushed():
        loaded = [(name, load(name, threads=threads)) for name in models or ["lowlight"]]
    if pairs is not None:
        found = read_pairs(pairs)
        if sequence:
            seen = [quality.Seen(pairs.name, "real", [n for _, n, _ in found], [c for _, _, c in found])]
        else:
            seen = [quality.Seen(name, "real", [noisy], [clean]) for name, noisy, clean in found]
    else:
        limit = options.parse_size(size)
        scenes = [read_clip(path, frames, limit) for path in clips or []] or [room(frames, limit or _ROOM)]
        seen = [quality.see(clip, light, seed=seed) for light in lights for clip in scenes]

    scores: list[Score] = []
    with out.status("measuring") as status:
        for one in seen:
            scores += quality.evaluate(one, loaded, against, say=lambda what: status.update(what))
    _report(scores)
    for sentence in missing:
        out.print(f"[dim]{sentence}[/]")
    write_json(json, {"schema": 1, "seed": seed, "scores": [s.figures() for s in scores]}, force=force)
    next_step("dae-edge bench lowlight --size 1280x720")


def _report(scores: list[Score]) -> None:
    """A row a method and light: the mean over the clips; single clips too where there are few."""
    from rich.table import Table

    lights, methods, clips = (
        list(dict.fromkeys(getattr(s, field) for s in scores)) for field in ("light", "method", "clip")
    )
    for light in lights:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column(f"{light}, dB", no_wrap=True)
        for column in ("first", "later", *(clips if 1 < len(clips) <= 6 else ())):
            table.add_column(column, justify="right", no_wrap=True)
        for method in methods:
            rows = [s for s in scores if (s.light, s.method) == (light, method)]
            if not rows:
                continue
            single = [f"{s.later:.2f}" for s in rows] if 1 < len(clips) <= 6 else []
            first, later = (sum(getattr(s, f) for s in rows) / len(rows) for f in ("first", "later"))
            table.add_row(method, f"{first:.2f}", f"{later:.2f}", *single)
        out.print(table)
    out.print("[dim]first: a clip's first frame alone; later: from the ninth on[/]")
