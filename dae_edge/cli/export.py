"""`dae-edge export`: a Keras model to files that devices run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, check_json, next_step, out, write_json, wrote
from dae_edge.cli.extras import need
from dae_edge.errors import BadValueError
from dae_edge.files import check_output
from dae_edge.formats import FORMATS, NAMES, Format, by_name
from dae_edge.hush import hushed

if TYPE_CHECKING:
    from dae_edge.export.export import Exported

_FORMATS = "\n\n".join(f"[bold]{f.name}[/]  {f.summary}" for f in FORMATS)


def export(
    model: Annotated[
        str, typer.Argument(help="A shipped model's name, a .keras file, or a training run's folder.")
    ],
    format: Annotated[
        list[str], typer.Option("--format", "-f", help=f"{', '.join(NAMES)}, or all; may be repeated.")
    ],
    size: Annotated[
        str | None,
        typer.Option("--size", metavar="WxH", help="Of the frames; an .onnx may be 'dynamic' (the default)."),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            "--calibration", metavar="FOLDER", help="int8 only: your own frames, instead of drawn ones."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="A file, or a folder for several."),
    ] = None,
    json: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Export a model, check it against Keras, and only then write it."""
    be_quiet(quiet)
    formats = list(FORMATS) if format == ["all"] else [by_name(name) for name in format]
    dynamic = size == "dynamic"
    width_height = None if dynamic else options.parse_size(size)
    for chosen in formats:
        _check_options(chosen, dynamic=dynamic, calibration=calibration)
    targets = [_target(model, chosen, size, output, several=len(formats) > 1) for chosen in formats]
    for target in targets:
        check_output(target, force=force)
    check_json(json, force=force)
    need("export", "Exporting")

    made = []
    height_width = (width_height[1], width_height[0]) if width_height else None
    with out.status("starting TensorFlow") as status, hushed():
        from dae_edge.export import export as exporter

        opened = exporter.open_model(model)
        for chosen, target in zip(formats, targets, strict=True):
            made.append(
                exporter.export(
                    opened,
                    chosen,
                    target,
                    source=exporter.model_path(model),
                    size=height_width,
                    calibration=calibration,
                    force=force,
                    say=lambda what, name=chosen.name: status.update(f"{name}: {what}"),  # type: ignore[misc]
                )
            )
    _report(made)
    wrote(*targets)
    figures = [
        {"path": str(e.path), "format": e.manifest.format, "bytes": e.path.stat().st_size}
        | e.parity.figures()
        for e in made
    ]
    write_json(json, figures, force=force)
    colour = made[0].manifest.channels == 3
    next_step(f"dae-edge {f'live --source demo --model {targets[0]}' if colour else f'bench {targets[0]}'}")


export.__doc__ = f"{export.__doc__}\n\n{_FORMATS}"


def _check_options(format: Format, *, dynamic: bool, calibration: Path | None) -> None:
    """An option that the format cannot honour is an error, never ignored."""
    if calibration is not None and "--calibration" not in format.options:
        takers = ", ".join(f.name for f in FORMATS if "--calibration" in f.options)
        raise BadValueError(f"`--calibration` does not go with {format.name}; it goes with {takers}.")
    if dynamic and not format.any_size:
        takers = ", ".join(f.name for f in FORMATS if f.any_size)
        raise BadValueError(f"`--size dynamic` does not go with {format.name}; it goes with {takers}.")


def _target(model: str, format: Format, size: str | None, output: Path | None, *, several: bool) -> Path:
    """The file an export goes to: as asked, or named after model, format and size."""
    path = Path(model)
    stem = path.name if path.is_dir() or path.suffix != ".keras" else path.stem
    stem = path.parent.name if stem == "model" and path.parent.name else stem
    sized = f"-{size}" if size and size != "dynamic" else ""
    name = f"{stem}-{format.name}{sized}{format.suffix}"
    if output is None:
        return Path(name)
    if several or output.is_dir() or not output.suffix:
        return output / name
    if output.suffix != format.suffix:
        raise BadValueError(f"`--output` (={output}) must end in {format.suffix} for {format.name}.")
    return output


def _report(made: list[Exported]) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("format", "kB", "max difference", "PSNR to Keras", "noisy", "Keras", "file", "loss"):
        table.add_column(column, justify="left" if column == "format" else "right")
    for e in made:
        p = e.parity
        table.add_row(
            e.manifest.format,
            f"{e.path.stat().st_size / 1024:.0f}",
            "" if p.max_difference is None else f"{p.max_difference:.1e}",
            f"{p.agreement:.1f} dB",
            f"{p.noisy:.2f}",
            f"{p.keras:.2f}",
            f"{p.file:.2f} dB",
            f"{p.loss:+.3f} dB",
        )
    out.print(table)
