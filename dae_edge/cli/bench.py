"""`dae-edge bench`: what each exported file costs on this machine, and what it is worth."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, check_json, next_step, out, write_json, write_text, wrote
from dae_edge.cli.extras import installed
from dae_edge.errors import BadValueError, ExportError, MediaError
from dae_edge.formats import FORMATS
from dae_edge.hush import hushed

if TYPE_CHECKING:
    from dae_edge.bench.latency import File, Size
    from dae_edge.bench.record import Record, Row, Settings

ENGINES = tuple(dict.fromkeys(format.engine for format in FORMATS))

_READING, _ELSEWHERE = "Read figures", "Measure on a device"


def bench(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Exported files or shipped names; all formats of lowlight if none."),
    ] = None,
    sizes: Annotated[
        list[str] | None,
        typer.Option(
            "--size",
            metavar="WxH",
            help="Of the frames; 1280x720, or what the file is made for. Repeat it.",
        ),
    ] = None,
    threads: Annotated[
        list[int] | None, typer.Option("--threads", metavar="N", min=1, help="CPU threads; 2. Repeat it.")
    ] = None,
    engines: Annotated[
        list[str] | None,
        typer.Option(
            "--engine",
            metavar="NAME",
            help=f"Only files that this engine runs: {', '.join(ENGINES)}. Repeat it.",
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", help="To measure each model for, in five turns.")
    ] = 5.0,
    warm_up: Annotated[
        float, typer.Option("--warm-up", metavar="S", help="Before each turn, and five frames at least.")
    ] = 0.5,
    fps: Annotated[
        float, typer.Option("--fps", metavar="N", help="A frame later than 1/N seconds counts as late.")
    ] = 30.0,
    sustained: Annotated[
        float,
        typer.Option(
            "--sustained", metavar="S", help="Then run each so long without a pause: does it slow down?"
        ),
    ] = 0.0,
    profile: Annotated[bool, typer.Option("--profile", help="Show the time by operator.")] = False,
    limits: Annotated[
        bool, typer.Option("--limits/--no-limits", help="Measure what the engines and the memory can do.")
    ] = True,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            "--compare",
            metavar="OLD NEW",
            help="Two --json files: what got slower or worse? Exit code 1 if something did.",
            rich_help_panel=_READING,
        ),
    ] = None,
    max_slowdown: Annotated[
        float,
        typer.Option(
            "--max-slowdown",
            metavar="%",
            help="That --compare lets pass, in percent.",
            rich_help_panel=_READING,
        ),
    ] = 10.0,
    max_loss: Annotated[
        float,
        typer.Option(
            "--max-loss", metavar="dB", help="Of PSNR that --compare lets pass.", rich_help_panel=_READING
        ),
    ] = 0.1,
    pack: Annotated[
        Path | None,
        typer.Option(
            "--pack",
            metavar="DIR",
            help="Write models, clips and a runner to copy to a device instead of measuring.",
            rich_help_panel=_ELSEWHERE,
        ),
    ] = None,
    imports: Annotated[
        list[Path] | None,
        typer.Option(
            "--import",
            metavar="FILE",
            help="Show what a runner wrote instead of measuring. Repeat it.",
            rich_help_panel=_ELSEWHERE,
        ),
    ] = None,
    json: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure latency and quality, whole frame in to whole frame out, memory carried.

    Models take turns, so that a slow moment of the machine hits all of them alike.
    """
    be_quiet(quiet)
    _check_modes(models or [], compare=compare, imports=imports, pack=pack)
    _check_numbers(
        above={"--seconds": seconds, "--fps": fps},
        least={"--warm-up": warm_up, "--sustained": sustained, "--max-loss": max_loss}
        | {"--max-slowdown": max_slowdown},
    )
    check_json(json, force=force)
    if compare is not None:
        _compare(compare, max_slowdown / 100, max_loss, json, force)
        return
    if imports:
        _import(imports, json, force)
        return

    from dae_edge.bench.latency import COLOUR, bench
    from dae_edge.bench.record import Settings

    settings = Settings(fps=fps, seconds=seconds, warm_up_seconds=warm_up, sustained_seconds=sustained)
    wanted = [size for text in dict.fromkeys(sizes or []) if (size := options.parse_size(text))]
    counts = list(dict.fromkeys(threads or [2]))
    with _files(models or [], wanted or [COLOUR], engines or []) as (files, missing):
        if pack is not None:
            _pack(pack, files, settings, wanted, counts, force)
            return
        from dae_edge.bench.here import Here

        with out.status("starting") as status, hushed():
            record = bench(
                files,
                Here(),
                settings,
                threads=counts,
                sizes=wanted,
                limits=limits,
                profile=profile,
                say=lambda what: status.update(what),
            )
    record.rows += missing
    _show(record)
    _write(json, record, force)
    if json is None:
        next_step("dae-edge bench --json bench.json")
    else:
        next_step(f"dae-edge bench --compare {json} LATER.json")
    if not any(row.times for row in record.rows):
        raise typer.Exit(1)


def _check_modes(models: list[str], **modes: object) -> None:
    given = [f"`--{name.removesuffix('s')}`" for name, value in modes.items() if value]
    if len(given) > 1:
        raise BadValueError(f"{' and '.join(given)} do not go together.")
    if models and given in (["`--compare`"], ["`--import`"]):
        raise BadValueError(f"{given[0]} reads figures; give it without models (={', '.join(models)}).")


def _check_numbers(*, above: dict[str, float], least: dict[str, float]) -> None:
    for option, value in above.items():
        if not value > 0:
            raise BadValueError(f"`{option}` (={value:g}) must be greater than 0.")
    for option, value in least.items():
        if not value >= 0:
            raise BadValueError(f"`{option}` (={value:g}) must be 0 or greater.")


@contextmanager
def _files(
    models: list[str], sizes: list[Size], engines: list[str]
) -> Iterator[tuple[list[File], list[Row]]]:
    """What to measure, and rows for what cannot be made here; exported files live as long as the block."""
    for engine in engines:
        if engine not in ENGINES:
            raise BadValueError(f"`--engine` (={engine}) must be one of {', '.join(ENGINES)}.")
    with tempfile.TemporaryDirectory() as folder:
        if models:
            yield _named(models, engines), []
        else:
            yield _all_formats(sizes, engines or list(ENGINES), Path(folder))


def _named(models: list[str], engines: list[str]) -> list[File]:
    """Files and shipped models as the user names them, each once."""
    from dae_edge.runtime.load import find

    files: dict[Path, File] = {}
    for name in models:
        path, engine = find(name)
        if engines and engine not in engines:
            raise BadValueError(f"`--engine` (={', '.join(engines)}) does not run {name}; {engine} does.")
        if path.resolve() in files:
            out.print(f"[yellow]{name} is given twice; it is measured once.[/]")
        files.setdefault(path.resolve(), _file(path, engine))
    return list(files.values())


def _all_formats(sizes: list[Size], engines: list[str], folder: Path) -> tuple[list[File], list[Row]]:
    """The shipped model in every format: those that ship, and the rest made for these sizes."""
    from dae_edge.bench.record import Row
    from dae_edge.runtime.load import SHIPPED

    shipped = {"onnx-int8": SHIPPED["lowlight"], "onnx-fp32": SHIPPED["lowlight-fp32"]}
    files, missing, others = [], [], []
    for format in FORMATS:
        needed = [extra for extra in ("export", format.extra) if not installed(extra)]
        if format.engine not in engines:
            continue
        if format.name in shipped:
            files.append(_file(shipped[format.name], format.engine))
        elif needed:
            row = Row("lowlight", format.name, format.engine, *sizes[0], 0, status="skipped")
            row.problem = f'it must be made first, by pip install "dae-edge[{needed[0]}]"'
            missing.append(row)
        else:
            others.append(format)
    if not others:
        return files, missing
    with out.status("starting TensorFlow") as status, hushed():
        from dae_edge.export import export as exporter

        session = exporter.Session(exporter.open_model("lowlight"), exporter.model_path("lowlight"))
        for format in others:
            for size in [None] if format.any_size else sizes:
                label = f"{size[0]}x{size[1]}" if size else "any-size"
                path = folder / label / f"lowlight-{format.name}{format.suffix}"
                status.update(f"exporting {format.name}, {label}")
                try:
                    session.export(format, path, size=(size[1], size[0]) if size else None)
                except ExportError as failure:  # the other formats are worth measuring all the same
                    row = Row("lowlight", format.name, format.engine, *(size or sizes[0]), 0)
                    row.status, row.problem = "failed", str(failure)
                    missing.append(row)
                else:
                    files.append(_file(path, format.engine, (size,) if size else ()))
    return files, missing


def _file(path: Path, engine: str, sizes: tuple[Size, ...] = ()) -> File:
    from dae_edge.bench.latency import File
    from dae_edge.runtime.load import COMPANIONS

    companions = tuple(path.with_suffix(suffix) for suffix in COMPANIONS.get(path.suffix, ()))
    return File(path, engine, sizes, companions)


def _pack(
    folder: Path, files: list[File], settings: Settings, sizes: list[Size], threads: list[int], force: bool
) -> None:
    from dae_edge.bench.pack import pack

    with out.status("packing") as status, hushed():
        left_out = pack(folder, files, settings, threads=threads, sizes=sizes, force=force, say=status.update)
    for sentence in left_out:
        out.print(f"[yellow]{sentence}[/]")
    wrote(folder)
    next_step(f"scp -r {folder} pi: && ssh pi 'cd {folder.name} && python3 run.py'")


def _import(paths: list[Path], json: Path | None, force: bool) -> None:
    from dae_edge.bench.record import read

    if json is not None:
        raise BadValueError("`--json` is for figures measured here; `--import` reads a file that has them.")
    for record in [read(path) for path in paths]:
        _show(record)
    next_step(f"dae-edge bench --compare OLD.json {paths[0]}")


def _compare(
    paths: tuple[Path, Path], max_slowdown: float, max_loss: float, json: Path | None, force: bool
) -> None:
    from dae_edge.bench.compare import compare, warnings
    from dae_edge.bench.record import read
    from dae_edge.cli.bench_tables import show_changes

    old, new = (read(path) for path in paths)
    changes = compare(old, new, max_slowdown=max_slowdown, max_loss=max_loss)
    if not changes:
        raise MediaError(
            f"neither {paths[0]} nor {paths[1]} has a row with times; there is nothing to compare."
        )
    doubts = warnings(old, new)
    show_changes(changes, doubts, out)
    write_json(json, {"warnings": doubts, "changes": [one.figures() for one in changes]}, force=force)
    if any(one.bad for one in changes):
        raise typer.Exit(1)


def _show(record: Record) -> None:
    from dae_edge.cli.bench_tables import show

    show(record, out)


def _write(path: Path | None, record: Record, force: bool) -> None:
    if path is not None:
        write_text(path, record.to_json(), force=force)
