"""The shipped denoiser on real video that never trained, made dark by the simulated sensor."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest

import dae_edge
from dae_edge.camera.sources import VideoFile
from dae_edge.metrics import psnr
from dae_edge.sensor import SimulatedCamera, preset

pytestmark = pytest.mark.slow

Clip = list[np.ndarray]


def seen(scenes: Clip, name: str) -> tuple[Clip, Clip]:
    """(noisy, clean) of a clip through a preset."""
    camera = SimulatedCamera(preset(name), seed=5)
    return [camera.capture(s) for s in scenes], [camera.clean(s) for s in scenes]


def best_nlm(noisy: Clip, clean: Clip) -> float:
    """OpenCV's non-local means at the best of 20 settings for these very frames."""
    settings = product((3, 6, 9, 12, 15), (5, 10, 15, 20))
    return max(
        psnr([cv2.fastNlMeansDenoisingColored(f, None, h, c, 7, 21) for f in noisy], clean)
        for h, c in settings
    )


@pytest.mark.parametrize("name", ["dim", "dark"])
def test_a_static_camera_gains_6_db_and_beats_nlm(data: Path, name: str) -> None:
    video = VideoFile(data / "clips" / "bottle-detection.mp4")
    scenes = [shot.frame for _ in range(40) if (shot := video.read())]
    noisy, clean = seen(scenes, name)
    denoise = dae_edge.load("lowlight")
    ours = [denoise(frame) for frame in noisy]
    assert psnr(ours, clean) > psnr(noisy, clean) + 6
    some = slice(8, None, 16)
    assert psnr(ours[some], clean[some]) > best_nlm(noisy[some], clean[some])


@pytest.mark.parametrize("name", ["dim", "dark"])
def test_a_moving_camera_gains_3_db(data: Path, name: str) -> None:
    scenes = [cv2.imread(str(path)) for path in sorted((data / "clips" / "camel").glob("*.jpg"))]
    noisy, clean = seen(scenes, name)
    denoise = dae_edge.load("lowlight")
    assert psnr([denoise(frame) for frame in noisy], clean) > psnr(noisy, clean) + 3
