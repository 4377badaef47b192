"""Reports as one HTML page that needs nothing else: plots inline, pictures inside, no script."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from itertools import chain
from typing import Any

from dae_edge.bench.report import svg
from dae_edge.bench.report.markdown import convergence
from dae_edge.bench.report.rows import (
    COLUMNS,
    LEGEND,
    Row,
    bench_rows,
    busy_line,
    lights,
    machine_line,
    rows,
    takes_line,
)
from dae_edge.bench.report.source import Record, Source

# What is on the page; all pictures lie in the folder.
_SHOWN = 3  # takes of each light
_STRIPS = 2  # models whose worst piece is shown

_STYLE = files("dae_edge.bench.report").joinpath("page.css")


def page(source: Source) -> str:
    """The whole page."""
    body = [part for record in source.evaluations for part in _evaluation(record, source)]
    body += [part for record in source.benches for part in _bench(record)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>dae-edge: quality and cost</title><style>{_STYLE.read_text()}</style></head>\n<body>\n"
        f"<h1>Quality and cost</h1>\n{chr(10).join(body)}\n</body></html>\n"
    )


def _evaluation(record: Record, source: Source) -> Iterator[str]:
    yield f'<p class="about">{escape(takes_line(record))}. {escape(machine_line(record))}.</p>'
    yield f'<p class="legend">{escape(LEGEND)} A dot: nothing is both faster and better.</p>'
    if busy := busy_line(record):
        yield f'<p class="warning">{escape(busy)}</p>'
    command = escape(record["settings"]["command"])
    yield f"<details><summary>The command</summary><code>{command}</code></details>"
    for light in lights(record):
        shown = rows(record, light)
        yield f"<h2>{escape(_title(light))}</h2>"
        tradeoff, *others = _plots(record, light, shown)
        yield tradeoff
        yield _table(shown, light)
        yield from others
        yield from _pictures(record, source, light, shown)
        yield _per_take(record, light, shown)


def _plots(record: Record, light: str, shown: Sequence[Row]) -> Iterator[str]:
    """Quality against time, convergence, and the single times; empty where there is nothing to plot."""
    ours = {row.method: row.kind == "model" for row in shown}
    short = {row.method: row.short for row in shown}
    points = [
        svg.Point(row.short, row.values["ms"] or 0.0, row.values["later"] or 0.0, ours[row.method])
        for row in shown
        if row.values.get("ms") and row.values.get("later")
    ]
    floor = next((row.values["later"] for row in shown if row.kind == "noisy"), None)
    title = "Quality against time; the line is the front that nothing beats"
    yield _wide(svg.tradeoff(points, floor, title)) if points else ""
    curves = [
        (short[name], curve, ours[name]) for name, curve in convergence(record, light) if len(curve) > 1
    ]
    title = "Convergence: what remembers frames, from a clip's first on"
    yield _wide(svg.curves(curves, title)) if curves else ""
    strips = []
    for row in shown:
        times = [ms for cell in _cells(record, light, row.method) for ms in cell["times"]]
        if times:
            strips.append((row.short, times, ours[row.method]))
    yield _wide(svg.strips(strips, "Every time measured, all takes")) if strips else ""


def _title(light: str) -> str:
    return {"real": "Real noise", "clean": "No noise"}.get(light, f"Simulated light: {light}")


def _table(shown: Sequence[Row], light: str) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for _, title, _ in COLUMNS)
    lines = []
    for row in shown:
        cells = "".join(f"<td>{row.text(figure, decimals)}</td>" for figure, _, decimals in COLUMNS)
        kind = f"{row.kind} best" if row.best else row.kind
        note = f'<td class="note">{escape(row.note)}</td>'
        lines.append(f'<tr class="{kind}"><td>{escape(row.method)}</td>{cells}{note}</tr>')
    return _wide(f"<table><tr><th>{escape(light)}</th>{head}<th></th></tr>{''.join(lines)}</table>")


def _pictures(record: Record, source: Source, light: str, shown: Sequence[Row]) -> Iterator[str]:
    takes = [take["name"] for take in record["takes"] if take["light"] == light]
    step = max(len(takes) / _SHOWN, 1)
    chosen = list(dict.fromkeys(takes[int(i * step)] for i in range(min(_SHOWN, len(takes)))))
    for take in chosen:
        cells = {
            cell["method"]: cell for cell in record["cells"] if (cell["take"], cell["light"]) == (take, light)
        }
        figures = []
        for row in shown:
            cell = cells.get(row.method)
            if cell is None or cell["later"] is None:
                continue
            tile = _image(source.picture(record, cell["pictures"].get("piece")))
            figures.append(_figure(tile, f"{row.short}, {cell['later']:.1f} dB", row.kind))
            if row.kind == "noisy":
                clean = _image(source.picture(record, cell["pictures"].get("clean")))
                figures.insert(0, _figure(clean, "clean", "noisy"))
        figures = [figure for figure in figures if figure]
        if figures:
            yield f'<h3>{escape(take)}</h3><div class="pieces">{"".join(figures)}</div>'
        for row in [row for row in shown if row.kind == "model"][:_STRIPS]:
            strip = _image(source.picture(record, cells.get(row.method, {}).get("pictures", {}).get("worst")))
            if strip:
                caption = f"{row.method} at its worst: before, after, clean, and four times the difference"
                yield f'<figure class="strip">{strip}<figcaption>{escape(caption)}</figcaption></figure>'


def _per_take(record: Record, light: str, shown: Sequence[Row]) -> str:
    """PSNR of every method on every take, with the settings that were found."""
    takes = [take["name"] for take in record["takes"] if take["light"] == light]
    lines = []
    for row in shown:
        known = {cell["take"]: cell for cell in _cells(record, light, row.method)}
        if known:
            cells = "".join(f"<td>{_take_cell(known.get(take))}</td>" for take in takes)
            lines.append(f'<tr class="{row.kind}"><td>{escape(row.method)}</td>{cells}</tr>')
    head = "".join(f"<th>{escape(take)}</th>" for take in takes)
    inner = f"<table><tr><th>later, dB</th>{head}</tr>{''.join(lines)}</table>"
    return f"<details><summary>Every take, with the best settings found</summary>{_wide(inner)}</details>"


def _take_cell(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return ""
    if cell["problem"]:
        return f'<span class="note">{escape(cell["problem"])}</span>'
    setting = " ".join(f"{name} {value:g}" for name, value in cell["setting"].items())
    return f"{cell['later']:.2f}" + (f'<br><span class="note">{escape(setting)}</span>' if setting else "")


def _bench(record: Record) -> Iterator[str]:
    good = bench_rows(record)
    yield "<h2>Latency</h2>"
    yield f'<p class="about">{escape(machine_line(record))}.</p>'
    for reason in record.get("conditions", {}).get("noisy", []):
        yield f'<p class="note">Read with care: {escape(reason)}</p>'
    names = ("p50", "p90", "p95", "p99", "max")
    head = "".join(f"<th>{name}</th>" for name in names)
    for size in dict.fromkeys((row["width"], row["height"]) for row in good):
        here = [row for row in good if (row["width"], row["height"]) == size]
        label = f"{size[0]}x{size[1]}"
        frames: list[tuple[str, list[float], bool]] = [
            (
                f"{row['format']}, {row['engine']}",
                list(chain(*row["times"]["samples"])),
                True,
            )
            for row in here
            if row["times"]["samples"]
        ]
        if frames:
            yield _wide(svg.strips(frames, f"Every frame at {label}"))
        lines = []
        for row in here:
            times_cells = "".join(f"<td>{row['times'][name]:.1f}</td>" for name in names)
            quality = _decimals((row.get("quality") or {}).get("psnr"), 2)
            lines.append(
                f'<tr class="model"><td>{escape(row["model"])} {escape(row["format"])}</td>'
                f"<td>{escape(row['engine'])}</td><td>{row['threads']}</td>{times_cells}<td>{quality}</td></tr>"
            )
        yield _wide(
            f"<table><tr><th>{label}, ms</th><th>engine</th><th>threads</th>{head}<th>PSNR, dB</th></tr>"
            f"{''.join(lines)}</table>"
        )
    for row in record["rows"]:
        if row.get("problem"):
            name = f"{row['model']} {row['format']}"
            yield f'<p class="note">{escape(name)}: {escape(row["problem"])}</p>'


def _cells(record: Record, light: str, method: str) -> list[dict[str, Any]]:
    return [cell for cell in record["cells"] if (cell["light"], cell["method"]) == (light, method)]


def _decimals(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def _image(content: bytes | None) -> str:
    return (
        ""
        if content is None
        else f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(content).decode()}">'
    )


def _figure(image: str, caption: str, kind: str) -> str:
    return (
        f'<figure class="{kind}">{image}<figcaption>{escape(caption)}</figcaption></figure>' if image else ""
    )


def _wide(inner: str) -> str:
    return f'<div class="wide">{inner}</div>'
