"""What the shipped denoisers promise on scenes they never saw."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

import dae_edge
from dae_edge.metrics import psnr
from dae_edge.runtime import Denoiser
from dae_edge.runtime.load import FAMILY, REFERENCE
from dae_edge.scenes import Room, draw_clip
from dae_edge.sensor import PRESETS, Sensor, SimulatedCamera
from dae_edge.sensor.presets import CAMERAS

Clip = list[np.ndarray]
SIZE = (320, 240)
# dB: what the first frame gains at least, and how good a clean picture stays.
FIRST = {"lowlight-s": 3.5, "lowlight": 4.0, "lowlight-l": 4.0}
REMEMBERED = {"lowlight-s": 14.7, "lowlight": 16.4, "lowlight-l": 16.3}
CLEAN = {"lowlight-s": 34.0, "lowlight": 38.0, "lowlight-l": 38.0}
# Of surfaces that are vivid: dB that the first frame gains at least, and later ones; levels of tint that may stay.
VIVID = {
    ("lowlight-s", "dark"): (6.5, 9.0, 14.7),
    ("lowlight", "dark"): (7.7, 10.2, 13.6),
    ("lowlight-l", "dark"): (9.0, 11.7, 12.0),
    ("lowlight-s", "webcam"): (7.0, 10.0, 9.9),
    ("lowlight", "webcam"): (7.7, 11.1, 9.5),
    ("lowlight-l", "webcam"): (9.6, 12.4, 7.6),
}
# Of cameras without colours, that enlarge their frames, or that turn their colour down: dB gained by what stands
# still, and by what moves.
OTHERS = {
    "night": (
        CAMERAS["night"],
        {"lowlight-s": (19.3, 11.3), "lowlight": (19.5, 11.9), "lowlight-l": (19.8, 12.6)},
    ),
    "enlarged": (
        Sensor(exposure=0.6, electrons=150, zoom=1.6, jpeg_quality=85),
        {"lowlight-s": (12.7, 6.4), "lowlight": (13.1, 7.0), "lowlight-l": (14.6, 7.3)},
    ),
    "turned down": (
        Sensor(exposure=0.6, electrons=155, read_noise=2.5, saturation=0.4),
        {"lowlight-s": (10.6, 4.6), "lowlight": (11.4, 5.8), "lowlight-l": (11.9, 6.3)},
    ),
}
COLOURS = ((20, 120, 5), (110, 20, 3), (20, 15, 130), (10, 160, 170), (10, 90, 200), (140, 10, 150))  # BGR

family = pytest.mark.parametrize("name", FAMILY)


@pytest.fixture(scope="module")
def loaded() -> Callable[[str], Denoiser]:
    models = {name: dae_edge.load(name) for file in FAMILY for name in (file, REFERENCE[file])}

    def fresh(name: str) -> Denoiser:
        models[name].reset()
        return models[name]

    return fresh


def room(frames: int = 24) -> Clip:
    scene = Room(*SIZE)
    return [scene.frame(index / 30) for index in range(frames)]


def seen(scenes: Clip, camera: str | Sensor, seed: int = 5) -> tuple[Clip, Clip]:
    sensor = camera if isinstance(camera, Sensor) else CAMERAS[camera]
    eye = SimulatedCamera(sensor, seed=seed)
    return [eye.capture(s) for s in scenes], [eye.clean(s) for s in scenes]


@family
@pytest.mark.parametrize("preset", PRESETS)
def test_it_denoises_from_the_first_frame_and_better_later(
    loaded: Callable[[str], Denoiser], name: str, preset: str
) -> None:
    noisy, clean = seen(room(), preset)
    denoise = loaded(name)
    ours = [denoise(frame) for frame in noisy]
    assert psnr(ours[:1], clean[:1]) > psnr(noisy[:1], clean[:1]) + FIRST[name]
    assert psnr(ours[8:], clean[8:]) > psnr(ours[:1], clean[:1]) + 1


@family
@pytest.mark.parametrize("preset", ["dim", "dark"])
def test_8_bits_cost_next_to_nothing(loaded: Callable[[str], Denoiser], name: str, preset: str) -> None:
    noisy, clean = seen(room(), preset)
    bytes_, floats = (loaded(n) for n in (name, REFERENCE[name]))
    ours, reference = [bytes_(f) for f in noisy], [floats(f) for f in noisy]
    assert psnr(ours, clean) > psnr(reference, clean) - 0.1


@family
def test_a_good_picture_is_left_alone(loaded: Callable[[str], Denoiser], name: str) -> None:
    scenes = room(12)
    denoise = loaded(name)
    assert psnr([denoise(frame) for frame in scenes], scenes) > CLEAN[name]


@pytest.mark.parametrize(("name", "camera"), VIVID)
def test_vivid_surfaces_are_cleaned_and_keep_their_colour(
    loaded: Callable[[str], Denoiser], name: str, camera: str
) -> None:
    """Trained on duller scenes than photographs are, or on cameras without tone curves, every size missed limits."""
    first, later, tint = VIVID[name, camera]
    height, width = SIZE[1] // 2, SIZE[0] // 3
    card = np.array(COLOURS, np.uint8).reshape(2, 3, 3).repeat(height, 0).repeat(width, 1)
    noisy, clean = seen([card] * 12, camera)
    denoise = loaded(name)
    ours = [denoise(frame) for frame in noisy]
    assert psnr(ours[:1], clean[:1]) > psnr(noisy[:1], clean[:1]) + first
    assert psnr(ours[8:], clean[8:]) > psnr(noisy[8:], clean[8:]) + later
    error = cv2.resize(ours[-1] - clean[-1].astype(float), (3, 2), interpolation=cv2.INTER_AREA)
    assert np.abs(error).max() < tint


@family
def test_black_beside_white_fits_in_8_bits(loaded: Callable[[str], Denoiser], name: str) -> None:
    """Calibrated on dull scenes alone, lowlight made 47 dB of this and lowlight-l 40, in floats far above 50."""
    random = np.random.default_rng(0)
    picture = np.zeros((*SIZE[::-1], 3), np.uint8)
    for _ in range(300):
        colour = [int(level) for level in random.choice([0, 20, 128, 235, 255], 3)]
        corner = random.integers(0, SIZE[0], 2)
        cv2.rectangle(picture, corner, corner + random.integers(3, 60, 2), colour, -1)
    ours, reference = (psnr([loaded(n)(picture)], [picture]) for n in (name, REFERENCE[name]))
    assert ours > min(reference - 0.1, 50)


@family
def test_a_webcam_that_stands_still_is_remembered(loaded: Callable[[str], Denoiser], name: str) -> None:
    """`lowlight-s` had let go of most of it at each frame, before its gate was told how loud noise is."""
    still = draw_clip(np.random.default_rng(11), 1, SIZE[1], SIZE[0])[0]
    noisy, clean = seen([still] * 16, "webcam")
    denoise = loaded(name)
    ours = [denoise(frame) for frame in noisy]
    assert psnr(ours[8:], clean[8:]) > psnr(noisy[8:], clean[8:]) + REMEMBERED[name]


@family
@pytest.mark.parametrize("kind", OTHERS)
def test_noise_of_cameras_unlike_most_is_noise(
    loaded: Callable[[str], Denoiser], name: str, kind: str
) -> None:
    """Grey noise, noise as wide as pixels, and noise that colours share had been taken for motion."""
    camera, gains = OTHERS[kind]
    random = np.random.default_rng(11)
    still, moving = draw_clip(random, 1, SIZE[1], SIZE[0])[0], room(16)
    for scenes, gain in zip(([still] * 16, moving), gains[name], strict=True):
        noisy, clean = seen(scenes, camera)
        denoise = loaded(name)
        ours = [denoise(frame) for frame in noisy]
        assert psnr(ours[8:], clean[8:]) > psnr(noisy[8:], clean[8:]) + gain


@family
def test_a_cut_is_over_in_three_frames(loaded: Callable[[str], Denoiser], name: str) -> None:
    other = list(draw_clip(np.random.default_rng(3), 8, SIZE[1], SIZE[0]))
    before, _ = seen(room(16), "dark")
    noisy, clean = seen(other, "dark", seed=6)
    denoise = loaded(name)
    for frame in before:
        denoise(frame)
    after = [denoise(frame) for frame in noisy]
    denoise.reset()
    fresh = [denoise(frame) for frame in noisy]
    for index in range(2, 8):
        assert psnr([after[index]], [clean[index]]) > psnr([fresh[index]], [clean[index]]) - 0.3


@family
def test_nothing_trails_behind_what_moves(loaded: Callable[[str], Denoiser], name: str) -> None:
    """Where something was a moment ago, memory must not make it worse than no memory."""
    scenes = room(40)
    noisy, clean = seen(scenes, "dark")
    denoise = loaded(name)
    streamed = [denoise(frame) for frame in noisy]
    single = []
    for frame in noisy:
        denoise.reset()
        single.append(denoise(frame))
    with_memory, without = [], []
    for t in range(8, 40):
        moved = np.abs(clean[t].astype(int) - clean[t - 3]).max(axis=2) > 10
        moved = cv2.dilate(moved.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        with_memory.append(np.square(streamed[t].astype(float) - clean[t])[moved].mean())
        without.append(np.square(single[t].astype(float) - clean[t])[moved].mean())
    assert np.mean(with_memory) < 1.02 * np.mean(without)
