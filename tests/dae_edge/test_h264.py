"""H.264 behind the simulated camera: an encoder and a decoder that hold no frame back."""

import re
import sys
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from dae_edge.data.clips import DrawnClips
from dae_edge.errors import BadValueError, MissingExtraError
from dae_edge.sensor import Sensor, SimulatedCamera, preset
from dae_edge.sensor.h264 import H264


def noise(height: int, width: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def luma_psnr(one: np.ndarray, other: np.ndarray) -> float:
    planes = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(float) for frame in (one, other)]
    return float(10 * np.log10(255**2 / np.mean((planes[0] - planes[1]) ** 2)))


def through_h264(crf: float, frames: list[np.ndarray]) -> list[np.ndarray]:
    pytest.importorskip("av", reason="PyAV is not installed")
    encoder = H264(crf)
    return [encoder(frame) for frame in frames]


def test_h264_keeps_less_the_higher_its_rate_factor() -> None:
    frames = [cv2.GaussianBlur(noise(97, 131, seed), (0, 0), 2) for seed in range(4)]
    kept = [
        np.mean([luma_psnr(*pair) for pair in zip(frames, through_h264(crf, frames), strict=True)])
        for crf in (1, 23, 40)
    ]
    assert kept[0] > 42  # a byte's rounding, twice
    assert kept[0] > kept[1] + 1 > kept[2] + 3


def test_h264_loses_noise_first_and_what_it_kept_stays() -> None:
    """Its own trade: with time, what stands still gets no worse, for a frame builds on those before."""
    scene = np.full((96, 96, 3), 90, np.uint8)
    scene[:, 48:] = 160
    noisy = [cv2.add(scene, noise(96, 96, seed) // 8) for seed in range(10)]
    seen = through_h264(34, noisy)
    assert all(frame.shape == scene.shape and frame.dtype == np.uint8 for frame in seen)
    flicker = [np.std(np.stack(frames[2:]).astype(float), axis=0).mean() for frames in (noisy, seen)]
    assert flicker[1] < 0.7 * flicker[0]


def test_a_camera_may_send_h264() -> None:
    pytest.importorskip("av", reason="PyAV is not installed")
    sensor = replace(preset("dim"), h264_crf=30.0)
    scene = cv2.GaussianBlur(noise(64, 80), (0, 0), 3)
    bare, sent = SimulatedCamera(preset("dim"), seed=4), SimulatedCamera(sensor, seed=4)
    assert not (bare.capture(scene) == sent.capture(scene)).all()
    assert (bare.clean(scene) == sent.clean(scene)).all()


def test_frames_of_another_size_begin_anew() -> None:
    frames = [noise(64, 80), noise(48, 33), noise(48, 33, 2)]
    again = through_h264(30, frames[1:])
    seen = through_h264(30, frames)
    assert [frame.shape for frame in seen] == [frame.shape for frame in frames]
    assert all((one == other).all() for one, other in zip(seen[1:], again, strict=True))


def test_h264_without_pyav_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"\[h264\]"):
        SimulatedCamera(replace(preset("dim"), h264_crf=30.0))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"h264_crf": 52.0}, "`h264_crf` (=52.0) must be from 0 to 51"),
        ({"h264_crf": 20.0, "jpeg_quality": 80}, "`h264_crf` (=20.0) does not go with `jpeg_quality` (=80)"),
    ],
)
def test_h264_has_rules(values: dict[str, Any], says: str) -> None:
    with pytest.raises(BadValueError, match=re.escape(says)):
        Sensor(**values)


def test_training_clips_may_come_over_h264() -> None:
    pytest.importorskip("av", reason="PyAV is not installed")
    sizes = {"batch": 2, "frames": 3, "patch": 32, "steps": 2, "seed": 7}
    bare, sent = DrawnClips(**sizes)[0], DrawnClips(**sizes, h264=1.0)[0]
    assert sent[0].shape == bare[0].shape
    assert not (sent[0] == bare[0]).all()
