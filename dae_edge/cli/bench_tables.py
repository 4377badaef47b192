"""A bench record as tables for a terminal: times and quality first, then what a frame costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dae_edge.bench.compare import Change
from dae_edge.bench.record import Limit, Record, Row
from dae_edge.bench.turns import SPREAD

_WIDE = 92  # columns of a terminal that has room for all figures
_SHOWN = 8  # operators of a profile

Cell = Callable[[Row], str]


def show(record: Record, out: Console) -> None:
    """Print `record`: the machine, a pair of tables for each size and thread count, and what to doubt."""
    machine, deadline = record.machine, 1000 / record.settings.fps
    engines = ("onnxruntime", "ai-edge-litert", "openvino")
    versions = [f"{name} {machine.packages[name]}" for name in engines if name in machine.packages]
    pinned = f"{len(machine.affinity)} of " if 0 < len(machine.affinity) < machine.cores else ""
    governor = f", {machine.governor} governor" if machine.governor else ""
    cores = f"{pinned}{machine.cores} cores{governor}"
    out.print(f"[bold]{escape(machine.cpu)}[/], {cores}, {', '.join(versions)}")
    measured = [row for row in record.rows if row.times is not None]
    for key in dict.fromkeys((r.width, r.height, r.threads) for r in measured):
        rows = [row for row in measured if (row.width, row.height, row.threads) == key]
        width, height, threads = key
        count = "1 thread" if threads == 1 else f"{threads} threads"
        out.print(f"\n[bold]{width}x{height}, {count}[/], milliseconds a frame, late after {deadline:.1f} ms")
        out.print(_table(rows, _times(out.width >= _WIDE)))
        out.print()
        out.print(_table(rows, _costs()))
        _print_limit(record, threads, out)
    for row in measured:
        _print_more(row, out)
    _print_doubts(record, out)


def show_changes(changes: Sequence[Change], warnings: Sequence[str], out: Console) -> None:
    """Print what `compare` found: a line for each row, then what to doubt."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    for column in ("model", "format", "size", "threads", "old", "new", "change", "noise", "PSNR", ""):
        left = column in ("model", "format", "size", "")
        table.add_column(column, justify="left" if left else "right", no_wrap=column != "model")
    for one in changes:
        model, format, _, width, height, threads = one.key
        colour = "red" if one.bad else "yellow" if "unclear" in one.verdicts else "green"
        table.add_row(
            escape(model), format, f"{width}x{height}", str(threads), _ms(one.old_ms), _ms(one.new_ms),
            "-" if one.change is None else f"{one.change:+.0%}",
            "-" if one.noise is None else f"{one.noise:.0%}",
            "-" if one.loss is None else f"{-one.loss:+.2f}",
            f"[{colour}]{', '.join(one.verdicts)}[/]" if one.verdicts else "",
        )  # fmt: skip
    out.print(table)
    for one in changes:
        if one.problem:
            out.print(f"[red]{escape(one.key[0])} {one.key[1]}: {escape(one.problem)}[/]")
    for warning in warnings:
        out.print(f"[yellow]{escape(warning)}[/]")
    bad = sum(one.bad for one in changes)
    verdict = f"[red]{bad} of {len(changes)} got slower or worse[/]" if bad else "nothing got slower or worse"
    unclear = sum("unclear" in one.verdicts for one in changes)
    out.print(verdict + (f"; {unclear} unclear, the noise is larger than the change" if unclear else ""))


def _times(wide: bool) -> dict[str, Cell]:
    def ms(name: str) -> Cell:
        return lambda row: _ms(getattr(row.times, name))

    more = {"n": lambda row: str(row.times.n)} if wide else {}
    return {
        "median": lambda row: f"[bold]{_ms(row.times.median)}[/]",
        "±": lambda row: f"[yellow]{_spread(row)}~[/]" if row.status == "noisy" else f"{_spread(row)} ",
        **{name: ms(name) for name in ("p50", "p90", "p95", "p99", "max") if wide or name != "p50"},
        "late": lambda row: f"{row.times.late:.0%}",
        **more,
        "PSNR": lambda row: f"{row.quality.psnr:.1f}" if row.quality else "-",
        "gain": lambda row: f"{row.quality.psnr - row.quality.noisy_psnr:+.1f}" if row.quality else "-",
    }  # fmt: skip


def _costs() -> dict[str, Cell]:
    def stage(name: str) -> Cell:
        return lambda row: _ms(getattr(row.stages, name)) if row.stages else "-"

    return {
        "file\nkB": lambda row: _number(row.file_bytes, 1024, 0),
        "peak\nMiB": lambda row: _number(row.peak_mib, 1, 0),
        "load": lambda row: _ms(row.load_ms),
        "first": lambda row: _ms(row.first_ms),
        "con-\nvert": stage("convert"),
        "infer": stage("infer"),
        "hand\nover": stage("hand_over"),
        "CPU": lambda row: _ms(row.cpu_ms),
        "MAC\n/px": lambda row: _number(row.mac_per_pixel, 1, 0),
        "GMAC\n/s": lambda row: _number(row.gmacs, 1, 0),
        "of\nlimit": lambda row: "-" if row.of_limit is None else f"{row.of_limit:.0%}",
    }


def _table(rows: Sequence[Row], cells: dict[str, Cell]) -> Table:
    """A row is named by its format where all are of one model; else by both, in two lines if need be."""
    several = len({row.model for row in rows}) > 1
    title = "model" if several else "format"
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    table.add_column(title, vertical="bottom", overflow="fold", no_wrap=not several)
    for name in cells:
        table.add_column(name, justify="right", vertical="bottom", no_wrap=True)
    for row in rows:
        name = f"{escape(row.model)} {row.format}" if several else row.format
        table.add_row(name, *(cell(row) for cell in cells.values()))
    return table


def _print_limit(record: Record, threads: int, out: Console) -> None:
    """What the share in the last column is of."""
    parts = []
    for engine in dict.fromkeys(one.engine for one in record.limits if one.threads == threads):
        rates = [one for one in record.limits if (one.engine, one.threads) == (engine, threads)]
        parts.append(f"{engine} " + ", ".join(map(_limit, rates)))
    copies = [f"memory {one.gb_per_s:.0f} GB/s" for one in record.bandwidth if one.threads == threads]
    if parts:
        out.print(f"[dim]limit, GMAC/s: {'; '.join(parts)}; {', '.join(copies)}[/]")


def _limit(one: Limit) -> str:
    return f"{one.gmacs:.0f} {one.precision}" + ("~" if one.spread > SPREAD else "")


def _print_more(row: Row, out: Console) -> None:
    """What was asked for beyond the tables."""
    name = f"{escape(row.model)} {row.format} {row.width}x{row.height}"
    if (lasting := row.sustained) is not None:
        out.print(
            f"\n{name}, {lasting.seconds:g} s without a pause: {lasting.first_fps:.1f} fps in the first "
            f"{lasting.window:g} s, {lasting.last_fps:.1f} in the last ([bold]{lasting.retention:.0%}[/])"
        )
    if row.unprofiled:
        out.print(f"\n[dim]{name}: {escape(row.unprofiled)}[/]")
    if row.operators:
        rest = row.operators[_SHOWN:]
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
        table.add_column("operator")
        for column in ("ms", "share", "calls"):
            table.add_column(column, justify="right")
        for one in row.operators[:_SHOWN]:
            table.add_row(escape(one.name), _ms(one.ms), f"{one.share:.0%}", f"{one.calls:.3g}")
        if rest:
            figures = (sum(o.ms for o in rest), sum(o.share for o in rest), sum(o.calls for o in rest))
            table.add_row(f"{len(rest)} others", _ms(figures[0]), f"{figures[1]:.0%}", f"{figures[2]:.3g}")
        out.print(f"\n[bold]{name}[/], time by operator while profiled")
        out.print(table)


def _print_doubts(record: Record, out: Console) -> None:
    conditions = record.conditions
    shares = {"other programs": conditions.others, "the hypervisor": conditions.steal}
    used = [f"{who} {share:.1%} of the processors" for who, share in shares.items() if share is not None]
    if conditions.celsius_before is not None and conditions.celsius_after is not None:
        used.append(f"{conditions.celsius_before:.0f} to {conditions.celsius_after:.0f} °C")
    if used:
        out.print(f"\n[dim]meanwhile: {', '.join(used)}; ± is how far a row's turns differ[/]")
    noisy = [row for row in record.rows if row.status == "noisy"]
    if conditions.noisy:
        out.print(f"[yellow]~ noisy, read with care:[/] {'; '.join(conditions.noisy)}")
    for row in _worst(noisy):
        out.print(
            f"[dim]  {escape(row.model)} {row.format} {row.width}x{row.height}: {'; '.join(row.noisy)}[/]"
        )
    for row in record.rows:
        if row.status in ("failed", "skipped"):
            colour = "red" if row.status == "failed" else "dim"
            name = f"{row.model} {row.format}".strip()
            out.print(f"[{colour}]{row.status}[/] {escape(name)}: {escape(row.problem)}")


def _worst(rows: Iterable[Row], most: int = 3) -> list[Row]:
    return sorted(rows, key=lambda row: -row.times.spread if row.times else 0.0)[:most]


def _spread(row: Row) -> str:
    return f"{row.times.spread:.0%}" if row.times else ""


def _ms(value: float | None) -> str:
    """Three digits at least, as far as they mean something."""
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def _number(value: float | None, unit: float, digits: int) -> str:
    return "-" if value is None else f"{value / unit:.{digits}f}"
