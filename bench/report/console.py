"""An evaluation on the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from dae_edge.bench.report.rows import COLUMNS, LEGEND, busy_line, lights, machine_line, rows, takes_line
from dae_edge.bench.report.source import Record


def tables(record: Record) -> Iterator[Table]:
    """One for each light; what nothing else beats in both time and quality in bold."""
    for light in lights(record):
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column(light, overflow="fold")
        for _, title, _ in COLUMNS:
            table.add_column(title, justify="right", no_wrap=True)
        for row in rows(record, light):
            name = escape(row.method)
            cells = (row.text(figure, decimals) for figure, _, decimals in COLUMNS)
            table.add_row(f"[bold]{name}[/]" if row.best else name, *cells)
        yield table


def remarks(record: Record) -> Iterator[str]:
    """What must be known beside the figures."""
    yield LEGEND + " Bold: nothing is both faster and better."
    yield f"{takes_line(record)}; {machine_line(record)}"
    if busy := busy_line(record):
        yield busy
    notes = {(row.method, row.note) for light in lights(record) for row in rows(record, light) if row.note}
    for method, note in sorted(notes):
        yield f"{method}: {note}"
