"""What is known of a simulated camera comes back from its frames."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from dae_edge.cli.calibrate import _report
from dae_edge.errors import BadValueError, CalibrationError, MediaError
from dae_edge.scenes import Room
from dae_edge.sensor import PRESETS, Sensor, SimulatedCamera, draw_like
from dae_edge.sensor.drawn import behind_tone
from dae_edge.sensor.measure import CameraFile, calibrate, read_camera, strength_for
from dae_edge.sensor.measure.bent import seen, unbend
from dae_edge.sensor.measure.calibrate import _time_correlation
from dae_edge.sensor.measure.readings import read
from dae_edge.sensor.measure.still import check_light, different_frames, moving
from dae_edge.sensor.measure.wire import jpeg_quality

SIZE = (320, 240)
SCENE = Room(*SIZE).frame(0)


def frames(sensor: Sensor, count: int = 40, *, seed: int = 1, scene: np.ndarray = SCENE) -> np.ndarray:
    camera = SimulatedCamera(sensor, seed=seed)
    return np.stack([camera.capture(scene) for _ in range(count)])


def flat(level: float, count: int, sigma: float, shape: tuple[int, int] = (128, 160)) -> np.ndarray:
    noise = np.random.default_rng(0).normal(level, sigma, size=(count, *shape, 3))
    return np.clip(np.rint(noise), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def measured() -> CameraFile:
    return calibrate(frames(PRESETS["dark"]), source="test", rate=30)


def near(found: Sensor, true: Sensor, share: float = 0.15) -> None:
    for name in ("electrons", "read_noise", "row_noise", "red_gain", "blue_gain"):
        assert getattr(found, name) == pytest.approx(getattr(true, name), rel=share), name


def test_the_dark_preset_comes_back(measured: CameraFile) -> None:
    near(measured.sensor, PRESETS["dark"])
    assert measured.sensor.jpeg_quality == 80
    assert measured.trust == "good"
    low, high = measured.interval["electrons"]
    assert 0 < high - low < 0.3 * measured.sensor.electrons


def test_linear_light_follows_from_the_sensor(measured: CameraFile) -> None:
    green, red = measured.linear["green"], measured.linear["red"]
    assert green["shot"] == pytest.approx(1 / 75, rel=0.15)
    assert red["read"] == pytest.approx((2 * 2.5 / 75) ** 2, rel=0.3)  # a variance
    assert green["shot_interval"][0] < green["shot"] < green["shot_interval"][1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"jpeg_quality": None},
        {"jpeg_quality": 60},
        {"demosaic": "malvar", "chroma": "4:2:2", "jpeg_quality": 85},
        {"demosaic": "binned", "jpeg_quality": None},
        {"demosaic": "edge-aware", "jpeg_quality": None},
        {"flicker": 0.05, "gain_drift": 0.01},
    ],
    ids=str,
)
def test_many_cameras_come_back(name: str, change: dict[str, object], seed: int) -> None:
    true = replace(PRESETS[name], **change)  # type: ignore[arg-type]
    scene = Room(640, 480).frame(0)
    near(calibrate(frames(true, 60, seed=seed, scene=scene)).sensor, true)


def test_a_monochrome_camera_comes_back() -> None:
    true = replace(PRESETS["dim"], demosaic="monochrome", jpeg_quality=None)
    found = calibrate(frames(true)).sensor
    assert found.demosaic == "monochrome"
    for name in ("electrons", "read_noise", "row_noise"):
        assert getattr(found, name) == pytest.approx(getattr(true, name), rel=0.15), name


def test_the_report_says_what_the_camera_did_to_its_picture(
    measured: CameraFile, capsys: pytest.CaptureFixture[str]
) -> None:
    _report(replace(measured, sensor=replace(measured.sensor, saturation=0.5)))
    assert "saturation 0.5" in capsys.readouterr().out
    _report(measured)
    assert "no touch-up seen" in capsys.readouterr().out


def test_a_camera_that_turns_colour_down_comes_back() -> None:
    """Noise that colours have in common had been taken for that of another camera altogether."""
    true = replace(PRESETS["dim"], saturation=0.5)
    found = calibrate(frames(true)).sensor
    assert found.saturation == pytest.approx(0.5, abs=0.1)
    near(found, true, 0.25)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_hot_pixels_are_counted(name: str) -> None:
    true = replace(PRESETS[name], hot_pixels=1e-3)
    found = calibrate(frames(true, 40, scene=Room(640, 480).frame(0))).sensor.hot_pixels
    assert found == pytest.approx(1e-3, rel=0.4)  # a third is what a hundred of them in a room allow


def test_white_noise_is_read_as_it_is() -> None:
    found = read(flat(120, 30, 8))
    for side in (1, 2, 4, 8):
        assert found.power[side].mean() == pytest.approx(64 / side**2, rel=0.05)
    assert np.abs(found.neighbours).max() < 0.02
    assert np.abs(found.colours).max() < 0.02
    assert found.edges == pytest.approx(1, abs=0.02)
    assert np.abs(found.rows.mean(axis=0)).max() < 0.1


def test_rows_and_columns_are_told_apart() -> None:
    random = np.random.default_rng(1)
    rows = random.normal(0, 3, size=(40, 128, 1, 1))
    noisy = np.clip(flat(120, 40, 5) + rows, 0, 255).astype(np.uint8)
    found = read(noisy)
    assert found.rows.mean() == pytest.approx(9, rel=0.15)
    assert abs(found.columns.mean()) < 0.3


def test_flicker_is_not_noise() -> None:
    quiet = replace(PRESETS["dim"], row_noise=0.0)
    steady, flickering = (
        read(frames(replace(quiet, **change), 24))  # type: ignore[arg-type]
        for change in ({}, {"flicker": 0.08, "gain_drift": 0.02})
    )
    assert flickering.power[8].mean() == pytest.approx(steady.power[8].mean(), rel=0.06)
    assert not moving(flickering).mean() > 0.01


def test_what_gamma_and_clipping_bend_is_bent_back() -> None:
    light, variance = np.array([0.01, 0.05, 0.3]), np.array([0.002, 0.003, 0.004])
    was_light, was_variance = np.array([0.02, 0.04, 0.25]), np.array([0.003, 0.002, 0.005])
    spread = np.ones(3)
    (mean, gain), (was_mean, was_gain) = seen(light, variance), seen(was_light, was_variance)
    noisier = gain**2 * variance / (was_gain**2 * was_variance)
    found = unbend(was_light, was_variance, spread, mean - was_mean, noisier)
    assert found[0] == pytest.approx(light, rel=0.02)
    assert found[1] == pytest.approx(variance, rel=0.02)


@pytest.mark.parametrize("quality", [40, 75, 92])
@pytest.mark.parametrize("chroma", ["4:2:0", "4:2:2"])
def test_jpeg_is_seen(quality: int, chroma: str) -> None:
    stack = frames(replace(PRESETS["dim"], jpeg_quality=quality, chroma=chroma), 4)
    assert jpeg_quality(stack) == pytest.approx(quality, abs=1)  # neighbours share their low steps


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("demosaic", ["bilinear", "malvar", "binned"])
def test_no_jpeg_is_seen_where_there_is_none(name: str, demosaic: str) -> None:
    assert jpeg_quality(frames(replace(PRESETS[name], demosaic=demosaic, jpeg_quality=None), 4)) is None


def test_a_flat_picture_is_no_jpeg() -> None:
    assert jpeg_quality(np.full((4, 128, 128, 3), 90, np.uint8)) is None


def test_a_camera_that_averages_over_time_is_found_out() -> None:
    raw = flat(120, 60, 12).astype(float)
    for index in range(1, len(raw)):
        raw[index] = 0.5 * raw[index - 1] + 0.5 * raw[index]
    found = read(np.rint(raw).astype(np.uint8))
    usable = np.ones_like(found.level, bool)
    assert _time_correlation(found, usable) == pytest.approx(0.5, abs=0.08)
    assert abs(_time_correlation(read(flat(120, 60, 12)), usable)) < 0.08
    assert moving(found).mean() < 0.01  # and it is not taken for motion


def test_a_moving_scene_is_refused() -> None:
    room, camera = Room(*SIZE), SimulatedCamera(PRESETS["dark"], seed=1)
    stack = np.stack([camera.capture(room.frame(1.5 + index / 30)) for index in range(40)])
    with pytest.raises(CalibrationError, match=r"the scene moves in \d+\.\d% .* put the camera down"):
        calibrate(stack)


def test_something_small_that_moves_is_left_out() -> None:
    stack = flat(120, 30, 6, (256, 320))
    for index in range(30):
        stack[index, 40:56, 5 * index : 5 * index + 8] = 220
    still = ~moving(read(stack))
    assert not still[5:7, :18].any()
    assert still[10:].mean() > 0.995


@pytest.mark.parametrize(
    ("stack", "says"),
    [
        (flat(120, 8, 6), "8 frames are too few, 16 are needed"),
        (flat(120, 1, 6).repeat(30, axis=0), "of 30 frames only 1 differ"),
        (flat(120, 20, 6, (32, 40)), "the frames are 40x32; ask for 64x64"),
        (flat(1, 20, 1), "of the picture is black; give the scene light"),
        (flat(252, 20, 1), "of the picture is white; take light away"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_sentence(stack: np.ndarray, says: str) -> None:
    with pytest.raises(CalibrationError, match=says) as found:
        calibrate(stack)
    assert str(found.value).count("\n") == 0


def test_repeated_frames_are_left_out() -> None:
    stack = flat(120, 20, 6)
    assert (different_frames(stack.repeat(2, axis=0)) == stack).all()


def test_black_parts_are_left_out() -> None:
    stack = flat(120, 20, 6)
    stack[:, :64] = flat(0, 20, 1)[:, :64]
    readings = read(stack)
    usable = check_light(readings, np.ones(readings.level.shape[:2], bool))
    assert not usable[:8].any()
    assert usable[8:].all()


def test_a_camera_file_comes_back_whole(measured: CameraFile, tmp_path: Path) -> None:
    path = tmp_path / "camera.json"
    path.write_text(measured.to_json())
    again = read_camera(path)
    near(again.sensor, measured.sensor, 1e-4)
    assert again.sensor.demosaic == measured.sensor.demosaic
    assert again.to_json() == measured.to_json()
    assert json.loads(path.read_text())["schema"] == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: "text", "is not a camera file"),
        (lambda c: {"a": 1}, "dae-edge calibrate writes one"),
        (lambda c: c | {"schema": 9}, "is not of schema 1"),
        (lambda c: {k: v for k, v in c.items() if k != "noise"}, "'noise' is missing"),
        (lambda c: c | {"noise": -1}, "out of range"),
        (lambda c: c | {"sensor": c["sensor"] | {"electrons": -4}}, "`electrons`"),
        (lambda c: c | {"sensor": [1]}, "is not a whole camera file"),
    ],
)
def test_a_damaged_camera_file_is_one_sentence(
    measured: CameraFile, tmp_path: Path, change: Callable[[dict[str, object]], object], says: str
) -> None:
    path = tmp_path / "camera.json"
    path.write_text(json.dumps(change(json.loads(measured.to_json()))))
    with pytest.raises(MediaError, match=says):
        read_camera(path)


def test_a_missing_camera_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"none.json cannot be read"):
        read_camera(tmp_path / "none.json")


def test_strength_rises_with_the_noise() -> None:
    values = [strength_for(noise) for noise in (0, 0.5, 1, 2, 5, 20, 100)]
    assert values == sorted(values)
    assert values[0] == 0
    assert strength_for(2) == pytest.approx(0.5)
    assert values[-1] > 0.99
    with pytest.raises(BadValueError, match="`noise`"):
        strength_for(-1)


def test_cameras_to_train_on_are_around_the_measured_one() -> None:
    random = np.random.default_rng(0)
    like = replace(PRESETS["dark"], hot_pixels=1e-4)
    drawn = [draw_like(random, like) for _ in range(300)]
    around = [s for s in drawn if not s.tone and 37 <= s.electrons <= 151 and s.demosaic == like.demosaic]
    toned = [s for s in drawn if s.tone and s.demosaic == like.demosaic]
    assert 0.4 < len(around) / len(drawn) < 0.6
    assert 0.25 < len(toned) / len(drawn) < 0.45
    assert np.median([s.electrons for s in around]) == pytest.approx(75, rel=0.15)
    qualities = {s.jpeg_quality for s in around}
    assert min(q for q in qualities if q) < 75


def test_a_tone_curve_that_is_known_stays() -> None:
    random = np.random.default_rng(0)
    like = replace(PRESETS["dark"], tone=0.5)
    tones = [draw_like(random, like).tone for _ in range(100)]
    assert tones.count(0.5) > 70


@pytest.mark.parametrize("tone", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("name", PRESETS)
def test_a_tone_curve_that_was_not_measured_leaves_the_noise_as_it_was_seen(name: str, tone: float) -> None:
    without = replace(PRESETS[name], exposure=1.0, jpeg_quality=None)
    for level in (20, 50, 80, 120, 180, 220):
        grey = np.full((64, 64, 3), level, np.uint8)
        was, is_ = (
            SimulatedCamera(sensor, seed=1).capture(grey).astype(float).std(axis=(0, 1)).mean()
            for sensor in (without, behind_tone(without, tone))
        )
        assert is_ == pytest.approx(was, rel=1 / 3), level


@pytest.mark.slow
def test_a_camera_file_decides_how_training_clips_look(measured: CameraFile) -> None:
    from dae_edge.data.clips import DrawnClips

    settings = {"batch": 2, "frames": 2, "patch": 32, "steps": 1, "seed": 1}
    bright = replace(measured.sensor, electrons=1e5, read_noise=1.0, jpeg_quality=None)
    errors = []
    for sensor in (measured.sensor, bright):
        noisy, clean = DrawnClips(**settings, camera=sensor)[0]  # type: ignore[arg-type]
        errors.append(np.square(noisy - clean).mean())
    assert errors[0] > 3 * errors[1]


def test_training_takes_a_camera_file(
    dae_edge: Callable[..., object], tmp_path: Path, measured: CameraFile
) -> None:
    from dae_edge.training import lowlight

    path = tmp_path / "camera.json"
    path.write_text(measured.to_json())
    recipe = lowlight.LowlightRecipe(frames=2, patch=32, batch=2)
    any_camera, _ = lowlight.validation_clips(recipe)
    this_camera, _ = lowlight.validation_clips(replace(recipe, camera=str(path)))
    assert this_camera.shape == any_camera.shape
    assert (this_camera != any_camera).any()
    ended = dae_edge("train", "lowlight", "--camera", tmp_path / "none.json", "-o", tmp_path / "run")
    assert ended.code == 1  # type: ignore[attr-defined]
    assert "none.json cannot be read" in ended.err  # type: ignore[attr-defined]
    assert not (tmp_path / "run").exists()


def test_the_command_writes_a_file_and_a_plot(
    dae_edge: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: CameraFile
) -> None:
    from dae_edge.sensor import measure

    monkeypatch.setattr(measure, "calibrate", lambda stack, **_: replace(measured, made=measured.made))
    path = tmp_path / "camera.json"
    ended = dae_edge("calibrate", "-s", "demo-still:dim", "--size", "64x64", "--seconds", "0.5", "-o", path)
    assert ended.code == 0, ended.err  # type: ignore[attr-defined]
    assert "the estimate is good" in ended.out  # type: ignore[attr-defined]
    assert read_camera(path).trust == "good"
    assert cv2.imread(str(tmp_path / "camera.png")).shape[1] == 900
    again = dae_edge("calibrate", "-s", "demo-still", "-o", path)
    assert again.code == 1  # type: ignore[attr-defined]
    assert "exists; add --force" in again.err  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--seconds", "0"], "`--seconds` (=0)"),
        (["-o", "camera.txt"], "must end in .json"),
        (["--plot", "plot.jpg"], "must end in .png"),
        (["--size", "big"], "`--size` (=big)"),
        (["-s", "demo-still:noon"], "`preset` (='noon')"),
    ],
)
def test_bad_use_is_one_sentence(
    dae_edge: Callable[..., object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = dae_edge("calibrate", *arguments)
    assert ended.code == 2  # type: ignore[attr-defined]
    assert says in ended.err  # type: ignore[attr-defined]
    assert not list(tmp_path.iterdir())


def test_live_takes_less_strength_where_there_is_less_noise(
    dae_edge: Callable[..., object], tmp_path: Path, measured: CameraFile
) -> None:
    path = tmp_path / "camera.json"
    path.write_text(replace(measured, noise=2.0).to_json())
    ended = dae_edge(
        "live", "-s", "demo:dim", "--size", "64x48", "--seconds", "0.3", "--no-window", "--camera", path
    )
    assert ended.code == 0, ended.err  # type: ignore[attr-defined]
    assert "noise 2.0 grey levels, 0.50 of the strength" in ended.out  # type: ignore[attr-defined]
