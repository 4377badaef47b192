"""`dae-edge doctor`: what this machine has, and which model it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, check_json, next_step, out, write_json
from dae_edge.errors import BadValueError, DaeEdgeError
from dae_edge.hush import hushed

if TYPE_CHECKING:
    from dae_edge.doctor.finding import Finding
    from dae_edge.doctor.holds import Held

_MARKS = {
    "fine": "[green]✓[/]",
    "limited": "[yellow]![/]",
    "missing": "[red]✗[/]",
    "plain": "[dim]·[/]",
}


def doctor(
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", help="To measure the models for; 0 leaves it out.")
    ] = 10.0,
    threads: options.Threads = 2,
    json: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Look at this machine: OpenCV, cameras, runtimes, extras, and which model it holds at which rate.

    What is missing is said with the command that gets it. Ends with 1 only where no model can run.
    """
    be_quiet(quiet)
    if not 0 <= seconds <= 600:
        raise BadValueError(f"`--seconds` (={seconds:g}) must be from 0 to 600.")
    check_json(json, force=force)

    from dae_edge.doctor import cameras, processor, software, vision

    sections: dict[str, Sequence[Finding]] = {}
    answers: list[dict[str, object]] = []
    with out.status("looking"), hushed():
        sections["machine"] = processor.check()
        sections["software"] = software.check()
        sections["picture"] = vision.check()
        sections["cameras"], answers = cameras.check()
    for title, findings in sections.items():
        _show(title, findings)
    held, busy, failure = _measure(seconds, threads)
    _show_held(held, threads)
    if busy:
        out.print("[yellow]the machine was busy: alone it may hold more[/]")
    figures = {
        "schema": 1,
        **{title: [asdict(finding) for finding in findings] for title, findings in sections.items()},
        "devices": answers,
        "threads": threads,
        "busy": busy,
        "holds": [row.figures() for row in held],
    }
    write_json(json, figures, force=force)
    if failure is not None:
        raise failure
    ready = any(f.state == "fine" for f in sections["cameras"])
    next_step("dae-edge live" if ready else "dae-edge live --source demo")


def _measure(seconds: float, threads: int) -> tuple[list[Held], bool, DaeEdgeError | None]:
    """What holds, whether the machine was busy, and why nothing runs where nothing does."""
    if not seconds:
        return [], False, None
    try:
        from dae_edge.doctor import holds

        with out.status(f"measuring for {seconds:g} seconds"), hushed():
            return *holds.measure(seconds, threads), None
    except DaeEdgeError as failure:
        return [], False, failure
    except Exception as failure:  # a broken native library fails in its own ways; all of them mean this
        why = (str(failure).splitlines() or [type(failure).__name__])[0]
        return [], False, DaeEdgeError(f"no model runs on this machine: {why}")


def _show(title: str, findings: Sequence[Finding]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), title=None)
    table.add_column(width=1)
    table.add_column(min_width=14, no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        text = escape(finding.found)
        if finding.advice:
            text += f"\n[dim]{escape(finding.advice)}[/]"
        table.add_row(_MARKS[finding.state], escape(finding.name), text)
    out.print(f"\n[bold]{title}[/]")
    out.print(table)


def _show_held(held: Sequence[Held], threads: int) -> None:
    from rich.table import Table

    if not held:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("model")
    for column in ("size", "p50", "p95", "holds"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in held:
        holds = f"[bold green]{row.rate} fps[/]" if row.rate else "[yellow]under 15 fps[/]"
        width, height = row.size
        table.add_row(row.model, f"{width}x{height}", f"{row.p50:.1f} ms", f"{row.p95:.1f} ms", holds)
    out.print(f"\n[bold]models[/] [dim]{threads} threads, the loop's own time allowed for[/]")
    out.print(table)
