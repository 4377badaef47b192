"""`dae-edge export`: a Keras model to files that devices run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, check_json, next_step, out, write_json, wrote
from dae_edge.cli.extras import need
from dae_edge.errors import BadValueError, DaeEdgeError, ExportError, ParityError
from dae_edge.files import check_output
from dae_edge.formats import FORMATS, NAMES, Format, by_name

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
    max_loss: Annotated[
        float | None,
        typer.Option(
            "--max-loss",
            metavar="DB",
            help="8-bit weights only: PSNR the file may lose.",
        ),
    ] = None,
    sensitivity: Annotated[
        bool,
        typer.Option("--sensitivity", help="8-bit weights only: measure each layer alone in 8 bits."),
    ] = False,
    json: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Export a model, check it against Keras, and only then write it."""
    be_quiet(quiet)
    formats = list(FORMATS) if format == ["all"] else [by_name(name) for name in format]
    dynamic = size == "dynamic"
    width_height = None if dynamic else options.parse_size(size)
    if max_loss is not None and not 0 <= max_loss < math.inf:
        raise BadValueError(f"`--max-loss` (={max_loss:g}) must be 0 dB or more.")
    asked = {"--calibration": calibration, "--max-loss": max_loss, "--sensitivity": sensitivity or None}
    if format != ["all"]:
        for chosen in formats:
            _check_options(chosen, asked, dynamic=dynamic)
    targets = [_target(model, chosen, size, output, several=len(formats) > 1) for chosen in formats]
    for target in targets:
        check_output(target, force=force)
    check_json(json, force=force)
    for extra in sorted({chosen.extra for chosen in formats} | {"export"}):
        need(extra, "Exporting")

    from dae_edge.export.converter import Converter
    from dae_edge.export.job import Job

    rows: list[dict[str, Any]] = []
    failures: list[DaeEdgeError] = []
    with out.status("starting") as status, Converter() as convert:
        for number, (chosen, target) in enumerate(zip(formats, targets, strict=True), 1):
            job = Job(
                source=model,
                format=chosen.name,
                output=str(target),
                size=(width_height[1], width_height[0]) if width_height else None,
                calibration=str(calibration) if calibration and chosen.calibrated else None,
                max_loss=max_loss if chosen.quantized else None,
                sensitivity=sensitivity and chosen.quantized,
                force=force,
            )
            title = f"{chosen.name} ({number} of {len(formats)})" if len(formats) > 1 else chosen.name
            try:
                figures = convert(job, lambda what, title=title: status.update(f"{title}: {what}"))  # type: ignore[misc]
                rows.append({"status": "good", **figures})
            except DaeEdgeError as failure:
                if len(formats) == 1:
                    raise
                status_word = "too poor" if isinstance(failure, ParityError) else "failed"
                rows.append({"status": status_word, "format": chosen.name, "reason": str(failure)})
                failures.append(failure)
    _report(rows)
    good = [row for row in rows if row["status"] == "good"]
    wrote(*(Path(row["path"]) for row in good))
    write_json(json, {"schema": 2, "rows": rows}, force=force)
    if failures:
        kind = BadValueError if all(f.exit_code == 2 for f in failures) else ExportError
        raise kind(f"{len(failures)} of {len(formats)} formats were not written; {failures[0]}")
    first = good[0]
    ours = first["channels"] == 3
    next_step(f"dae-edge {'live --source demo --model' if ours else 'bench'} {first['path']}")


export.__doc__ = f"{export.__doc__}\n\n{_FORMATS}"


def _check_options(format: Format, asked: Mapping[str, object], *, dynamic: bool) -> None:
    """An option that the format cannot honour is an error, never ignored."""
    for option, value in asked.items():
        if value is not None and option not in format.options:
            takers = ", ".join(f.name for f in FORMATS if option in f.options)
            raise BadValueError(f"`{option}` does not go with {format.name}; it goes with {takers}.")
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


def _report(rows: list[dict[str, Any]]) -> None:
    """One line a format; below it, why one was not written and which layers suffer most."""
    from rich.markup import escape
    from rich.table import Table

    good = [row for row in rows if row["status"] == "good"]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("format", "status", "kB", "PSNR", "loss", "ms", "runs in"):
        table.add_column(column, justify="left" if column in ("format", "status", "runs in") else "right")
    for row in rows:
        if row not in good:
            table.add_row(row["format"], f"[red]{row['status']}[/]")
            continue
        loss = max(value or 0.0 for key, value in row.items() if key.startswith("loss"))
        table.add_row(
            row["format"],
            "[green]good[/]",
            f"{row['bytes'] / 1024:.0f}",
            f"{row['file']:.2f} dB" if row["file"] is not None else "exact",
            f"{loss:.3f} dB",
            f"{row['ms']:.1f}",
            row["executed"],
        )
    out.print(table)
    if good:
        first = good[0]
        width, height = first["size"]
        cost = f"{first['mac_per_pixel'] / 1000:.1f} k multiply-adds a pixel"
        out.print(f"[dim]{cost}; ms a frame of {width}x{height}, two threads; the noisy frames have[/]")
        out.print(f"[dim]{first['noisy']:.2f} dB; loss: PSNR against Keras, the worst of what was checked[/]")
    for row in rows:
        if row not in good:
            out.print(f"[red]{row['format']}:[/] {escape(row['reason'])}")
        if row.get("layers_in_float"):
            out.print(f"[dim]{row['format']}: in float for the loss: {', '.join(row['layers_in_float'])}[/]")
        if row.get("sensitivity_db"):
            _report_sensitivity(row["format"], row["sensitivity_db"])


def _report_sensitivity(format: str, layers: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(f"{format}, alone in 8 bits")
    for column in ("loss, dB", "SQNR, dB"):
        table.add_column(column, justify="right")
    for layer in layers:
        table.add_row(layer["layer"], f"{layer['loss']:.3f}", f"{layer['sqnr']:.1f}")
    out.print(table)
