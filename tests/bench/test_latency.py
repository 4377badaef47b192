import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dae_edge.bench import latency, machine
from dae_edge.errors import BadValueError
from dae_edge.runtime.load import SHIPPED


def test_both_shipped_formats_are_measured() -> None:
    rows = latency.bench([(n, SHIPPED[n]) for n in SHIPPED], size=(160, 120), threads=1, seconds=0.5)
    assert [row.format for row in rows] == ["onnx-int8", "onnx-fp32"]
    for row in rows:
        assert len(row.times) >= latency.ROUNDS
        assert 0 < row.percentile(50) <= row.percentile(90) <= row.percentile(99) <= row.percentile(100)
        assert row.psnr > row.noisy_psnr + 3
        assert row.size_kb == round(SHIPPED[row.model].stat().st_size / 1024)


def test_a_file_for_another_size_says_so(tiny_tflite: Path) -> None:
    (row,) = latency.bench([("tiny", tiny_tflite)], size=(160, 120), threads=1, seconds=0.1)
    assert row.problem == "made for 80x60: --size 80x60"
    assert "p50_ms" not in row.figures()


def test_no_time_is_refused() -> None:
    with pytest.raises(BadValueError, match=r"`seconds` \(=0\)"):
        latency.bench([], size=(160, 120), threads=1, seconds=0)


def test_the_machine_is_on_record() -> None:
    record = machine.record()
    assert record["cores"]
    assert "onnxruntime" in record["packages"]  # type: ignore[operator]


def test_the_command_writes_its_figures(
    dae_edge: Callable[..., object], tiny_tflite: Path, tmp_path: Path
) -> None:
    figures = tmp_path / "bench.json"
    ended = dae_edge(
        "bench",
        "lowlight",
        tiny_tflite,
        "--size",
        "80x60",
        "--seconds",
        "0.3",
        "--threads",
        "1",
        "--json",
        figures,
    )
    assert ended.code == 0, ended.err  # type: ignore[attr-defined]
    known = json.loads(figures.read_text())
    assert known["schema"] == 1
    assert known["size"] == [80, 60]
    assert [row["engine"] for row in known["rows"]] == ["onnxruntime", "litert"]
    assert all(row["p50_ms"] <= row["p99_ms"] for row in known["rows"])
