"""Weights in 8 bits: off least on what they see, and exact where they must be."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from dae_edge.export.moments import Gather, Moments
from dae_edge.export.rounding import dividing, finest, round_each, round_together


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def picture(random: np.random.Generator) -> np.ndarray:
    """Smooth, as pictures are: neighbours and channels are alike."""
    noise = random.normal(size=(40, 60, 4))
    smooth = np.cumsum(np.cumsum(noise, axis=0), axis=1) / 50
    return (smooth + smooth.mean(axis=2, keepdims=True)).astype(np.float32)


def off(kernel: np.ndarray, whole: np.ndarray, seen: Moments) -> float:
    """Mean square of what the filters are off by, but for their mean."""
    left = (whole - kernel).reshape(-1, kernel.shape[3])
    return float(np.einsum("kf,kl,lf->f", left, seen.spread, left).mean())


@pytest.mark.parametrize(("size", "strides", "dilation"), [(3, 1, 1), (3, 2, 1), (1, 1, 1), (3, 1, 2)])
def test_moments_are_of_what_keras_sees(picture: np.ndarray, size: int, strides: int, dilation: int) -> None:
    """A layer's output has the mean and variance that its weights and the moments say."""
    keras.utils.set_random_seed(1)
    layer = keras.layers.Conv2D(5, size, strides, padding="same", dilation_rate=dilation)
    output = keras.ops.convert_to_numpy(layer(picture[None])).reshape(-1, 5)
    gather = Gather((size, size), (strides, strides), dilation)
    for _ in range(20):
        gather.add(picture)
    seen = gather.moments()
    weights = layer.get_weights()[0].reshape(-1, 5)
    assert seen.mean @ weights == pytest.approx(output.mean(axis=0), abs=0.1 * float(output.std()))
    variance = np.einsum("kf,kl,lf->f", weights, seen.spread, weights)
    assert variance == pytest.approx(output.var(axis=0), rel=0.1)


def test_moments_go_through_a_matrix_at_every_place(picture: np.ndarray, random: np.random.Generator) -> None:
    matrix = random.normal(size=(3, 4))
    one, other = Gather((3, 3), (1, 1)), Gather((3, 3), (1, 1))
    one.add(picture)
    other.add((picture @ matrix.T).astype(np.float32))
    expected, given = other.moments(), one.moments().through(matrix)
    assert np.allclose(given.mean, expected.mean, atol=1e-4)
    assert np.allclose(given.spread, expected.spread, rtol=1e-3, atol=1e-3)


def test_weights_together_are_off_by_far_less_than_each_alone(
    picture: np.ndarray, random: np.random.Generator
) -> None:
    gather = Gather((3, 3), (1, 1))
    gather.add(picture)
    seen, kernel = gather.moments(), random.normal(0, 30, (3, 3, 4, 8)).astype(np.float32)
    whole = round_together(kernel, seen)
    assert (whole == np.rint(whole)).all()
    assert np.abs(whole).max() <= 127
    assert off(kernel, whole, seen) < 0.3 * off(kernel, np.rint(kernel), seen)
    assert off(kernel, round_each(kernel), seen) < off(kernel, np.rint(kernel), seen)


def test_whole_weights_stay(picture: np.ndarray, random: np.random.Generator) -> None:
    """Also beside others."""
    gather, beside = Gather((3, 3), (1, 1)), Gather((3, 3), (1, 1))
    gather.add(picture)
    beside.add(picture[..., :2])
    seen = gather.moments().joined(beside.moments(), 4, 2)
    kernel = random.normal(0, 30, (3, 3, 6, 8)).astype(np.float32)
    kernel[:, :, 4:] = np.rint(kernel[:, :, 4:])
    assert (round_together(kernel, seen)[:, :, 4:] == kernel[:, :, 4:]).all()


def test_joined_moments_keep_each_to_its_own_places(picture: np.ndarray) -> None:
    gather, other = Gather((3, 3), (1, 1)), Gather((3, 3), (1, 1))
    gather.add(picture)
    other.add(picture[..., 2:])
    one, two = gather.moments(), other.moments()
    both = one.joined(two, 4, 2)
    own = (np.arange(9 * 6).reshape(9, 6) % 6 < 4).ravel()
    assert (both.mean[own] == one.mean).all()
    assert (both.spread[~own][:, ~own] == two.spread).all()
    assert not both.spread[own][:, ~own].any()


def test_each_sum_over_a_channel_stays(random: np.random.Generator) -> None:
    kernel = random.normal(0, 20, (3, 3, 4, 8))
    assert np.abs((round_each(kernel) - kernel).sum(axis=(0, 1))).max() <= 0.5


def test_steps_fill_the_byte_and_divide_what_they_must(random: np.random.Generator) -> None:
    kernel = random.normal(size=(3, 3, 4, 8)).astype(np.float32)
    together = np.abs(two_by_two(kernel)).max(axis=0)
    assert (together / finest(kernel)).min() > 99
    exact = random.uniform(0.1, 0.5, 8).astype(np.float32)
    steps = dividing(kernel, exact)
    assert (together / steps).max() <= 128.01
    assert exact / steps == pytest.approx(np.rint(exact / steps), abs=1e-3)


def two_by_two(kernel: np.ndarray) -> np.ndarray:
    """(pairs, F): the most that two neighbours of a filter can come to, as a share of 255."""
    flat = kernel.reshape(-1, 2, kernel.shape[3])
    above, below = flat.clip(0).sum(axis=1), flat.clip(max=0).sum(axis=1)
    return np.where(above > -below, above, below)


def test_two_neighbours_fit_in_16_bits_with_the_largest_bytes(
    picture: np.ndarray, random: np.random.Generator
) -> None:
    """Or CPUs without 8-bit dot products cut their sum off."""
    gather = Gather((3, 3), (1, 1))
    gather.add(picture)
    kernel = random.normal(0, 30, (3, 3, 4, 8)).astype(np.float32)
    kernel[1, 1] = 4  # a large step more than fits
    kernel /= finest(kernel)
    kernel[0, 0, :2] = 64.4
    kernel[0, 1, 2:] = -64.4
    for whole in (round_each(kernel), round_together(kernel, gather.moments())):
        assert np.abs(whole).max() <= 127
        assert np.abs(255 * two_by_two(whole)).max() < 2**15
        assert np.abs(whole - kernel).max() < 40
