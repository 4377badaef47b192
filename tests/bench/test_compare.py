"""What counts as slower or worse, and what is within the noise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dae_edge.bench.compare import compare, warnings
from dae_edge.errors import BadValueError
from tests.bench.support import some_record, some_row

STEADY = (10.0, 10.1, 10.2)


def verdict(new: tuple[float, ...], old: tuple[float, ...] = STEADY, **limits: float) -> tuple[str, ...]:
    asked = {"max_slowdown": 0.1, "max_loss": 0.1} | limits
    (change,) = compare(some_record(some_row(old)), some_record(some_row(new)), **asked)
    return change.verdicts


def test_a_steady_model_that_takes_longer_is_slower() -> None:
    assert verdict((12.0, 12.1, 12.2)) == ("slower",)
    assert verdict((10.9, 11.0, 11.1)) == ()
    assert verdict((10.9, 11.0, 11.1), max_slowdown=0.05) == ("slower",)
    assert verdict((8.0, 8.1, 8.2)) == ("faster",)


def test_a_change_within_the_noise_is_unclear() -> None:
    assert verdict((9.0, 12.1, 15.0)) == ("unclear",)
    assert verdict((12.0, 12.1, 12.2), old=(7.0, 10.1, 13.0)) == ("unclear",)
    assert verdict((18.0, 20.0, 22.0)) == ("slower",)  # twice as slow is clear all the same


def test_lost_quality_is_worse() -> None:
    old, new = some_record(some_row(psnr=30.0)), some_record(some_row(psnr=29.8))
    (change,) = compare(old, new, max_slowdown=0.1, max_loss=0.1)
    assert change.verdicts == ("worse",)
    assert change.loss == pytest.approx(0.2)
    (change,) = compare(new, old, max_slowdown=0.1, max_loss=0.1)
    assert (change.verdicts, change.bad) == (("better",), False)
    (change,) = compare(old, new, max_slowdown=0.1, max_loss=0.3)
    assert change.verdicts == ()


def test_quality_on_another_clip_is_not_compared() -> None:
    old, new = some_record(some_row(psnr=30.0)), some_record(some_row(psnr=20.0))
    new.settings = replace(new.settings, clip="another")
    (change,) = compare(old, new, max_slowdown=0.1, max_loss=0.1)
    assert (change.loss, change.verdicts) == (None, ())
    assert "the clips differ, so quality is not compared" in warnings(old, new)


def test_rows_that_come_and_go_are_named() -> None:
    a, b, c = (some_row(format=format) for format in ("onnx-fp32", "onnx-int8", "tflite-fp32"))
    failed = replace(b, format="", times=None, status="failed", problem="it crashed")
    changes = compare(some_record(a, b), some_record(failed, c), max_slowdown=0.1, max_loss=0.1)
    assert [(one.key[1], one.verdicts, one.bad) for one in changes] == [
        ("tflite-fp32", ("new",), False),
        ("onnx-fp32", ("missing",), True),
        ("onnx-int8", ("fails",), True),
    ]
    assert changes[2].problem == "it crashed"


def test_doubts_are_told() -> None:
    old, new = some_record(), some_record()
    assert warnings(old, new) == []
    new.machine.cpu = "another CPU"
    old.machine.packages = {"onnxruntime": "1.24"}
    new.machine.packages = {"onnxruntime": "1.25"}
    new.conditions.noisy = ["other programs used 30% of the processors"]
    assert warnings(old, new) == [
        "measured on different machines: a CPU; another CPU",
        "onnxruntime went from 1.24 to 1.25",
        "NEW is noisy: other programs used 30% of the processors",
    ]


@pytest.mark.parametrize("name", ["max_slowdown", "max_loss"])
def test_limits_below_nothing_are_refused(name: str) -> None:
    with pytest.raises(BadValueError, match=rf"`{name}` \(=-1\)"):
        compare(some_record(), some_record(), **{"max_slowdown": 0, "max_loss": 0, name: -1})
