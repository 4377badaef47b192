"""What every verb says and how: one console, one progress bar, one way to end."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from dae_edge.files import check_output, writing

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def be_quiet(quiet: bool) -> None:
    """Errors only, where `quiet`."""
    out.quiet = quiet


def log_to_stderr(quiet: bool) -> None:
    """Show the package's log with the time of day; only errors where `quiet`."""
    log = logging.getLogger("dae_edge")
    if not any(isinstance(handler, _Lines) for handler in log.handlers):
        log.addHandler(_Lines())
    log.setLevel(logging.ERROR if quiet else logging.INFO)


class _Lines(logging.Handler):
    """One line a record on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        err.print(f"[dim]{time.strftime('%H:%M:%S')}[/] {escape(record.getMessage())}")


def wrote(*paths: Path) -> None:
    """Name the files a verb made."""
    for path in paths:
        out.print(f"[green]wrote[/] {path}")


def next_step(command: str) -> None:
    """The next command to paste."""
    out.print(f"[dim]next:[/] [bold]{command}[/]")


def check_json(path: Path | None, *, force: bool) -> None:
    """Refuse a `--json` file that may not be written before the work begins, not after."""
    if path is not None:
        check_output(path, force=force)


def write_json(path: Path | None, figures: object, *, force: bool) -> None:
    """Write a verb's figures where `--json` asked for them."""
    if path is None:
        return
    write_text(path, json.dumps(figures, indent=2, allow_nan=False) + "\n", force=force)


def write_text(path: Path, text: str, *, force: bool) -> None:
    """Write a file whole, and name it."""
    with writing(path, force=force) as temporary:
        temporary.write_text(text)
    wrote(path)


class Step(Protocol):
    """Moves a progress bar: steps done, in all (0 where unknown), and what comes next."""

    def __call__(self, done: int, total: int, what: str | None = None) -> None: ...


@contextmanager
def progress(title: str, unit: str = "frames") -> Iterator[Step]:
    """A progress bar, and the function that moves it."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=out,
        disable=out.quiet,
        transient=True,
    )
    task = bar.add_task(title, total=None)

    def step(done: int, total: int, what: str | None = None) -> None:
        bar.update(task, completed=done, total=total or None, description=what or title)

    with bar:
        yield step
