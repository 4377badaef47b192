"""`dae-edge live`: a camera in, a cleaner picture out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, check_json, next_step, out, write_json, wrote
from dae_edge.errors import BadValueError
from dae_edge.hush import hushed

if TYPE_CHECKING:
    from dae_edge.camera import Loop, Summary
    from dae_edge.camera.loop import Show

_COMPARE = ("off", "split", "side")


def live(
    source: Annotated[
        str,
        typer.Option(
            "--source", "-s", help="0, /dev/video0, a video file, a URL, or demo[:dim|:dark|:very-dark]."
        ),
    ] = "0",
    model: options.Model = "lowlight",
    engine: options.Engine = None,
    threads: options.Threads = 2,
    strength: options.Strength = 1.0,
    size: Annotated[
        str | None, typer.Option("--size", metavar="WxH", help="Asked of a camera, drawn by the demo.")
    ] = None,
    fps: Annotated[
        float | None, typer.Option("--fps", metavar="N", help="Asked of a camera or the demo.")
    ] = None,
    compare: Annotated[
        str, typer.Option("--compare", help="off, split (half and half) or side (both).")
    ] = "side",
    figures: Annotated[
        bool, typer.Option("--figures/--no-figures", help="Write fps and latency on the picture.")
    ] = True,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write what is shown as video.")
    ] = None,
    snapshot: Annotated[
        Path | None,
        typer.Option("--snapshot", metavar="FILE", help="Write the last frame, before and after."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", metavar="S", help="Stop after so long.")
    ] = None,
    window: Annotated[
        bool, typer.Option("--window/--no-window", help="Show a window where there is a display.")
    ] = True,
    fast: Annotated[bool, typer.Option("--fast", help="Take a file as fast as it goes.")] = False,
    simulate: options.Simulate = None,
    seed: options.Seed = 0,
    json: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Denoise a camera, a file or a stream as it comes. [dim]q or Ctrl-C ends it.[/]

    The newest frame wins: where the machine is too slow, frames are dropped and the picture stays
    current. Without a display the window is left out and the rest goes on.
    """
    be_quiet(quiet)
    if compare not in _COMPARE:
        raise BadValueError(f"`--compare` (={compare}) must be one of {', '.join(_COMPARE)}.")
    if seconds is not None and seconds <= 0:
        raise BadValueError(f"`--seconds` (={seconds:g}) must be greater than 0.")
    if fps is not None and not 0 < fps <= 1000:
        raise BadValueError(f"`--fps` (={fps:g}) must be from above 0 to 1000.")
    width_height = options.parse_size(size)
    check_json(json, force=force)

    from dae_edge.camera import Loop, open_source
    from dae_edge.camera.sinks import VideoFile, Window, window_missing
    from dae_edge.data.pictures import SUFFIXES
    from dae_edge.files import check_output
    from dae_edge.runtime import load

    if snapshot is not None:
        if snapshot.suffix.lower() not in SUFFIXES:
            raise BadValueError(f"`--snapshot` (={snapshot}) must end in {', '.join(SUFFIXES)}.")
        check_output(snapshot, force=force)
    with hushed():  # LiteRT announces its delegate
        denoise = load(model, engine=engine, threads=threads, strength=strength)  # type: ignore[arg-type]
    opened = open_source(source, size=width_height, rate=fps, simulate=simulate, seed=seed)
    out.print(f"{opened.name} at {opened.rate:.4g} fps, {denoise.manifest.name} by {denoise.engine}")

    sinks: list[Show] = []
    screen = None
    if window:
        why = window_missing()
        if why is None:
            screen = Window()
            sinks.append(screen.show)
        else:
            out.print(f"[dim]no window: {why}[/]")
    video = VideoFile(output, rate=opened.rate, force=force) if output else None
    if video is not None:
        sinks.append(video.show)
    loop = Loop(opened, denoise, compare=compare, figures=figures, fast=fast, seconds=seconds)
    try:
        summary = loop.run(sinks)
    finally:
        if video is not None:
            video.close()
        if screen is not None:
            screen.close()

    _report(summary)
    if output is not None and summary.frames:
        wrote(output)
    if snapshot is not None and loop.last is not None:
        _write_snapshot(loop, snapshot, force)
    write_json(json, summary.figures(), force=force)
    next_step("dae-edge live --source 0" if source.startswith("demo") else "dae-edge bench")


def _report(summary: Summary) -> None:
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    width, height = summary.size
    table.add_row("frames", f"{summary.frames} of {width}x{height}, {summary.dropped} dropped")
    table.add_row("rate", f"{summary.fps:.1f} fps")
    if summary.times:
        table.add_row(
            "denoising",
            f"p50 {summary.percentile(50):.1f} ms, p99 {summary.percentile(99):.1f} ms a frame",
        )
    noisy, denoised = summary.noisy.psnr, summary.denoised.psnr
    if noisy is not None and denoised is not None:
        gain = (
            f"[bold green]{denoised - noisy:+.1f} dB[/]"
            if denoised >= noisy
            else f"{denoised - noisy:+.1f} dB"
        )
        table.add_row("PSNR", f"noisy {noisy:.1f} dB, denoised {denoised:.1f} dB ({gain})")
    out.print(table)


def _write_snapshot(loop: Loop, path: Path, force: bool) -> None:
    from dae_edge.camera.overlay import side_by_side
    from dae_edge.files import writing
    from dae_edge.opencv import cv2

    assert loop.last is not None
    shot, denoised = loop.last
    with writing(path, force=force) as temporary:
        cv2.imwrite(str(temporary), side_by_side(shot.frame, denoised))
    wrote(path)
