"""`dae-edge bench` as a person meets it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dae_edge.bench import record
from dae_edge.bench.limit import CHAINS
from dae_edge.bench.record import Operator, Sustained
from dae_edge.cli.bench_tables import show
from tests.bench.support import some_record, some_row

Run = Callable[..., Any]


def test_figures_are_shown_and_written(dae_edge: Run, tiny_tflite: Path, tmp_path: Path) -> None:
    figures = tmp_path / "bench.json"
    ended = dae_edge(
        "bench", "lowlight", tiny_tflite, "--size", "80x60", "--seconds", "0.2", "--warm-up", "0",
        "--threads", "1", "--threads", "2", "--no-limits", "--json", figures,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    known = record.read(figures)
    assert [(row.engine, row.threads) for row in known.rows] == [
        ("onnxruntime", 1), ("litert", 1), ("onnxruntime", 2), ("litert", 2),
    ]  # fmt: skip
    assert "80x60, 1 thread, milliseconds a frame" in ended.out
    assert "tflite-fp32" in ended.out
    assert "next: dae-edge bench --compare" in ended.out


def test_the_same_file_twice_is_measured_once(dae_edge: Run, tmp_path: Path) -> None:
    figures = tmp_path / "bench.json"
    ended = dae_edge(
        "bench", "lowlight", "lowlight", "--size", "80x60", "--seconds", "0.1", "--warm-up", "0", "--no-limits",
        "--json", figures,
    )  # fmt: skip
    assert "lowlight is given twice; it is measured once." in ended.out
    assert len(record.read(figures).rows) == 1


def test_a_run_without_any_figure_fails(dae_edge: Run) -> None:
    ended = dae_edge("bench", CHAINS / "chain-fp32.onnx", "--no-limits")
    assert ended.code == 1
    assert "failed chain-fp32: " in ended.out


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Two records; in the second the model takes twice as long."""
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(some_record(some_row((10.0, 10.1, 10.2))).to_json())
    new.write_text(some_record(some_row((20.0, 20.1, 20.2))).to_json())
    return old, new


def test_compare_fails_when_something_got_slower(
    dae_edge: Run, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    figures = tmp_path / "changes.json"
    ended = dae_edge("bench", "--compare", *pair, "--json", figures)
    assert ended.code == 1
    assert "slower" in ended.out
    assert "1 of 1 got slower or worse" in ended.out
    (change,) = json.loads(figures.read_text())["changes"]
    assert change["change"] == pytest.approx(0.99, abs=0.01)
    assert change["bad"] is True


def test_compare_passes_what_is_allowed(dae_edge: Run, pair: tuple[Path, Path]) -> None:
    assert dae_edge("bench", "--compare", *pair, "--max-slowdown", "150").code == 0
    assert dae_edge("bench", "--compare", pair[0], pair[0]).code == 0
    assert dae_edge("bench", "--compare", *reversed(pair)).code == 0


def test_a_device_s_figures_are_read(dae_edge: Run, pair: tuple[Path, Path]) -> None:
    ended = dae_edge("bench", "--import", pair[0], "--import", pair[1])
    assert ended.code == 0
    assert ended.out.count("640x480, 2 threads") == 2


def test_a_pack_is_written(dae_edge: Run, tmp_path: Path) -> None:
    ended = dae_edge("bench", "lowlight", "--size", "80x60", "--pack", tmp_path / "pi")
    assert ended.code == 0, ended.err
    assert (tmp_path / "pi" / "run.py").is_file()
    assert "python3 run.py" in ended.out


BAD = {
    "no seconds": (["lowlight", "--seconds", "0"], "`--seconds` (=0) must be greater than 0"),
    "no rate": (["lowlight", "--fps", "0"], "`--fps` (=0) must be greater than 0"),
    "warm-up before it began": (["lowlight", "--warm-up", "-1"], "`--warm-up` (=-1) must be 0 or greater"),
    "unknown engine": (["--engine", "tensorrt"], "`--engine` (=tensorrt) must be one of onnxruntime, litert"),
    "engine of others": (["lowlight", "--engine", "litert"], "does not run lowlight; onnxruntime does"),
    "two modes": (["--compare", "a", "b", "--pack", "c"], "`--compare` and `--pack` do not go together"),
    "models to compare": (["lowlight", "--compare", "a", "b"], "`--compare` reads figures; give it without models"),
    "json of an import": (["--import", "a", "--json", "b"], "`--json` is for figures measured here"),
    "negative slowdown": (["--compare", "old.json", "old.json", "--max-slowdown", "-5"], "`--max-slowdown` (=-5) must be 0 or greater"),
    "no such record": (["--import", "none.json"], "none.json cannot be read: No such file"),
    "no record": (["--import", "text.json"], "text.json cannot be read as a bench record"),
    "no record to compare": (["--compare", "old.json", "text.json"], "text.json cannot be read as a bench record"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_use_is_one_sentence(
    dae_edge: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.json").write_text(some_record().to_json())
    Path("text.json").write_text("just text")
    before = sorted(tmp_path.iterdir())
    arguments, says = BAD[case]
    ended = dae_edge("bench", *arguments)
    assert ended.code in (1, 2)
    assert says in ended.err
    assert ended.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("width", [80, 100])
def test_tables_fit_the_terminal(width: int) -> None:
    row = some_row((1010.0, 1111.0, 1212.0), format="tflite-dynamic")
    other = some_row((10.0, 11.0, 12.0), format="onnx-int8")
    row.status, row.noisy = "noisy", ["its turns differ by 18%"]
    row.sustained = Sustained(300, 30, 30.0, 20.0, 2 / 3, [])
    row.operators = [Operator("Conv", 1.0, 1.0, 16.0)]
    row.load_ms = row.first_ms = row.cpu_ms = 1234.5
    shown = io.StringIO()
    show(some_record(row, other), Console(width=width, file=shown, highlight=False, soft_wrap=True))
    lines = shown.getvalue().splitlines()
    assert max(map(len, (line for line in lines if "1111" in line or "onnx-int8" in line))) <= width
    assert any("tflite-dynamic" in line and "18%~" in line for line in lines)


@pytest.mark.parametrize("width", [80, 100])
def test_names_are_not_torn(width: int) -> None:
    rows = [some_row((1010.0, 1111.0, 1212.0), format="tflite-dynamic") for _ in range(2)]
    rows[0].model, rows[1].model = "lowlight", "lowlight-l"
    for row in rows:
        row.load_ms = row.first_ms = row.cpu_ms = 1234.5
    shown = io.StringIO()
    show(some_record(*rows), Console(width=width, file=shown, highlight=False))
    words = shown.getvalue().split()
    assert words.count("lowlight-l") == words.count("lowlight") == 2  # times and costs
    assert max(map(len, shown.getvalue().splitlines())) <= width
