"""`dae-edge bench`: what each exported file costs on this machine, and what it is worth."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, check_json, next_step, out, write_json
from dae_edge.cli.extras import installed
from dae_edge.errors import BadValueError
from dae_edge.formats import FORMATS
from dae_edge.hush import hushed

if TYPE_CHECKING:
    from dae_edge.bench.latency import Measured


def bench(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Exported files or shipped names; all formats of lowlight if none."),
    ] = None,
    size: Annotated[str, typer.Option("--size", metavar="WxH", help="Of the frames.")] = "1280x720",
    threads: options.Threads = 2,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", help="To measure each model for, in five turns.")
    ] = 5.0,
    json: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure latency and quality, whole frame in to whole frame out, memory carried.

    Models take turns, so that a slow moment of the machine hits all of them alike.
    """
    be_quiet(quiet)
    parsed = options.parse_size(size)
    assert parsed is not None
    if seconds <= 0:
        raise BadValueError(f"`--seconds` (={seconds:g}) must be greater than 0.")
    check_json(json, force=force)

    from dae_edge.bench import latency, machine
    from dae_edge.runtime.load import SHIPPED

    busy = machine.busy()
    with tempfile.TemporaryDirectory() as folder:
        if models:
            files = [(name, SHIPPED.get(name) or Path(name)) for name in models]
            missing: list[Measured] = []
        else:
            files, missing = _all_formats(size, Path(folder))
        with out.status("measuring"), hushed():
            rows = [*latency.bench(files, size=parsed, threads=threads, seconds=seconds), *missing]
    record = machine.record()
    _report(rows, parsed, threads, record)
    if busy:
        out.print(
            f"[yellow]the machine was busy before the run (load {record['load']:.1f}): read with care[/]"
        )
    figures = {
        "schema": 1,
        "machine": record,
        "busy": busy,
        "size": list(parsed),
        "threads": threads,
        "rows": [row.figures() for row in rows],
    }
    write_json(json, figures, force=force)
    next_step("dae-edge export lowlight --format tflite-int8 --size 1280x720")


def _all_formats(size: str, folder: Path) -> tuple[list[tuple[str, Path]], list[Measured]]:
    """The shipped model in every format: those that ship, and the rest made for this size."""
    from dae_edge.bench.latency import Measured
    from dae_edge.runtime.load import SHIPPED

    shipped = {"onnx-int8": SHIPPED["lowlight"], "onnx-fp32": SHIPPED["lowlight-fp32"]}
    files = [("lowlight", path) for path in shipped.values()]
    others = [format for format in FORMATS if format.name not in shipped]
    if not installed("export"):
        why = 'made for this size by pip install "dae-edge[export]"'
        return files, [Measured("lowlight", f.name, f.engine, problem=why) for f in others]
    with out.status("starting TensorFlow") as status, hushed():
        from dae_edge.export import export as exporter

        model = exporter.open_model("lowlight")
        width, height = (int(side) for side in size.split("x"))
        for format in others:
            path = folder / f"lowlight-{format.name}{format.suffix}"
            status.update(f"exporting {format.name} at {size}")
            exporter.export(model, format, path, source=exporter.model_path("lowlight"), size=(height, width))
            files.append(("lowlight", path))
    return files, []


def _report(rows: list[Measured], size: tuple[int, int], threads: int, record: dict[str, object]) -> None:
    from rich.markup import escape
    from rich.table import Table

    out.print(f"{record['cpu']}, {threads} threads, {size[0]}x{size[1]}, ms a frame")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("model", overflow="fold")
    table.add_column("format", no_wrap=True)
    for column in ("kB", "load", "first", "p50", "p90", "p99", "n", "noisy", "PSNR"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        if row.problem:
            continue
        table.add_row(
            row.model, row.format, str(row.size_kb), f"{row.load_ms:.0f}", f"{row.first_ms:.0f}",
            f"[bold]{row.percentile(50):.1f}[/]", f"{row.percentile(90):.1f}",
            f"{row.percentile(99):.1f}", str(len(row.times)), f"{row.noisy_psnr:.1f}", f"{row.psnr:.1f}",
        )  # fmt: skip
    out.print(table)
    for row in rows:
        if row.problem:
            out.print(f"[dim]{row.model} {row.format}: {escape(row.problem)}[/]")
