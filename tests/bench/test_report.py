"""What the reports show of a small evaluation, and of a bench run beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from dae_edge.bench.report import figures, markdown, page, svg
from dae_edge.bench.report.rows import lights, pareto, rows, short_names
from dae_edge.bench.report.source import Source
from dae_edge.errors import BadValueError, MediaError
from tests.bench.test_clips import write

SCORES: dict[str, Any] = {
    "setting": {}, "at_end": [], "ssim": 0.9, "convergence": {"1": 25.0, "2": 26.0, "4": 27.0}, "flicker": 1.5,
    "ghost": -0.2, "times": [5.0, 6.0, 9.0], "problem": "", "pictures": {},
}  # fmt: skip


def evaluation(tmp_path: Path) -> Path:
    """A record with a fast model, a slow opponent, one that fails, and one that is missing."""
    methods = [
        {"name": "noisy", "kind": "noisy", "memory": "none", "note": ""},
        {"name": "<ours>", "kind": "model", "memory": "past", "note": "", "file": "a.onnx", "kB": 12},
        {"name": "slow", "kind": "opponent", "memory": "none", "note": "waits | for nothing"},
        {"name": "broken", "kind": "opponent", "memory": "none", "note": ""},
        {"name": "absent", "kind": "opponent", "missing": "the program is not installed"},
    ]
    figures = {"noisy": (20.0, 20.0, None), "<ours>": (26.0, 30.0, 6.0), "slow": (27.0, 27.0, 500.0)}
    cells, means = [], []
    for name, (first, later, ms) in figures.items():
        cell = SCORES | {"take": "walk", "light": "dark", "method": name}
        cells.append(cell | {"first": first, "later": later, "ms": ms})
        mean = {"light": "dark", "method": name, "takes": 1, "first": first, "later": later, "ms": ms}
        means.append(mean | {"ssim": 0.9, "flicker": 1.5, "ghost": None})
    empty = dict.fromkeys(("first", "later", "ssim", "flicker", "ghost", "ms"))
    cells.append(
        SCORES
        | empty
        | {"take": "walk", "light": "dark", "method": "broken", "times": [], "problem": "it fell"}
    )
    means.append(empty | {"light": "dark", "method": "broken", "takes": 0, "problem": "it fell"})
    write(tmp_path / "pictures" / "piece.jpg")
    cells[1]["pictures"] = {
        "piece": "pictures/piece.jpg",
        "worst": "pictures/gone.jpg",
        "frame": "../../secret",
    }
    record = {
        "kind": "dae-edge evaluate", "schema": 1, "version": "0.1.0", "methods": methods, "cells": cells, "means": means,
        "machine": {"cpu": "a CPU", "cores": 2, "system": "Linux", "python": "3.11", "packages": {"onnxruntime": "1"}},
        "settings": {"command": "dae-edge evaluate", "frames": 4, "size": [64, 48], "threads": 2, "seed": 5},
        "takes": [{"name": "walk", "light": "dark", "width": 64, "height": 48, "frames": 4}],
    }  # fmt: skip
    path = tmp_path / "evaluate.json"
    path.write_text(json.dumps(record))
    return path


def bench(tmp_path: Path) -> Path:
    times = {"p50": 4.0, "p90": 5.0, "p95": 6.0, "p99": 7.0, "max": 8.0, "samples": [[4.0, 4.1], [3.9, 8.0]]}
    row = {
        "model": "lowlight", "format": "onnx-int8", "engine": "onnxruntime", "width": 64, "height": 48, "threads": 2,
        "file_bytes": 2048, "problem": "", "times": times, "quality": {"noisy_psnr": 20.0, "psnr": 30.5},
    }  # fmt: skip
    failed = row | {
        "format": "tflite-int8",
        "times": None,
        "quality": None,
        "problem": "LiteRT is not installed",
    }
    machine = {"cpu": "a CPU", "cores": 2, "system": "Linux", "python": "3.11", "packages": {}}
    record = {
        "kind": "dae-edge bench", "schema": 2, "machine": machine, "rows": [row, failed],
        "conditions": {"noisy": ["another program used a core"]},
    }  # fmt: skip
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(record))
    return path


def test_the_front_is_what_nothing_beats() -> None:
    assert pareto([(1, 20), (2, 30), (3, 25), (None, 40), (2, 30), (0.5, 10)]) == {0, 1, 4, 5}
    assert pareto([]) == set()


def test_rows_come_in_order_with_what_must_be_known(tmp_path: Path) -> None:
    record = Source.read([evaluation(tmp_path)]).evaluations[0]
    assert lights(record) == ["dark"]
    shown = rows(record, "dark")
    assert [row.method for row in shown] == ["noisy", "<ours>", "slow", "broken", "absent"]
    assert [row.best for row in shown] == [False, True, False, False, False]
    assert shown[3].note == "it fell"
    assert shown[4].note == "not measured: the program is not installed"
    assert shown[2].text("ghost", 2) == ""


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    text = page.page(Source.read([evaluation(tmp_path), bench(tmp_path)]))
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https://|<script|<link|@import|url\(", text)
    assert "&lt;ours&gt;" in text
    assert "<ours>" not in text
    assert text.count("data:image/jpeg;base64,") == 1  # the one picture that is there
    assert "another program used a core" in text
    assert "LiteRT is not installed" in text
    for plot in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ET.fromstring(plot)


def test_the_tables_are_markdown(tmp_path: Path) -> None:
    text = markdown.markdown(Source.read([evaluation(tmp_path), bench(tmp_path)]))
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block
    assert "| **<ours>** | 26.00 | 30.00 |" in text
    assert "waits \\| for nothing" in text
    assert "| lowlight | onnx-int8 | onnxruntime | 64x48 | 2 | 2 | 4.0 | 5.0 | 7.0 | 8.0 | 30.50 |" in text
    assert "| <ours> | 25.00 | 26.00 | 27.00 |  |  |  |" in text


@pytest.mark.parametrize("alone", [True, False])
def test_plots_hold_on_strange_figures(alone: bool) -> None:
    random = np.random.default_rng(0)
    points = [
        svg.Point(
            f"method & <{i}>", float(10 ** random.uniform(-2, 4)), float(random.uniform(18, 42)), i % 2 == 0
        )
        for i in range(25)
    ]
    for some in (points, points[:1]):
        tree = ET.fromstring(svg.tradeoff(some, 20.0, "a & b", alone=alone))
        circles = [node for node in tree.iter() if node.tag.endswith("circle")]
        assert len(circles) == len(some)
        assert all(52 <= float(c.get("cx", 0)) <= 740 and 46 <= float(c.get("cy", 0)) <= 382 for c in circles)
    ET.fromstring(svg.curves([("a", {1: 20.0}, True)], "one frame", alone=alone))
    ET.fromstring(svg.strips([("a", [0.01] * 5000, True)], "many", alone=alone))


def test_the_command_writes_page_and_tables(dae_edge: Callable[..., Any], tmp_path: Path) -> None:
    found, other = evaluation(tmp_path), bench(tmp_path)
    for name in ("report.html", "report.md"):
        ended = dae_edge("report", found, other, "--output", tmp_path / name)
        assert ended.code == 0, ended.err
        assert "lowlight" in (tmp_path / name).read_text()
    ended = dae_edge("report", found, "--output", tmp_path / "report.md")
    assert ended.code == 1
    assert "exists; add --force" in ended.err
    ended = dae_edge("report", found, "--output", tmp_path / "report.pdf")
    assert ended.code == 2
    assert "must end in .html or .md" in ended.err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not a record of"),
        ("[1]", "is not a record of"),
        ('{"kind": "cake", "schema": 1}', "is a record of 'cake'"),
        ('{"kind": "dae-edge evaluate", "schema": 99}', "has schema 99; this package reads 1"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(MediaError, match=sentence):
        Source.read([path])
    with pytest.raises(MediaError, match="cannot be read"):
        Source.read([tmp_path / "nothing.json"])


def test_the_project_s_table_has_a_line_a_method_and_columns_a_size(tmp_path: Path) -> None:
    record = json.loads(evaluation(tmp_path).read_text())
    record["methods"][1] |= {"name": "<ours>", "model": "lowlight", "format": "onnx-int8"}
    larger = json.loads(json.dumps(record))
    larger["settings"]["size"] = [128, 96]
    larger["cells"], larger["means"] = larger["cells"][:2], larger["means"][:2]
    run = json.loads(bench(tmp_path).read_text())
    source = Source([(tmp_path / "a", record), (tmp_path / "b", larger), (tmp_path / "c", run)])
    text = figures.section(source, "dark")
    assert (
        "|  | kB | 64x48: ms | p99 | first | later | SSIM | 128x96: ms | p99 | first | later | SSIM |" in text
    )
    ours = next(line for line in text.splitlines() if line.startswith("| lowlight onnx-int8 "))
    # By the bench run where there is one for the size, by the evaluation otherwise.
    assert ours == (
        "| lowlight onnx-int8 | 12 | 4.0 | 7.0 | 26.00 | 30.00 | 0.900 | 6.0 |  | 26.00 | 30.00 | 0.900 |"
    )
    assert "| slow |  | 500.0 |  | 27.00 | 27.00 | 0.900 |  |  |  |  |  |" in text
    assert "absent: not measured: the program is not installed." in text
    assert "noisy:" not in text
    run["rows"][0] |= {"status": "noisy", "times": run["rows"][0]["times"] | {"spread": 0.31}}
    assert "At 64x48 the machine was noisy: medians of 1 files differ by up to 31%" in figures.section(
        source, "dark"
    )
    tree = ET.fromstring(figures.plot(source, "dark"))
    labels = "".join(tree.itertext())
    assert "onnx-int8" in labels
    assert "lowlight onnx-int8" not in labels


def test_a_readme_keeps_all_but_what_is_between_the_markers() -> None:
    before = f"# A\n\n{figures.BEGIN}\nold\n{figures.END}\n\n## B\n"
    once = figures.replaced(before, "new")
    assert once == f"# A\n\n{figures.BEGIN}\n\nnew\n\n{figures.END}\n\n## B\n"
    assert figures.replaced(once, "new") == once
    with pytest.raises(BadValueError, match="must hold the lines"):
        figures.replaced("# A", "new")
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert "## How it works" in figures.replaced(readme, "new")


def test_what_is_kept_has_no_single_times(tmp_path: Path) -> None:
    for path in (evaluation(tmp_path), bench(tmp_path)):
        record = json.loads(path.read_text())
        record.setdefault("settings", {})["command"] = (
            "dae-edge evaluate /home/me/a/m.onnx --size 64x48 clips/b"
        )
        path.write_text(json.dumps(record))
        kept = json.dumps(figures.slim(record))
        assert '"dae-edge evaluate m.onnx --size 64x48 clips/b"' in kept
        assert not any(word in kept for word in ('"pictures"', '"samples"', '"times": ['))
        assert json.loads(path.read_text()) == record


def test_models_have_short_names_in_plots(tmp_path: Path) -> None:
    record = json.loads(evaluation(tmp_path).read_text())
    assert short_names(record)["<ours>"] == "<ours>"
    record["methods"] = [
        {"name": f"lowlight-{format}-64x48", "kind": "model"}
        for format in ("onnx-int8", "tflite-fp32", "openvino")
    ]
    assert list(short_names(record).values()) == ["onnx-int8", "tflite-fp32", "openvino"]
    record["methods"] = [{"name": name, "kind": "model"} for name in ("lowlight", "lowlight-fp32")]
    assert list(short_names(record).values()) == ["lowlight", "lowlight-fp32"]


def test_a_busy_machine_is_not_hidden(tmp_path: Path) -> None:
    path = evaluation(tmp_path)
    record = json.loads(path.read_text())
    record["settings"]["load"] = 3.2
    source = Source([(path, record)])
    for text in (page.page(source), markdown.markdown(source), figures.section(source, "dark")):
        assert "The machine was busy when the run began (load 3.2)" in text
