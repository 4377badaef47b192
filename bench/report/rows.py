"""The rows that every report shows, whatever it is written in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dae_edge.bench.report.source import Record

# What a column is called, of which figure, and with how many decimals.
COLUMNS = (
    ("first", "first", 2),
    ("later", "later", 2),
    ("ssim", "SSIM", 3),
    ("flicker", "flicker", 2),
    ("ghost", "ghost", 2),
    ("ms", "ms", 1),
)
BUSY = 0.5  # processors in use over the last minute
LEGEND = (
    "Means over the takes. first, later: PSNR in dB of a clip's first frame, and of those from the ninth on; "
    "a single picture has one figure for both. SSIM: of the later frames. flicker: temporal standard "
    "deviation in levels of 255 where nothing moves. ghost: dB by which what was just uncovered is "
    "worse than without memory; below 0 it is better. ms: milliseconds a frame."
)


@dataclass(frozen=True)
class Row:
    """One method in one light; `values` are the means by figure, None where there is none.

    short: a name for plots, without what all models have in common
    """

    method: str
    short: str
    kind: str
    light: str
    takes: int
    values: dict[str, float | None]
    note: str
    best: bool  # nothing is both faster and better

    def text(self, figure: str, decimals: int) -> str:
        value = self.values.get(figure)
        return "" if value is None else f"{value:.{decimals}f}"


def lights(record: Record) -> list[str]:
    return list(dict.fromkeys(row["light"] for row in record["means"]))


def rows(record: Record, light: str) -> list[Row]:
    """The noisy frames, the models, then the opponents from the best down, and those that are missing."""
    means = [row for row in record["means"] if row["light"] == light]
    most = max((row["takes"] for row in means), default=0)
    methods = {method["name"]: method for method in record["methods"]}
    short = short_names(record)
    front = pareto([(row["ms"], row["later"]) for row in means])
    found = [
        Row(
            row["method"],
            short[row["method"]],
            methods[row["method"]]["kind"],
            light,
            row["takes"],
            {figure: row[figure] for figure, _, _ in COLUMNS},
            _note(methods[row["method"]], row, most),
            index in front,
        )
        for index, row in enumerate(means)
    ]
    order = {"noisy": 0, "model": 1, "opponent": 2}
    found.sort(key=lambda row: (order[row.kind], -(row.values["later"] or 0)))
    missing = [m for m in record["methods"] if m.get("missing")]
    return found + [
        Row(m["name"], m["name"], "opponent", light, 0, {}, f"not measured: {m['missing']}", False)
        for m in missing
    ]


def pareto(points: Sequence[tuple[float | None, float | None]]) -> set[int]:
    """The indices of the points (ms, dB) that no other is both as fast and as good as, and better in one."""
    front = set()
    for index, (ms, quality) in enumerate(points):
        if ms is None or quality is None:
            continue
        beaten = any(
            m <= ms and q >= quality and (m, q) != (ms, quality)
            for m, q in points
            if m is not None and q is not None
        )
        if not beaten:
            front.add(index)
    return front


def short_names(record: Record) -> dict[str, str]:
    """Method -> name for plots: our files without the beginning and the end that all of them share."""
    names = {method["name"]: method["name"] for method in record["methods"]}
    ours = [m["name"] for m in record["methods"] if m["kind"] == "model"]
    if len(ours) < 2:
        return names
    parts = [re.split(r"[-_]", name) for name in ours]
    shortest = min(map(len, parts))
    begin = next((i for i in range(shortest) if len({part[i] for part in parts}) > 1), shortest)
    end = next((i for i in range(shortest) if len({part[-1 - i] for part in parts}) > 1), shortest)
    if begin + end >= shortest:
        return names
    return names | {
        name: "-".join(part[begin : len(part) - end]) for name, part in zip(ours, parts, strict=True)
    }


def busy_line(record: Record) -> str:
    """A warning where something else used the processor as the run began; "" where it was quiet."""
    load = record["settings"].get("load")
    if load is None or load <= BUSY:
        return ""
    return f"The machine was busy when the run began (load {load:.1f}): read its times with care."


def takes_line(record: Record) -> str:
    """ "20 takes of 24 to 32 frames, 640x360 to 848x480, 2 threads"."""
    takes = record["takes"]
    sizes = sorted({(t["width"], t["height"]) for t in takes if "width" in t})
    frames = sorted({t["frames"] for t in takes if "frames" in t})
    if not sizes:
        return _count(len(takes), "take")
    span = f"{sizes[0][0]}x{sizes[0][1]}" + (f" to {sizes[-1][0]}x{sizes[-1][1]}" if len(sizes) > 1 else "")
    length = f"{frames[0]}" + (f" to {frames[-1]}" if len(frames) > 1 else "")
    taken = f"{_count(len(takes), 'take')} of {length} {'frame' if length == '1' else 'frames'}"
    return f"{taken}, {span}, {_count(record['settings']['threads'], 'thread')}"


def machine_line(record: Record) -> str:
    machine = record["machine"]
    packages = machine.get("packages", {})
    versions = ", ".join(
        f"{name} {packages[name]}"
        for name in ("onnxruntime", "ai-edge-litert", "openvino")
        if name in packages
    )
    system = f"{machine['system']}, Python {machine['python']}"
    return f"{machine['cpu']}, {machine['cores']} cores, {system}, {versions}"


def bench_rows(record: Record) -> list[dict[str, Any]]:
    """The rows of a bench record that have times, fastest first within a size."""
    good = [row for row in record["rows"] if row.get("times")]
    return sorted(good, key=lambda r: (r["width"] * r["height"], r["times"]["p50"]))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _note(method: Record, row: Record, most: int) -> str:
    parts = [method.get("note", "")]
    if row["takes"] and row["takes"] < most:
        parts.append(f"{row['takes']} of {most} takes")
    if row.get("problem"):
        parts.append(row["problem"])
    return "; ".join(part for part in parts if part)
