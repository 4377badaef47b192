"""`dae-edge report`: the figures of several runs on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, next_step, write_text
from dae_edge.errors import BadValueError
from dae_edge.files import check_output


def report(
    records: Annotated[
        list[Path],
        typer.Argument(metavar="RECORDS...", help="JSON files of `dae-edge evaluate` and `dae-edge bench`."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="report.html, or report.md for a README.")
    ] = Path("report.html"),
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Write one page, or Markdown tables, from the figures of several runs.

    The pictures of an evaluation are taken from beside its JSON file.
    """
    be_quiet(quiet)
    if output.suffix not in (".html", ".md"):
        raise BadValueError(f"`--output` (={output}) must end in .html or .md.")
    check_output(output, force=force)

    from dae_edge.bench.report.markdown import markdown
    from dae_edge.bench.report.page import page
    from dae_edge.bench.report.source import Source

    source = Source.read(records)
    write_text(output, page(source) if output.suffix == ".html" else markdown(source), force=force)
    next_step("dae-edge evaluate --clips FOLDER --pairs FOLDER")
