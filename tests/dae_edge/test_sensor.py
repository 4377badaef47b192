"""The simulated sensor obeys the law it claims: variance = electrons + read noise squared."""

import re
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from dae_edge.errors import BadValueError
from dae_edge.sensor import PRESETS, Sensor, SimulatedCamera, draw_sensor, preset
from dae_edge.sensor.demosaic import ORDERS, demosaic, mosaic
from dae_edge.sensor.drawn import draw_colour_matrix
from dae_edge.sensor.photosites import Photosites
from dae_edge.sensor.transport import CHROMAS

RAW = Sensor(electrons=200, read_noise=3, row_noise=0, red_gain=1, blue_gain=1)


def read(sensor: Sensor, electrons: float, shape: tuple[int, int], seed: int = 1) -> np.ndarray:
    """One exposure of a flat field, back in electrons."""
    photosites = Photosites(sensor, np.random.default_rng(seed))
    return photosites.expose(np.full(shape, electrons, np.float32)) * sensor.electrons


@pytest.mark.parametrize("electrons", [0, 2, 20, 200])
@pytest.mark.parametrize("white", [200, 20000])
def test_variance_follows_the_mean(electrons: float, white: float) -> None:
    raw = read(replace(RAW, electrons=white, bit_depth=16), electrons, (1000, 1000))
    assert raw.mean() == pytest.approx(electrons, abs=0.06)
    assert raw.var() == pytest.approx(electrons + 9, rel=0.02)


def test_shot_noise_is_skewed_as_poisson_is() -> None:
    raw = read(replace(RAW, read_noise=0, bit_depth=16), 4, (1000, 1000)).astype(float)
    assert ((raw - raw.mean()) ** 3).mean() == pytest.approx(4, rel=0.05)  # Poisson's third moment


def test_row_noise_is_common_to_a_row() -> None:
    raw = read(replace(RAW, row_noise=2), 0, (2000, 400))
    # The mean of a row keeps the row's noise and 1/400 of the pixels' variance.
    assert raw.mean(axis=1).std() == pytest.approx(np.sqrt(4 + 9 / 400), rel=0.05)
    assert raw.mean(axis=0).std() == pytest.approx(np.sqrt(13 / 2000), rel=0.2)


def test_the_fixed_pattern_stays_and_the_rest_goes() -> None:
    sensor = replace(RAW, column_noise=2, fixed_pattern=1.5)
    photosites = Photosites(sensor, np.random.default_rng(1))
    dark = np.zeros((200, 400), np.float32)
    mean = np.mean([photosites.expose(dark) * 200 for _ in range(100)], axis=0)
    # What 100 frames leave of 9 is 0.09; columns and photosites stay whole.
    assert mean.mean(axis=0).var() == pytest.approx(4, rel=0.2)
    assert (mean - mean.mean(axis=0)).var() == pytest.approx(1.5**2 + 0.09, rel=0.05)


def test_hot_pixels_are_as_many_as_said() -> None:
    raw = read(replace(RAW, read_noise=0, hot_pixels=0.01), 0, (1000, 1000))
    assert (raw > 30).mean() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize("method", ["bilinear", "edge-aware", "malvar"])
def test_a_demosaic_keeps_flat_colour_and_smooth_ramps(method: str) -> None:
    ramp = np.linspace(0.2, 0.8, 64, dtype=np.float32)
    light = np.stack([ramp[None] * k for k in (0.5, 0.8, 1.0)], axis=-1).repeat(64, axis=0)
    found = demosaic(mosaic(light), method)
    assert np.abs(found - light)[4:-4, 4:-4].max() < 0.01


def test_each_photosite_sees_its_own_colour() -> None:
    light = np.zeros((4, 4, 3), np.float32)
    light[..., 0], light[..., 1], light[..., 2] = 1, 2, 3
    assert mosaic(light)[:2, :2].tolist() == [[3, 2], [2, 1]]


def test_a_binned_pixel_has_its_own_noise() -> None:
    camera = SimulatedCamera(replace(RAW, demosaic="binned"), seed=1)
    noise = camera.capture(np.full((400, 400, 3), 128, np.uint8)).astype(float)[..., 0]
    noise -= noise.mean()
    assert abs((noise[:, 1:] * noise[:, :-1]).mean() / noise.var()) < 0.02


def test_a_colour_matrix_leaves_the_mean_and_adds_noise() -> None:
    matrix = ((1.6, -0.5, -0.1), (-0.3, 1.5, -0.2), (0.0, -0.6, 1.6))
    plain = replace(RAW, electrons=900, demosaic="binned")
    scene = np.full((300, 300, 3), 130, np.uint8)
    bare, mixed = (
        SimulatedCamera(s, seed=1).capture(scene).astype(float)
        for s in (plain, replace(plain, colour_matrix=matrix))
    )
    assert np.abs(bare.mean(axis=(0, 1)) - mixed.mean(axis=(0, 1))).max() < 1
    gain = [np.sqrt(sum(v * v for v in row)) for row in matrix[::-1]]  # BGR
    assert mixed.std(axis=(0, 1)) / bare.std(axis=(0, 1)) == pytest.approx(gain, rel=0.1)


def test_random_colour_matrices_keep_white_white() -> None:
    for seed in range(20):
        matrix = draw_colour_matrix(np.random.default_rng(seed))
        assert np.allclose(np.array(matrix).sum(axis=1), 1)


def test_colour_at_lower_resolution_has_less_noise_and_brightness_keeps_its() -> None:
    scene = np.full((200, 200, 3), 128, np.uint8)
    noisy = {
        chroma: cv2.cvtColor(
            SimulatedCamera(replace(RAW, chroma=chroma), seed=1).capture(scene), cv2.COLOR_BGR2YCrCb
        )
        for chroma in CHROMAS
    }
    red = [noisy[c][..., 1].std() for c in CHROMAS]
    assert red[0] > red[1] > red[2]
    assert noisy["4:2:0"][..., 0].std() == pytest.approx(noisy["4:4:4"][..., 0].std(), rel=0.03)


def test_the_cameras_own_touch_up() -> None:
    scene = np.full((200, 200, 3), 128, np.uint8)
    bare, blurred, sharp = (
        SimulatedCamera(replace(RAW, **touch), seed=1).capture(scene).astype(float)[..., 1].std()
        for touch in ({}, {"luma_blur": 0.7, "chroma_blur": 1.0}, {"sharpening": 0.5})
    )
    assert blurred < 0.8 * bare < bare < 0.9 * sharp


@pytest.mark.parametrize("code", [40, 128, 220])
def test_a_tone_curve_changes_noise_by_its_slope(code: int) -> None:
    bent = replace(RAW, electrons=1000, demosaic="binned", tone=0.8)
    u = code / 255
    shown = round(255 * (0.2 * u + 0.8 * (3 * u**2 - 2 * u**3)))  # the same light
    plain, toned = (
        SimulatedCamera(sensor, seed=1).capture(np.full((300, 300, 3), level, np.uint8)).astype(float)
        for sensor, level in ((replace(bent, tone=0), code), (bent, shown))
    )
    assert toned.mean() == pytest.approx(shown, abs=1)
    assert toned.std() / plain.std() == pytest.approx(0.2 + 0.8 * 6 * u * (1 - u), rel=0.08)


@pytest.mark.parametrize("tone", [0.0, 0.5, 0.9, 1.0])
def test_a_scene_keeps_its_contrast_through_any_tone_curve(tone: float) -> None:
    scene = np.arange(256, dtype=np.uint8)[:, None, None].repeat(3, axis=2)
    clean = SimulatedCamera(replace(RAW, tone=tone)).clean(scene)
    assert np.abs(clean.astype(int) - scene).max() <= 1


def test_the_clean_picture_is_what_frames_would_average_to() -> None:
    touched = {"luma_blur": 0.7, "chroma_blur": 2.0, "sharpening": 0.4, "tone": 0.7, "saturation": 0.5}
    bright = replace(RAW, electrons=1e7, bit_depth=16, demosaic="binned", **touched)
    scene = np.random.default_rng(1).integers(30, 220, (24, 24, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    camera = SimulatedCamera(bright)
    frame, clean = camera.capture(scene).astype(int), camera.clean(scene).astype(int)
    assert np.abs(frame - clean).max() <= 2


def test_flicker_and_drift_are_the_same_in_the_clean_picture() -> None:
    sensor = Sensor(exposure=0.5, electrons=20000, flicker=0.1, gain_drift=0.05)
    camera = SimulatedCamera(sensor, seed=3)
    scene = np.full((100, 100, 3), 150, np.uint8)
    pairs = [(camera.capture(scene).mean(), camera.clean(scene).mean()) for _ in range(12)]
    assert max(abs(noisy - clean) for noisy, clean in pairs) < 0.7
    assert np.std([clean for _, clean in pairs]) > 2


def test_demosaic_correlates_neighbours() -> None:
    camera = SimulatedCamera(RAW, seed=1)
    noise = camera.capture(np.full((400, 400, 3), 128, np.uint8)).astype(float)
    blue = noise[..., 0] - noise[..., 0].mean()
    beside = (blue[:, 1:] * blue[:, :-1]).mean() / blue.var()
    far = (blue[:, 8:] * blue[:, :-8]).mean() / blue.var()
    assert beside > 0.3
    assert abs(far) < 0.05


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("sides", [(40, 60), (41, 61)])
def test_each_order_puts_its_colours_where_it_says(order: str, sides: tuple[int, int]) -> None:
    """A photosite's own colour has the noise of one reading, one between photosites less."""
    sensor = replace(RAW, order=order, electrons=200)
    camera = SimulatedCamera(sensor, seed=1)
    scene = np.full((*sides, 3), 128, np.uint8)
    shots = np.stack([camera.capture(scene) for _ in range(120)]).astype(float)
    assert shots.shape[1:3] == sides
    noise = shots.std(axis=0)[4:-4, 4:-4]
    for index, colour in enumerate("BGR"):
        by_site = {(y, x): noise[y::2, x::2, index].mean() for y in (0, 1) for x in (0, 1)}
        own = [site for site in by_site if order[2 * site[0] + site[1]] == colour]
        between = max(by_site[site] for site in by_site if site not in own)
        assert min(by_site[site] for site in own) > 1.2 * between


def test_the_clean_picture_is_as_soft_as_the_camera_shows_brightness() -> None:
    scene = np.random.default_rng(1).integers(60, 200, (80, 80, 1), np.uint8).repeat(3, axis=2)
    sensor = Sensor(electrons=1e6, read_noise=0, row_noise=0, demosaic="binned", luma_blur=0.8)
    camera = SimulatedCamera(sensor, seed=1)
    difference = camera.capture(scene).astype(float) - camera.clean(scene)
    assert np.abs(difference).mean() < 1
    assert camera.clean(scene).std() < 0.7 * scene.std()


@pytest.mark.parametrize("soft", [{"lens_blur": 0.9}, {"zoom": 1.7}, {"lens_blur": 0.6, "zoom": 1.3}])
@pytest.mark.parametrize("sides", [(80, 96), (81, 95)])
def test_lens_and_zoom_make_what_is_shown_softer_in_both(
    soft: dict[str, float], sides: tuple[int, int]
) -> None:
    scene = np.random.default_rng(1).integers(60, 200, (*sides, 1), np.uint8).repeat(3, axis=2)
    quiet = {"electrons": 1e7, "read_noise": 0, "row_noise": 0, "demosaic": "binned", "bit_depth": 16}
    camera = SimulatedCamera(Sensor(**quiet, **soft), seed=1)
    frame, clean = camera.capture(scene).astype(float), camera.clean(scene).astype(float)
    assert frame.shape == scene.shape
    assert np.abs(frame - clean).max() <= 2
    assert clean.std() < 0.7 * scene.std()


def test_a_monochrome_camera_reads_each_pixel_once_for_all_colours() -> None:
    grey = replace(RAW, demosaic="monochrome")
    camera = SimulatedCamera(grey, seed=1)
    scene = np.full((300, 300, 3), (40, 128, 200), np.uint8)
    shot, clean = camera.capture(scene), camera.clean(scene)
    assert np.ptp(shot, axis=2).max() == np.ptp(clean, axis=2).max() == 0
    binned = SimulatedCamera(replace(RAW, demosaic="binned"), seed=1).capture(clean)
    assert shot[..., 0].std() == pytest.approx(binned[..., 1].std(), rel=0.03)


def test_a_camera_that_turns_colour_down_turns_colour_noise_down() -> None:
    scene = np.full((300, 300, 3), (60, 128, 180), np.uint8)

    def seen(saturation: float) -> tuple[float, float, float]:
        """Colour difference, its noise, and noise of brightness, in grey levels."""
        binned = replace(RAW, electrons=2000, demosaic="binned", saturation=saturation)
        camera = SimulatedCamera(binned, seed=1)
        clean, shot = (frame.astype(float) for frame in (camera.clean(scene), camera.capture(scene)))
        red, grey = shot[..., 2] - shot[..., 0], shot @ (0.114, 0.587, 0.299)
        assert shot.mean((0, 1)) == pytest.approx(clean.mean((0, 1)), abs=0.5)
        return red.mean(), red.std(), grey.std()

    (colour, coloured, bright), faded = seen(1), seen(0.4)
    assert faded == pytest.approx((0.4 * colour, 0.4 * coloured, bright), rel=0.05)
    assert np.ptp(SimulatedCamera(replace(RAW, saturation=0)).capture(scene), axis=2).max() == 0


def test_zoom_spreads_noise_over_neighbours_and_the_lens_does_not() -> None:
    binned = replace(RAW, demosaic="binned")

    def beside(sensor: Sensor) -> float:
        shot = SimulatedCamera(sensor, seed=1).capture(np.full((300, 300, 3), 128, np.uint8))
        noise = shot[..., 1] - shot[..., 1].mean()
        return float((noise[:, 1:] * noise[:, :-1]).mean() / noise.var())

    assert abs(beside(binned)) < 0.02
    assert abs(beside(replace(binned, lens_blur=1.5))) < 0.02
    assert beside(replace(binned, zoom=2.0)) > 0.5


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


def test_one_in_four_random_cameras_is_as_bare_and_dark_as_the_presets() -> None:
    random = np.random.default_rng(4)
    bare = [sensor for sensor in (draw_sensor(random) for _ in range(400)) if is_bare(sensor)]
    assert 80 < len(bare) < 160
    darkest, lightest = preset("very-dark").electrons, preset("dim").electrons
    assert sum(sensor.electrons < darkest for sensor in bare) > 5
    assert sum(sensor.electrons > lightest for sensor in bare) > 20


def is_bare(sensor: Sensor) -> bool:
    """It stands in the dark and nothing was done to what it saw but a demosaic."""
    touched = (sensor.lens_blur, sensor.luma_blur, sensor.chroma_blur, sensor.sharpening, sensor.tone)
    return not any(touched) and sensor.zoom == sensor.saturation == 1 and sensor.electrons <= 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"electrons": 0},
        {"exposure": -1},
        {"read_noise": -0.1},
        {"bit_depth": 4},
        {"jpeg_quality": 0},
        {"hot_pixels": 1.5},
        {"demosaic": "'none'"},
        {"chroma": "'4:1:1'"},
        {"sharpening": -1},
        {"tone": 1.5},
        {"saturation": 1.1},
        {"zoom": 0.9},
        {"lens_blur": -1.0},
    ],
)
def test_wrong_parameters_name_value_and_rule(wrong: dict[str, Any]) -> None:
    (name, value) = next(iter(wrong.items()))
    shown = "sums" if name == "colour_matrix" else f"={value!r}"
    with pytest.raises(BadValueError, match=re.escape(shown)) as found:
        Sensor(**wrong)
    assert f"`{name}`" in str(found.value)


def test_an_unknown_preset_names_the_known() -> None:
    with pytest.raises(BadValueError, match="dim, dark, very-dark, webcam, night"):
        preset("dusk")
