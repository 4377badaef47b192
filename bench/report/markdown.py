"""Reports in Markdown, for a README or an issue."""

from __future__ import annotations

from collections.abc import Sequence

from dae_edge.bench.report.rows import (
    COLUMNS,
    LEGEND,
    bench_rows,
    busy_line,
    lights,
    machine_line,
    rows,
    takes_line,
)
from dae_edge.bench.report.source import Record, Source
from dae_edge.bench.takes import SHOWN

_HEADERS = ("p50", "p90", "p99", "max")


def markdown(source: Source) -> str:
    """Every record of the source, evaluations first."""
    parts = ["# Quality and cost"]
    for record in source.evaluations:
        parts += _evaluation(record)
    for record in source.benches:
        parts += _bench(record)
    return "\n\n".join(parts) + "\n"


def table(header: Sequence[str], body: Sequence[Sequence[str]], left: int = 1) -> str:
    """A Markdown table; the first `left` columns and none else to the left."""
    marks = ["---" if index < left else "---:" for index in range(len(header))]
    lines = [_line(header), _line(marks), *(_line([_cell(text) for text in row]) for row in body)]
    return "\n".join(lines)


def _evaluation(record: Record) -> list[str]:
    parts = []
    for light in lights(record):
        shown = rows(record, light)
        header = [light, *(title for _, title, _ in COLUMNS), ""]
        body = [
            [
                f"**{row.method}**" if row.best else row.method,
                *(row.text(figure, decimals) for figure, _, decimals in COLUMNS),
                row.note,
            ]
            for row in shown
        ]
        parts += [f"## {light}", table(header, body)]
        curves = convergence(record, light)
        if curves:
            body = [
                [name, *(f"{curve[n]:.2f}" if n in curve else "" for n in SHOWN)] for name, curve in curves
            ]
            parts += ["PSNR in dB at frame:", table(["", *map(str, SHOWN)], body)]
    if busy := busy_line(record):
        parts.append(busy)
    return [
        *parts,
        f"{LEGEND} Bold: nothing is both faster and better.",
        f"{takes_line(record)}; {machine_line(record)}.",
    ]


def convergence(record: Record, light: str) -> list[tuple[str, dict[int, float]]]:
    """(method, mean PSNR by frame) of what remembers frames, over the takes that have more than one."""
    memory = {m["name"] for m in record["methods"] if m.get("memory") in ("past", "future")}
    found = []
    for method in dict.fromkeys(cell["method"] for cell in record["cells"]):
        cells = [
            cell["convergence"]
            for cell in record["cells"]
            if (cell["method"], cell["light"]) == (method, light) and len(cell["convergence"]) > 2
        ]
        if method in memory and cells:
            # A frame that only some of the takes have would compare different takes.
            common = [n for n in SHOWN if all(str(n) in cell for cell in cells)]
            found.append((method, {n: sum(cell[str(n)] for cell in cells) / len(cells) for n in common}))
    return found


def _bench(record: Record) -> list[str]:
    header = ["model", "format", "engine", "size", "threads", "kB", *_HEADERS, "PSNR, dB"]
    body = [
        [
            row["model"],
            row["format"],
            row["engine"],
            f"{row['width']}x{row['height']}",
            str(row["threads"]),
            "" if row.get("file_bytes") is None else f"{row['file_bytes'] / 1024:.0f}",
            *(f"{row['times'][name]:.1f}" for name in _HEADERS),
            "" if not row.get("quality") else f"{row['quality']['psnr']:.2f}",
        ]
        for row in bench_rows(record)
    ]
    parts = ["## Latency, ms a frame", table(header, body, left=3)]
    parts += [
        f"{row['model']} {row['format']}: {row['problem']}" for row in record["rows"] if row.get("problem")
    ]
    return [*parts, f"{machine_line(record)}."]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
