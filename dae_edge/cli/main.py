"""`dae-edge`: the command, its verbs, and how an error ends it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.markup import escape

from dae_edge import __version__
from dae_edge.cli import (
    bench,
    calibrate,
    denoise,
    doctor,
    evaluate,
    export,
    inspect,
    live,
    report,
    scenes,
    train,
)
from dae_edge.cli.console import err, out
from dae_edge.errors import DaeEdgeError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Denoise low-light video live on a CPU; train, export and measure the models that do it.",
    epilog="Begin with:  [bold]dae-edge live --source demo[/]",
)

_USE, _MAKE = "Use a model", "Make a model"
app.command(rich_help_panel=_USE)(live.live)
app.command(rich_help_panel=_USE)(denoise.denoise)
app.command(rich_help_panel=_USE)(calibrate.calibrate)
app.command(rich_help_panel=_USE)(bench.bench)
app.command(rich_help_panel=_USE)(doctor.doctor)
app.command(rich_help_panel=_USE)(evaluate.evaluate)
app.command(rich_help_panel=_USE)(report.report)
app.command(rich_help_panel=_USE)(inspect.inspect)
app.add_typer(train.app, name="train", rich_help_panel=_MAKE)
app.command(rich_help_panel=_MAKE)(export.export)
app.command(rich_help_panel=_MAKE)(scenes.scenes)


def _show_version(asked: bool) -> None:
    if asked:
        out.print(f"dae-edge {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Denoise low-light video live on a CPU; train, export and measure the models that do it."""


def main() -> None:
    """The entry point: a mistake of the user's ends in one sentence, never in a traceback."""
    try:
        app()
    except DaeEdgeError as failure:
        err.print(f"[bold red]error:[/] {escape(str(failure))}")
        sys.exit(failure.exit_code)
    except KeyboardInterrupt:
        err.print("stopped.")
        sys.exit(130)
