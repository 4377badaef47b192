"""`dae-edge live`: a camera in, a cleaner picture out."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dae_edge.cli import options
from dae_edge.cli.camera_strength import camera_strength
from dae_edge.cli.console import be_quiet, check_json, log_to_stderr, next_step, out, write_json, wrote
from dae_edge.cli.extras import need
from dae_edge.errors import BadValueError, OutputError
from dae_edge.hush import hushed

if TYPE_CHECKING:
    from dae_edge.camera import Controls, Models, Sink, Source, Summary
    from dae_edge.camera.sinks import Recorder, Snapshots
    from dae_edge.camera.web import WebPage
    from dae_edge.runtime import Denoiser


def _camera(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel="The camera", **more)


def _shown(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel="What is shown", **more)


def _goes(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel="Where it goes", **more)


_SOURCE = (
    "0, /dev/video0, /dev/v4l/by-id/*, a video, a folder, a URL (http, rtsp, udp), or demo[-still][:PRESET]."
)
_BRIGHTEN = "Lift the dark tones after denoising: from 0 (as they are) to 1."
_COMPARE = "off, split (half and half), side (both) or before (the camera)."
_AUTO = "Follow motion if the camera's rate holds, or lower the model or the working size until it does."
_VIRTUAL = "Be a camera that video calls and OBS see."
_WEB = "Serve a page with before and after, settings and graphs, for a browser or a phone."
_HOST = "Where the page is served: 127.0.0.1 is this machine alone; 0.0.0.0 is the network, with a token."
_TOKEN = "What a browser must know to see the page; made up and printed where a network host has none."
_STDOUT = "Raw bgr24 frames on standard output, for ffmpeg -f rawvideo -i -."


def live(
    source: Annotated[str, _camera("--source", "-s", help=_SOURCE)] = "0",
    size: Annotated[
        str | None, _camera("--size", metavar="WxH", help="Asked of a camera, drawn by the demo.")
    ] = None,
    fps: Annotated[
        float | None, _camera("--fps", metavar="N", help="Asked of a camera or the demo; a folder's pace.")
    ] = None,
    fourcc: Annotated[
        str | None, _camera("--fourcc", metavar="CODE", help="Pixel format asked of a camera: MJPG, YUYV.")
    ] = None,
    fast: Annotated[bool, _camera("--fast", help="Take a file as fast as it goes.")] = False,
    model: options.Model = "lowlight",
    engine: options.Engine = None,
    threads: options.Threads = 2,
    auto: Annotated[bool, typer.Option("--auto", help=_AUTO)] = False,
    strength: options.Strength = 1.0,
    follow: options.Follow = None,
    camera: options.Camera = None,
    brighten: Annotated[float, _shown("--brighten", metavar="X", help=_BRIGHTEN)] = 0.0,
    compare: Annotated[str, _shown("--compare", help=_COMPARE)] = "side",
    figures: Annotated[
        bool, _shown("--figures/--no-figures", help="Write fps and latency on the picture.")
    ] = True,
    window: Annotated[
        bool, _goes("--window/--no-window", help="Show a window where there is a display.")
    ] = True,
    output: Annotated[
        Path | None, _goes("--output", "-o", metavar="FILE", help="Write what is shown as video.")
    ] = None,
    virtual_camera: Annotated[bool, _goes("--virtual-camera", help=_VIRTUAL)] = False,
    stdout: Annotated[bool, _goes("--stdout", help=_STDOUT)] = False,
    web: Annotated[bool, _goes("--web", help=_WEB)] = False,
    host: Annotated[str | None, _goes("--host", metavar="ADDRESS", help=_HOST)] = None,
    port: Annotated[
        int | None, _goes("--port", metavar="N", min=0, max=65535, help="Port of the page; 8000 by default.")
    ] = None,
    token: Annotated[
        str | None, _goes("--token", metavar="TEXT", envvar="DAE_EDGE_TOKEN", help=_TOKEN)
    ] = None,
    snapshot: Annotated[
        Path | None, _goes("--snapshot", metavar="FILE", help="Write the last frame, before and after.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", metavar="S", help="Stop after so long.")
    ] = None,
    simulate: options.Simulate = None,
    seed: options.Seed = 0,
    json: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Denoise a camera, a file or a stream as it comes. [dim]q or Ctrl-C ends it, h shows the keys.[/]

    The newest frame wins: where the machine is too slow, frames are dropped and the picture stays
    current. A camera that is unplugged or a stream that breaks is tried again for as long as it takes.
    Without a display the window is left out and the rest goes on.
    """
    be_quiet(quiet)
    if seconds is not None and seconds <= 0:
        raise BadValueError(f"`--seconds` (={seconds:g}) must be greater than 0.")
    if fps is not None and not 0 < fps <= 1000:
        raise BadValueError(f"`--fps` (={fps:g}) must be from above 0 to 1000.")
    if not web and (host is not None or port is not None):
        raise BadValueError(f"`{'--port' if host is None else '--host'}` goes with --web.")
    if web:
        need("web", "the page")
    asked = {"size": options.parse_size(size), "rate": fps, "fourcc": fourcc}
    check_json(json, force=force)

    from dae_edge.camera import Controls, Loop, open_source
    from dae_edge.camera.signals import stopping
    from dae_edge.camera.sinks import check_snapshot, check_video, take_stdout, write_snapshot
    from dae_edge.camera.sources import hide_credentials, is_live

    if fast and is_live(source):
        raise BadValueError(f"`--fast` is for a file; {hide_credentials(source)} has its own pace.")
    if auto and not is_live(source):
        raise BadValueError(f"`--auto` is for a live source; of {source} every frame is denoised.")
    if output is not None:
        check_video(output, force=force)
    if snapshot is not None:
        check_snapshot(snapshot, force=force)
    if virtual_camera:
        need("virtual-camera", "`--virtual-camera`")
    pipe = take_stdout() if stdout else None
    log_to_stderr(quiet)
    if camera is not None:
        strength *= camera_strength(camera)
    models = _models(model, engine, threads, follow)
    controls = Controls(
        strength=strength,
        brighten=brighten,
        compare=compare,
        model=models.name,
        models=models.names,
        recording=output is not None,
    )
    with out.status("opening the source"):
        opened = open_source(source, **asked, simulate=simulate, seed=seed)  # type: ignore[arg-type]
    out.print(f"{opened.name}, {opened.detail}; {models.name} by {models.current.engine}")
    loop = Loop(
        opened, models, controls=controls, auto=auto, follow=follow is not False, fast=fast, seconds=seconds
    )

    recorder, snapshots, sinks = _sinks(
        opened,
        controls,
        output,
        figures=figures,
        window=window,
        virtual=virtual_camera,
        pipe=pipe,
        force=force,
    )
    if web:
        sinks.append(_page(controls, opened, host or "127.0.0.1", 8000 if port is None else port, token))
    with stopping(controls):
        summary = loop.run(sinks)
    _report(summary)
    wrote(*recorder.written, *snapshots.written)
    if snapshot is not None and loop.last is not None:
        write_snapshot(loop.last, snapshot, force=force)
        wrote(snapshot)
    write_json(json, summary.figures(), force=force)
    if recorder.failures:
        raise OutputError(str(recorder.failures[0]))
    next_step("dae-edge live --source 0" if source.startswith("demo") else "dae-edge bench")


def _models(model: str, engine: str | None, threads: int, follow: bool | None) -> Models:
    """The model asked for, and beside it those that ship, to choose from while it runs.

    Those follow motion as the first was told to, where they can.
    """
    from dae_edge.camera import Models
    from dae_edge.runtime import load
    from dae_edge.runtime.load import SHIPPED

    with hushed():  # LiteRT announces its delegate
        denoise = load(model, engine=engine, threads=threads, follow=follow)  # type: ignore[arg-type]

    def other(name: str) -> Denoiser:
        found = load(name, threads=threads)
        found.follow_if_able(follow)
        return found

    return Models(model, denoise, others=tuple(SHIPPED), load=other)


def _sinks(
    source: Source,
    controls: Controls,
    output: Path | None,
    *,
    figures: bool,
    window: bool,
    virtual: bool,
    pipe: int | None,
    force: bool,
) -> tuple[Recorder, Snapshots, list[Sink]]:
    """Where the frames go; the recorder and the snapshots wait for a key or a click."""
    from dae_edge.camera import sinks
    from dae_edge.camera.overlay import Compose

    compose = Compose(controls, figures=figures)
    videos = sinks.numbered(output, force=force) if output is not None else sinks.dated(".mp4")
    recorder = sinks.Recorder(controls, compose, videos, rate=source.rate, live=source.live, force=force)
    snapshots = sinks.Snapshots(controls, sinks.dated(".png"))
    chosen: list[Sink] = [recorder, snapshots]
    missing = sinks.window_missing() if window else None
    if missing is not None:
        out.print(f"[dim]no window: {missing}[/]")
    elif window:
        chosen.append(sinks.Window(controls, compose))
    if virtual:
        camera = sinks.VirtualCamera(source.size, rate=source.rate)
        out.print(f"virtual camera {camera.device}")
        chosen.append(camera)
    if pipe is not None:
        chosen.append(sinks.Stdout(pipe, controls, rate=source.rate, live=source.live))
    return recorder, snapshots, chosen


def _page(controls: Controls, source: Source, host: str, port: int, token: str | None) -> WebPage:
    """The web page; on a network it has a token, whose address is printed."""
    from dae_edge.camera.web import WebPage, is_loopback

    if token is None and not is_loopback(host):
        if out.quiet:
            raise BadValueError(
                f"`--host` (={host}) with --quiet needs --token: one made up would not be seen."
            )
        token = secrets.token_urlsafe(18)
    page = WebPage(controls, host=host, port=port, token=token, source=source.name)
    out.print(f"page {page.url}", markup=False)
    return page


def _report(summary: Summary) -> None:
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    width, height = summary.size
    table.add_row("frames", f"{summary.frames} of {width}x{height}, {summary.dropped} dropped")
    table.add_row("rate", f"{summary.fps:.1f} fps")
    if summary.reopened:
        table.add_row("lost", f"{summary.reopened} times opened anew")
    if summary.raw:
        table.add_row("raw", f"{summary.raw} frames could not be denoised")
    if len(summary.times):
        times, ages = summary.times, summary.ages
        table.add_row(
            "denoising",
            f"p50 {times.percentile(50):.1f} ms, p99 {times.percentile(99):.1f} ms a frame",
        )
        table.add_row("age", f"p50 {ages.percentile(50):.1f} ms, p95 {ages.percentile(95):.1f} ms when shown")
    noisy, denoised = summary.noisy.psnr, summary.denoised.psnr
    if noisy is not None and denoised is not None:
        gain = (
            f"[bold green]{denoised - noisy:+.1f} dB[/]"
            if denoised >= noisy
            else f"{denoised - noisy:+.1f} dB"
        )
        table.add_row("PSNR", f"noisy {noisy:.1f} dB, denoised {denoised:.1f} dB ({gain})")
    out.print(table)
