"""`dae-edge calibrate`: what this camera's noise is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, next_step, out, progress, wrote
from dae_edge.errors import BadValueError

if TYPE_CHECKING:
    from dae_edge.sensor.measure import CameraFile

_TRUST = {"good": "green", "fair": "yellow", "poor": "red"}


def calibrate(
    source: Annotated[
        str,
        typer.Option("--source", "-s", help="0, /dev/video0, a video file, a URL, or demo-still[:PRESET]."),
    ] = "0",
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", help="Of a still scene, after one to settle.")
    ] = 4.0,
    size: Annotated[
        str | None, typer.Option("--size", metavar="WxH", help="Asked of a camera, drawn by the demo.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The camera file.")] = Path(
        "camera.json"
    ),
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="A .png of the curves; beside the camera file if none."),
    ] = None,
    seed: options.Seed = 0,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure a camera's noise from some seconds of a still scene.

    Put the camera down before something with bright and dark parts, in the light you film in, and keep out
    of the picture. [dim]--source demo-still tries it without a camera.[/]
    """
    be_quiet(quiet)
    if not 0 < seconds <= 120:
        raise BadValueError(f"`--seconds` (={seconds:g}) must be above 0 and at most 120.")
    if output.suffix != ".json":
        raise BadValueError(f"`--output` (={output}) must end in .json.")
    if plot is not None and plot.suffix.lower() != ".png":
        raise BadValueError(f"`--plot` (={plot}) must end in .png.")
    plot = plot or output.with_suffix(".png")
    asked = options.parse_size(size)

    from dae_edge.camera.sources import open_source
    from dae_edge.camera.still import record
    from dae_edge.files import check_output, writing
    from dae_edge.sensor.measure import calibrate as measure

    for path in (output, plot):
        check_output(path, force=force)
    with out.status("opening the source"):
        opened = open_source(source, size=asked, seed=seed)
    out.print(f"{opened.name}, {opened.detail}: keep still for {seconds:g} seconds")
    with progress("recording") as tell:
        stack = record(opened, seconds, tell)
    with out.status("measuring") as status:
        found = measure(
            stack,
            source=opened.name,
            rate=opened.rate,
            tell=lambda what, done, of: status.update(f"{what} {done + 1}/{of}" if done < of else what),
        )
    _report(found)
    with writing(output, force=force) as temporary:
        temporary.write_text(found.to_json())
    drawn = _draw(found, plot, force)
    wrote(output, *([plot] if drawn else []))
    next_step(f"dae-edge live --source {source} --camera {output}")


def _report(found: CameraFile) -> None:
    from rich.table import Table

    from dae_edge.sensor.measure import strength_for

    sensor, interval = found.sensor, found.interval
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))

    def row(name: str, value: str, between: str = "") -> None:
        table.add_row(name, f"[bold]{value}[/]", f"[dim]{between}[/]")

    def within(name: str, unit: str = "") -> str:
        low, high = interval[name]
        return f"{low:.3g} to {high:.3g}{unit}"

    levels = found.coverage["levels"]
    row(
        "noise",
        f"{found.noise:.1f} grey levels",
        f"rms a pixel; measured from level {levels[0]:.0f} to {levels[1]:.0f}",
    )
    row("light", f"{sensor.electrons:.3g} electrons at white", within("electrons"))
    row("read noise", f"{sensor.read_noise:.3g} electrons", within("read_noise"))
    row("row noise", f"{sensor.row_noise:.2g} electrons", within("row_noise"))
    row("red, blue gain", f"{sensor.red_gain:.2f}, {sensor.blue_gain:.2f}", within("red_gain"))
    row(
        "hot pixels",
        f"{1e6 * sensor.hot_pixels:.0f} in a million",
        f"{found.spots['found']:.0f} found in smooth parts",
    )
    untouched = type(sensor)()
    touched = [
        f"{name.replace('_', ' ')} {getattr(sensor, name):g}"
        for name in ("saturation", "luma_blur", "chroma_blur", "sharpening")
        if getattr(sensor, name) != getattr(untouched, name)
    ]
    coding = f"JPEG {sensor.jpeg_quality}" if sensor.jpeg_quality else "no JPEG seen"
    row(
        "picture",
        f"{sensor.demosaic}, {sensor.chroma}, {coding}",
        ", ".join(touched) or "no touch-up seen",
    )
    row(
        "structure",
        f"{found.misfit:.3f} from that camera's",
        f"correlation: right {found.structure['neighbours']['right_1'][1]:.2f}, "
        f"in time {found.time['correlation']:.2f}",
    )
    row("strength", f"{strength_for(found.noise):.2f}", "what live --camera takes of --strength")
    out.print(table)
    colour = _TRUST[found.trust]
    out.print(f"[{colour}]the estimate is {found.trust}[/]")
    for note in found.notes:
        out.print(f"[dim]- {note}[/]")


def _draw(found: CameraFile, path: Path, force: bool) -> bool:
    import importlib.util

    if importlib.util.find_spec("matplotlib") is None:
        out.print("[dim]no plot: it needs matplotlib: pip install matplotlib[/]")
        return False
    from dae_edge.sensor.measure.plot import draw

    draw(found, path, force=force)
    return True
