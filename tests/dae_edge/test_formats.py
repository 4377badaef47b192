from pathlib import Path

import pytest

from dae_edge.errors import BadValueError
from dae_edge.formats import FORMATS, by_name


def test_names_are_unique_and_found() -> None:
    assert [by_name(format.name) for format in FORMATS] == list(FORMATS)
    assert len({format.name for format in FORMATS}) == len(FORMATS)


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(BadValueError, match="Did you mean onnx-int8"):
        by_name("onnx-int-8")


def test_only_calibrated_formats_take_calibration() -> None:
    calibrated = {"onnx-int8", "tflite-int8", "tflite-int16x8"}
    assert {f.name for f in FORMATS if "--calibration" in f.options} == calibrated
    assert {f.name for f in FORMATS if "--max-loss" in f.options} == {*calibrated, "tflite-dynamic"}


def test_the_readme_lists_every_format_in_the_tables_words() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    for format in FORMATS:
        assert f"| `{format.name}` |" in readme
        assert format.summary in readme
