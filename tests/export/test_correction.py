"""The masked difference in bytes, and what makes it fine: equal ranges, exact weights, steps of its own."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import onnxruntime
import pytest

from dae_edge.export.calibrated import Calibrated
from dae_edge.export.clips import CALIBRATION_SEED, drawn_pairs, with_states
from dae_edge.export.correction import Head, masked_difference, steps
from dae_edge.export.moments import Moments
from dae_edge.export.onnx_graph import UINT8, Bytes, Graph
from dae_edge.export.picture_model import PictureModel
from dae_edge.models.lowlight_s import lowlight_s

SIDE, FEATURES, SEEN, BANDS = 12, 16, 16, 4


@pytest.fixture(scope="module")
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def head(random: np.random.Generator) -> Head:
    to_bands = np.zeros((SEEN, BANDS), np.float32)
    to_bands[:BANDS] = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 4 / 255
    return Head(
        picture=(random.normal(0, 0.05, (3, 3, FEATURES, BANDS)), random.normal(0, 0.1, BANDS)),
        mask=(random.normal(0, 0.1, (3, 3, FEATURES, BANDS)), random.normal(0, 1, BANDS)),
        features=Moments(np.full(9 * FEATURES, 0.5), np.eye(9 * FEATURES) / 12),
        to_bands=to_bands,
        steps=np.full(BANDS, 0.02, np.float32),
    )


def run(head: Head, features: np.ndarray, seen: np.ndarray, zero: int) -> np.ndarray:
    graph = Graph()
    names = [graph.input(n, UINT8, (1, SIDE, SIDE, c)) for n, c in (("f", FEATURES), ("s", SEEN))]
    result = masked_difference(graph, Bytes(names[0], 1 / 255), Bytes(names[1], 1, zero), head, 16)
    graph.output(result.name, "out", UINT8, (1, SIDE, SIDE, 16))
    session = onnxruntime.InferenceSession(graph.model("correction").SerializeToString())
    out = session.run(None, {"f": features[None], "s": seen[None]})[0][0].astype(np.float32)
    assert (out[..., BANDS:] == 128).all()
    return (out[..., :BANDS] - 128) * head.steps


@pytest.mark.parametrize("zero", [0, 128])
def test_it_is_the_mask_times_picture_minus_average(
    head: Head, random: np.random.Generator, zero: int
) -> None:
    features = random.integers(0, 256, (SIDE, SIDE, FEATURES), dtype=np.uint8)
    seen = random.integers(0, 256, (SIDE, SIDE, SEEN), dtype=np.uint8)
    around = np.pad(features / 255, [(1, 1), (1, 1), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(around, (3, 3), axis=(0, 1))  # (h, w, C, 3, 3)
    picture = np.einsum("yxcij,ijcb->yxb", windows, head.picture[0]) + head.picture[1]
    opening = 1 / (1 + np.exp(np.einsum("yxcij,ijcb->yxb", windows, head.mask[0]) + head.mask[1]))
    expected = opening * (picture - (seen - float(zero)) @ head.to_bands)
    error = np.abs(run(head, features, seen, zero) - expected) / head.steps
    assert error.mean() < 1
    assert error.max() < 3


def test_an_average_that_the_picture_agrees_with_is_not_touched(head: Head) -> None:
    """Whatever its brightness: its own weights are not rounded beside much larger ones."""
    features = np.zeros((SIDE, SIDE, FEATURES), np.uint8)
    for level in (0, 100, 255):
        seen = np.zeros((SIDE, SIDE, SEEN), np.uint8)
        seen[..., :BANDS] = level
        bands = seen[0, 0] @ head.to_bands
        agreeing = replace(head, picture=(np.full((3, 3, FEATURES, BANDS), 0.5), bands))
        assert not run(agreeing, features, seen, 0).any()


def test_steps_are_as_fine_as_the_difference_is_small(random: np.random.Generator) -> None:
    picture = random.normal(0, 1, (4, 500, 2)).astype(np.float32) * [1, 0.1]
    average, mask = np.zeros_like(picture), np.full_like(picture, 0.3)
    wide, fine = steps(picture, average, mask)
    assert wide == pytest.approx(10 * fine, rel=0.2)
    assert 1 < 127 * fine / np.abs(picture[..., 1]).max() < 2


def test_equal_ranges_leave_the_network_what_it_was() -> None:
    keras.utils.set_random_seed(3)
    model = PictureModel(lowlight_s())
    clips = [p.noisy for p in drawn_pairs(2, 32, 32, frames=2, seed=CALIBRATION_SEED)]
    network = Calibrated(model, list(with_states(model, clips)))

    def spread() -> float:
        widest = network.samples("eighth_1").max(axis=(0, 1))
        return float(widest.max() / np.median(widest))

    def through() -> np.ndarray:
        kernel, bias = network.weights("eighth_1")
        reader, _ = network.weights("eighth_2")
        return np.concatenate([kernel[1, 1], bias[None]]) @ reader[1, 1]

    before, uneven, given = through(), spread(), network.samples("eighth_2")
    network.equalize("eighth_1", "eighth_2")
    assert np.allclose(through(), before, atol=1e-5)
    assert spread() < 0.8 * uneven
    assert network.samples("eighth_1") == pytest.approx(network.samples("eighth_2 in"))
    assert (network.samples("eighth_2") == given).all()
