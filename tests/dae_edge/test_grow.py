"""A larger network begins where the smaller one ended."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from dae_edge.models.grow import grow
from dae_edge.models.lowlight import lowlight


@pytest.fixture(scope="module")
def small() -> keras.Model:
    keras.utils.set_random_seed(0)
    return lowlight()


def denoised(model: keras.Model, frame: np.ndarray) -> np.ndarray:
    _, height, width, _ = frame.shape
    states = {
        "state_average": np.zeros((1, height // 2, width // 2, 12), np.float32),
        "state_count": np.zeros((1, height // 2, width // 2, 1), np.float32),
    }
    return keras.ops.convert_to_numpy(model({"frame": frame, **states})["denoised"])


def test_grown_is_nearly_the_same(small: keras.Model) -> None:
    frame = np.random.default_rng(0).random((1, 32, 32, 3), dtype=np.float32)
    keras.utils.set_random_seed(1)
    large = lowlight(32, 1)
    fresh = np.abs(denoised(large, frame) - denoised(small, frame)).mean()
    grow(large, small)
    assert np.abs(denoised(large, frame) - denoised(small, frame)).mean() < 0.1 * fresh


def test_the_same_size_is_a_copy(small: keras.Model) -> None:
    other = lowlight()
    assert grow(other, small) == []
    assert all((a == b).all() for a, b in zip(other.get_weights(), small.get_weights(), strict=True))


def test_a_smaller_one_takes_what_fits_and_leaves_the_rest(small: keras.Model) -> None:
    thin = lowlight(8)
    before = {name: thin.get_layer(name).get_weights()[0] for name in ("half_in", "quarter_in")}
    left = grow(thin, small)
    assert {*before} <= {*left}
    assert "analysis" not in left
    assert all((thin.get_layer(name).get_weights()[0] == kernel).all() for name, kernel in before.items())
    assert (thin.get_layer("analysis").get_weights()[0] == small.get_layer("analysis").get_weights()[0]).all()


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_memory_and_head_are_float32_always(precision: str) -> None:
    model = lowlight(precision=precision)
    assert {value.dtype for value in model.output.values()} == {"float32"}
    assert model.get_layer("head").compute_dtype == "float32"
    assert model.get_layer("half_in").compute_dtype == precision.removeprefix("mixed_")
