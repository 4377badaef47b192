"""The lift of the dark tones: gentle, monotonic, and without flicker."""

from __future__ import annotations

import numpy as np
import pytest

from dae_edge.camera.brighten import Brighten, lift_for

RATE = 30.0


def scene(mean: float, random: np.random.Generator) -> np.ndarray:
    return np.clip(random.normal(mean, 12, (96, 128, 3)), 0, 255).astype(np.uint8)


def test_untouched_where_nothing_is_asked(random: np.random.Generator) -> None:
    frame = scene(40, random)
    assert Brighten()(frame, 0.0, 0.0) is frame


@pytest.mark.parametrize("mean", [10, 30, 60, 200])
def test_dark_scenes_are_lifted_and_bright_ones_left(mean: float, random: np.random.Generator) -> None:
    frame = scene(mean, random)
    half, full = (Brighten()(frame, amount, 0.0).mean() for amount in (0.5, 1.0))
    if mean > 110:
        assert full == pytest.approx(frame.mean(), abs=1)
    else:
        assert frame.mean() < half < full <= 0.45 * 255
        assert full < 5.1 * frame.mean() + 1


def test_black_white_and_order_stay(random: np.random.Generator) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(64, axis=0) // 3
    lifted = Brighten()(ramp, 1.0, 0.0)[0, :, 0].astype(int)
    assert lifted[0] == 0
    assert (np.diff(lifted) >= 0).all()
    brighten = Brighten()
    brighten(scene(30, random), 1.0, 0.0)
    assert brighten._curve[0] == 0
    assert brighten._curve[255] == 255
    assert (np.diff(brighten._curve.astype(int)) >= 0).all()


def test_a_flickering_lamp_does_not_make_it_pump(random: np.random.Generator) -> None:
    """The curve hardly moves though the scene swings by a fifth ten times a second."""
    brighten, lifts = Brighten(), []
    for index in range(120):
        now = index / RATE
        brighten(scene(40 * (1 + 0.2 * np.sin(2 * np.pi * 10 * now)), random), 0.8, now)
        lifts.append(brighten._lift)
    assert np.ptp(lifts[30:]) / np.mean(lifts[30:]) < 0.05


def test_it_follows_a_change_of_light_without_a_jump(random: np.random.Generator) -> None:
    brighten, lifts = Brighten(), []
    for index in range(600):
        now = index / RATE
        brighten(scene(30 if now < 2 else 80, random), 1.0, now)
        lifts.append(brighten._lift)
    steps = np.abs(np.diff(lifts)) / np.array(lifts[1:])
    assert steps.max() < 0.03, "no frame differs visibly from the one before"
    assert lifts[-1] == pytest.approx(lift_for(80 / 255, 1.0), rel=0.1)


def test_a_change_of_the_amount_shows_at_once(random: np.random.Generator) -> None:
    brighten, frame = Brighten(), scene(30, random)
    little = brighten(frame, 0.2, 0.0).mean()
    assert brighten(frame, 1.0, 1 / RATE).mean() > little + 15
