"""The simulated sensor obeys the law it claims: variance = electrons + read noise squared."""

from dataclasses import replace

import numpy as np
import pytest

from dae_edge.errors import BadValueError
from dae_edge.sensor import PRESETS, Sensor, SimulatedCamera, draw_sensor, preset

RAW = Sensor(electrons=200, read_noise=3, row_noise=0, red_gain=1, blue_gain=1)


@pytest.mark.parametrize("level", [0.0, 0.1, 0.5, 1.0])
def test_variance_follows_the_mean(level: float) -> None:
    camera = SimulatedCamera(RAW, seed=1)
    raw = camera._expose(np.full((1000, 1000, 3), level, np.float32)) * RAW.electrons
    assert raw.mean() == pytest.approx(level * 200, abs=0.06)
    assert raw.var() == pytest.approx(level * 200 + 9, rel=0.02)


def test_row_noise_is_common_to_a_row() -> None:
    camera = SimulatedCamera(replace(RAW, row_noise=2), seed=1)
    raw = camera._expose(np.zeros((2000, 400, 3), np.float32)) * RAW.electrons
    # The mean of a row keeps the row's noise and 1/400 of the pixels' variance.
    assert raw.mean(axis=1).std() == pytest.approx(np.sqrt(4 + 9 / 400), rel=0.05)


def test_demosaic_correlates_neighbours() -> None:
    camera = SimulatedCamera(RAW, seed=1)
    noise = camera.capture(np.full((400, 400, 3), 128, np.uint8)).astype(float)
    blue = noise[..., 0] - noise[..., 0].mean()
    beside = (blue[:, 1:] * blue[:, :-1]).mean() / blue.var()
    far = (blue[:, 8:] * blue[:, :-8]).mean() / blue.var()
    assert beside > 0.3
    assert abs(far) < 0.05


def test_the_mean_picture_is_the_clean_one() -> None:
    camera = SimulatedCamera(replace(RAW, electrons=20000), seed=1)
    scene = np.full((200, 200, 3), (60, 120, 180), np.uint8)
    difference = camera.capture(scene).astype(float).mean(axis=(0, 1)) - camera.clean(scene)[0, 0]
    assert np.abs(difference).max() < 0.5


def test_presets_get_darker() -> None:
    scene = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    scene = np.repeat(np.repeat(scene[::8, ::8], 8, 0), 8, 1)
    errors = []
    for name in PRESETS:
        camera = SimulatedCamera(preset(name), seed=1)
        errors.append(np.square(camera.capture(scene).astype(float) - camera.clean(scene)).mean())
    assert errors == sorted(errors)


def test_a_seed_gives_the_same_frames(frame: np.ndarray) -> None:
    first, again, other = (SimulatedCamera(PRESETS["dark"], seed=s).capture(frame) for s in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_odd_sizes_are_taken() -> None:
    assert SimulatedCamera(PRESETS["dark"]).capture(np.zeros((31, 45, 3), np.uint8)).shape == (31, 45, 3)


def test_random_sensors_are_valid() -> None:
    random = np.random.default_rng(0)
    sensors = [draw_sensor(random) for _ in range(200)]
    assert min(s.electrons for s in sensors) < 40
    assert max(s.electrons for s in sensors) > 2500


@pytest.mark.parametrize(
    "wrong",
    [{"electrons": 0}, {"exposure": -1}, {"read_noise": -0.1}, {"bit_depth": 4}, {"jpeg_quality": 0}],
)
def test_wrong_parameters_name_value_and_rule(wrong: dict[str, float]) -> None:
    (name, value) = next(iter(wrong.items()))
    with pytest.raises(BadValueError, match=rf"`{name}` \(={value}"):
        Sensor(**wrong)


def test_an_unknown_preset_names_the_known() -> None:
    with pytest.raises(BadValueError, match="dim, dark, very-dark"):
        preset("night")
