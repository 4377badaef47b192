"""The masked difference in bytes, and what makes it fine: equal ranges, exact weights, steps of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import ModuleType

import keras
import numpy as np
import onnxruntime
import pytest

from dae_edge.export import lowlight_int8, lowlight_s_int8
from dae_edge.export.calibrated import Calibrated
from dae_edge.export.clips import CALIBRATION_SEED, drawn_pairs, with_states
from dae_edge.export.correction import Head, held_against, mask_shares, masked_difference, steps
from dae_edge.export.moments import Moments
from dae_edge.export.onnx_graph import UINT8, Bytes, Graph
from dae_edge.export.picture_model import PictureModel
from dae_edge.export.ranges import SEARCHED
from dae_edge.models.camera import THRESHOLDS
from dae_edge.models.lowlight import lowlight
from dae_edge.models.lowlight_s import FAR, LAST, lowlight_s
from dae_edge.models.parts import mask_of

SIDE, FEATURES, SEEN, BANDS, GIVEN = 12, 16, 16, 4, 6


@pytest.fixture(scope="module")
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def head_of(random: np.random.Generator, size: int) -> Head:
    """Convolutions of `size` x `size`, four bands and two details."""
    to_bands = np.zeros((SEEN, BANDS), np.float32)
    to_bands[:BANDS] = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 4 / 255
    weights, planes = (size, size, FEATURES, GIVEN), size**2 * SEEN
    return Head(
        picture=(random.normal(0, 0.05, weights), random.normal(0, 0.1, GIVEN)),
        mask=(random.normal(0, 0.1, weights), random.normal(0, 1, GIVEN)),
        features=Moments(np.full(size**2 * FEATURES, 0.5), np.eye(size**2 * FEATURES) / 12),
        held=(held_against(to_bands, random.normal(0, 0.1, (size, size, BANDS, GIVEN - BANDS))),),
        planes=Moments(np.full(planes, 128.0), np.eye(planes) * 255**2 / 12),
        bands=BANDS,
        steps=np.full(GIVEN, 0.02, np.float32),
    )


@pytest.fixture(scope="module")
def head(random: np.random.Generator) -> Head:
    return head_of(random, 3)


def run(head: Head, features: np.ndarray, seen: np.ndarray, zero: int, mosaic: int = 0) -> np.ndarray:
    graph = Graph()
    names = [graph.input(n, UINT8, (1, SIDE, SIDE, c)) for n, c in (("f", FEATURES), ("s", SEEN))]
    result = masked_difference(
        graph, Bytes(names[0], 1 / 255), Bytes(names[1], 1, zero), head, 16, mosaic=graph.integers(mosaic)
    )
    graph.output(result.name, "out", UINT8, (1, SIDE, SIDE, 16))
    session = onnxruntime.InferenceSession(graph.model("correction").SerializeToString())
    out = session.run(None, {"f": features[None], "s": seen[None]})[0][0].astype(np.float32)
    assert (out[..., GIVEN:] == 128).all()
    return (out[..., :GIVEN] - 128) * head.steps


def convolved(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE, F) of (SIDE, SIDE, C), zeros around it."""
    size = len(kernel)
    around = np.pad(values, [(size // 2, size // 2)] * 2 + [(0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(around, (size, size), axis=(0, 1))  # (h, w, C, i, j)
    return np.einsum("yxcij,ijcb->yxb", windows, kernel)


@pytest.mark.parametrize(("size", "zero"), [(3, 0), (1, 0), (1, 128)])
def test_it_is_the_mask_times_picture_minus_what_is_held(
    random: np.random.Generator, size: int, zero: int
) -> None:
    head = head_of(random, size)
    features = random.integers(0, 256, (SIDE, SIDE, FEATURES), dtype=np.uint8)
    seen = random.integers(64, 192, (SIDE, SIDE, SEEN), dtype=np.uint8)
    picture = convolved(features / 255, head.picture[0]) + head.picture[1]
    opening = 1 - mask_shares(convolved(features / 255, head.mask[0]) + head.mask[1])
    expected = opening * (picture - convolved(seen - float(zero), head.held[0]))
    error = np.abs(run(head, features, seen, zero) - expected) / head.steps
    assert error.mean() < 1
    assert error.max() < 3


def test_masks_are_the_models() -> None:
    logits = np.linspace(-5, 5, 41, dtype=np.float32)
    assert mask_shares(logits) == pytest.approx(
        keras.ops.convert_to_numpy(mask_of(logits, learning=False)), abs=1e-6
    )


def test_a_mask_that_is_shut_lets_nothing_through(random: np.random.Generator, head: Head) -> None:
    features = random.integers(0, 256, (SIDE, SIDE, FEATURES), dtype=np.uint8)
    seen = random.integers(64, 192, (SIDE, SIDE, SEEN), dtype=np.uint8)
    shut = replace(head, mask=(head.mask[0] / 100, np.full(GIVEN, 3.2)))
    assert run(head, features, seen, 0).any()
    assert not run(shut, features, seen, 0).any()


def test_what_is_held_is_that_of_the_mosaic(random: np.random.Generator, head: Head) -> None:
    kinds = [head_of(random, 3).held[0] for _ in range(3)]
    several = replace(head, held=tuple(kinds))
    features = random.integers(0, 256, (SIDE, SIDE, FEATURES), dtype=np.uint8)
    seen = random.integers(64, 192, (SIDE, SIDE, SEEN), dtype=np.uint8)
    for mosaic, held in enumerate(kinds):
        alone = run(replace(head, held=(held,)), features, seen, 0)
        np.testing.assert_array_equal(run(several, features, seen, 0, mosaic), alone)


def test_an_average_that_the_picture_agrees_with_is_not_touched(head: Head) -> None:
    """Whatever its brightness: its own weights are not rounded beside much larger ones."""
    features = np.zeros((SIDE, SIDE, FEATURES), np.uint8)
    for level in (0, 100, 255):
        seen = np.zeros((SIDE, SIDE, SEEN), np.uint8)
        seen[..., :BANDS] = level
        bands = seen[0, 0] @ head.held[0][1, 1]
        agreeing = replace(head, picture=(np.full((3, 3, FEATURES, GIVEN), 0.5), bands))
        assert not run(agreeing, features, seen, 0)[..., :BANDS].any()


def test_steps_are_as_fine_as_the_difference_is_small(random: np.random.Generator) -> None:
    picture = random.normal(0, 1, (4, 500, 2)).astype(np.float32) * [1, 0.1]
    average, mask = np.zeros_like(picture), np.full_like(picture, 0.3)
    wide, fine = steps(picture, average, mask)
    assert wide == pytest.approx(10 * fine, rel=0.2)
    assert 1 < 127 * fine / np.abs(picture[..., 1]).max() < 2


def test_no_more_than_half_of_the_largest_difference_is_cut_off(random: np.random.Generator) -> None:
    """A dark, vivid surface is all off one way: cut at a third, `lowlight-s` lost 4 % more there than in floats."""
    picture = random.normal(0, 1, (4, SEARCHED + 1, 1)).astype(np.float32)
    picture[0, -1] = 40  # not among those that decide
    average, mask = np.zeros_like(picture), np.full_like(picture, 0.3)
    assert 127 * steps(picture, average, mask) == pytest.approx(20)
    assert 127 * steps(picture, average, mask, whole=True) == pytest.approx(40)


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
    network.equalize(["eighth_1"], ["eighth_2"])
    assert np.allclose(through(), before, atol=1e-5)
    assert spread() < 0.8 * uneven
    assert network.samples("eighth_1") == pytest.approx(network.samples("eighth_2 in"))
    assert (network.samples("eighth_2") == given).all()


@pytest.mark.parametrize(
    ("hand", "build"),
    [
        (lowlight_s_int8, lowlight_s),
        (lowlight_int8, lowlight),
        (lowlight_int8, partial(lowlight, blocks=1)),
    ],
    ids=["quarter", "half", "half with blocks"],
)
def test_a_network_with_all_its_ranges_equalized_is_what_it_was(
    hand: ModuleType, build: Callable[[], keras.Model]
) -> None:
    """Through sums, depth to space, and what layers are told of the camera."""
    keras.utils.set_random_seed(4)
    model = build()
    for layer in model.layers:
        if layer.name.endswith(THRESHOLDS):
            layer.set_weights([np.random.default_rng(5).normal(0, 0.1, layer.kernel.shape)])
        if layer.name in (FAR, LAST):  # silent at first
            layer.set_weights([np.random.default_rng(6).normal(0, 0.1, w.shape) for w in layer.get_weights()])
    clips = [p.noisy for p in drawn_pairs(2, 32, 32, frames=2, seed=CALIBRATION_SEED)]
    examples = list(with_states(PictureModel(model), clips))
    frame, states = examples[-1]
    given = {"frame": frame.astype(np.float32) / 255, **states}
    before = model.predict_on_batch(given)["denoised"]
    network = hand.Network(PictureModel(model), examples)
    changed = 0
    for layer in model.layers:
        if layer.name.endswith(THRESHOLDS):
            layer.set_weights([network.thresholds(layer.name.removesuffix(THRESHOLDS))[0]])
        elif isinstance(layer, keras.layers.Conv2D) and layer.use_bias:
            changed += not np.array_equal(network.kernel(layer.name), layer.get_weights()[0])
            layer.set_weights(network.weights(layer.name))
    assert changed >= 10
    assert model.predict_on_batch(given)["denoised"] == pytest.approx(before, abs=1e-4)
