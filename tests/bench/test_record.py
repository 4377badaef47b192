"""The schema that reports read: nothing is lost on the way to JSON and back, and what is no record is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from dae_edge.bench import record
from dae_edge.bench.record import Record
from dae_edge.errors import MediaError
from tests.bench.support import some_record


def test_json_and_back_is_the_same(tmp_path: Path) -> None:
    known = some_record()
    path = tmp_path / "bench.json"
    path.write_text(known.to_json())
    assert record.read(path) == known


def test_numbers_of_a_list_share_a_line() -> None:
    lines = some_record().to_json().splitlines()
    assert any(line.strip().endswith("[10.0, 11.0, 12.0],") for line in lines)


def test_a_field_of_tomorrow_is_passed_over() -> None:
    raw = json.loads(some_record().to_json())
    raw["rows"][0]["colour"] = "blue"
    assert Record.from_json(json.dumps(raw)) == some_record()


def test_rows_have_a_key() -> None:
    assert some_record().rows[0].key == ("lowlight", "onnx-int8", "onnxruntime", 640, 480, 2)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": 1}, "its schema is 1; this package reads 2"),
        ({"kind": "photo"}, "no record of `dae-edge bench`"),
        ({"rows": 5}, "5 must be a list"),
        ({"version": 5}, "5 must be of type str"),
        ({"machine": []}, "Machine must be an object"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, change: dict[str, object], says: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(dataclasses.asdict(some_record()) | change))
    with pytest.raises(MediaError, match=says):
        record.read(path)


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_other_files_are_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(text)
    with pytest.raises(MediaError, match=r"bench\.json cannot be read as a bench record"):
        record.read(path)


def test_a_missing_field_is_refused(tmp_path: Path) -> None:
    raw = json.loads(some_record().to_json())
    del raw["machine"]
    with pytest.raises(TypeError, match="machine"):
        Record.from_json(json.dumps(raw))
