"""`dae-edge inspect`: what a model file says of itself, and what it is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, check_json, next_step, out, write_json
from dae_edge.errors import ModelLoadError

if TYPE_CHECKING:
    from rich.table import Table

    from dae_edge.manifest import Manifest
    from dae_edge.runtime.inspect import Contents, Inspection, Port


def inspect(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="An .onnx or .tflite file of any maker, or a shipped name.")
    ],
    json: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Show a file's tensors, memory, arithmetic, measured quality and origin, without running it.

    Other people's files are read as well, as far as they tell.

    Where a sidecar is there and its sha256 is not the file's, the command fails.
    """
    be_quiet(quiet)
    check_json(json, force=force)

    from dae_edge.runtime.inspect import inspect as read
    from dae_edge.runtime.load import SHIPPED

    seen = read(SHIPPED.get(file) or Path(file))
    _report(seen)
    write_json(json, seen.figures(), force=force)
    if seen.sha256_matches is False:
        raise ModelLoadError(f"{seen.path} is not what its sidecar describes: the sha256 differs.")
    next_step(f"dae-edge bench {file}" if seen.manifest else "dae-edge export --help")


def _report(seen: Inspection) -> None:
    facts = _table()
    rows = [("file", _file(seen)), ("sha256", _sha256(seen)), *_manifest(seen), *_made_of(seen.contents)]
    for name, text in rows:
        facts.add_row(f"[bold]{name}[/]", _plain(text))
    out.print(facts)
    tensors = _table("tensor", "", "shape", "type", "")
    for direction, ports in (("in", seen.contents.inputs), ("out", seen.contents.outputs)):
        for port in ports:
            shape, meaning = _meaning(port, seen.manifest)
            sides = " x ".join(map(str, shape)) or "one number"
            tensors.add_row(*map(_plain, (port.name, direction, sides, port.dtype, meaning)))
    out.print()
    out.print(tensors)


def _file(seen: Inspection) -> str:
    contents = seen.contents
    sets = ", ".join(f"{name} {version}" for name, version in contents.opsets.items())
    maker = f", made by {contents.producer}" if contents.producer else ""
    return f"{seen.path}: {contents.kind}, {seen.size / 1024:.0f} kB, {sets}{maker}"


def _sha256(seen: Inspection) -> str:
    checked = {
        True: "as in the sidecar",
        False: "NOT the one in the sidecar",
        None: "not checked: no sidecar names one",
    }
    return f"{seen.sha256} ({checked[seen.sha256_matches]})"


def _manifest(seen: Inspection) -> list[tuple[str, str]]:
    """What a file of ours says of itself."""
    manifest = seen.manifest
    if manifest is None:
        return [("manifest", "none: not made by dae-edge export, so dae-edge cannot run it")]
    frames = f"of any size from {manifest.minimum} pixels a side, padded to {manifest.multiple} inside"
    if manifest.size is not None:
        frames = f"of {manifest.size[1]}x{manifest.size[0]} only"
    quality = (f"{key} {'infinite' if value is None else value}" for key, value in manifest.quality.items())
    origin = [f"recipe {manifest.recipe[:12]}"] if manifest.recipe else []
    origin += [f"seed {manifest.seed}"] if manifest.seed is not None else []
    origin += [f"{name} {version}" for name, version in manifest.tools.items()]
    return [
        ("model", f"{manifest.name}, {manifest.format}"),
        ("frames", frames),
        ("memory", _memory(manifest)),
        ("strength", f"input {manifest.strength}" if manifest.strength else "not in the file"),
        ("quantization", manifest.quantization),
        ("quality", ", ".join(quality) or "not measured"),
        ("origin", ", ".join(origin) or "unknown"),
    ]


def _memory(manifest: Manifest) -> str:
    if not manifest.states:
        return "none"
    along = {False: ", along with motion if asked", True: ", along with motion"}[manifest.follows]
    return f"{len(manifest.states)} tensors, from frame to frame{along if manifest.memory else ''}"


def _made_of(contents: Contents) -> list[tuple[str, str]]:
    """What can be counted in any file."""
    kinds = (f"{count} in {kind}" for kind, count in contents.convolutions.items())
    stored = (f"{count:,} {dtype}" for dtype, count in contents.stored.items())
    operators = (f"{count} {name}" for name, count in contents.operators.items())
    return [
        ("convolutions", ", ".join(kinds) or "none"),
        ("numbers", f"{contents.parameters:,} stored, {contents.quantized_share:.0%} in 8 bits or fewer"),
        ("", ", ".join(stored)),
        ("operators", ", ".join(operators)),
    ]


def _meaning(port: Port, manifest: Manifest | None) -> tuple[tuple[int | str, ...], str]:
    """A tensor's shape and what it is for, in the manifest's words where there is one."""
    if manifest is not None:
        for picture in (manifest.frame, manifest.denoised):
            if port.name == picture.name:
                return picture.shape, f"{picture.colour}, {picture.range[0]} to {picture.range[1]}"
        for state in manifest.states:
            if port.name == state.name:
                return state.shape, f"memory, {state.start:g} at the start of a clip"
            if port.name == state.next:
                return state.shape, f"the next frame's {state.name}"
        if port.name == manifest.strength:
            return port.shape, "0 to 1, optional" if port.optional else "0 to 1"
    return port.shape, "optional" if port.optional else ""


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", show_header=bool(columns))
    for column in columns or ("", ""):
        table.add_column(column, overflow="fold")
    return table


def _plain(text: str) -> str:
    """Text out of a file, made harmless for a terminal: no markup, no control characters."""
    from rich.markup import escape

    return escape("".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text))
