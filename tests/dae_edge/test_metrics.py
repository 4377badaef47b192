"""PSNR and SSIM against scikit-image, and what they refuse."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from dae_edge.errors import BadValueError
from dae_edge.metrics import MeanError, psnr, ssim

skimage = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed")


def random_pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A random picture, from smooth to rough, and the same with noise; some grey, sides of any length."""
    random = np.random.default_rng(seed)
    height, width = random.integers(11, 120, size=2)
    shape = (height, width, 3) if seed % 3 else (height, width)
    clean = random.integers(0, 256, shape, dtype=np.uint8)
    clean = cv2.GaussianBlur(clean, (0, 0), 0.1 + 4 * random.random())
    clean = cv2.normalize(clean, None, *sorted(random.integers(0, 256, 2).tolist()), cv2.NORM_MINMAX)
    noise = random.normal(0, 40 * random.random(), shape)
    return np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8), clean


@pytest.mark.parametrize("seed", range(50))
def test_both_agree_with_scikit_image(seed: int) -> None:
    frame, clean = random_pair(seed)
    assert psnr([frame], [clean]) == pytest.approx(
        skimage.peak_signal_noise_ratio(clean, frame, data_range=255), abs=1e-3
    )
    theirs = skimage.structural_similarity(
        clean, frame, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        channel_axis=2 if clean.ndim == 3 else None,
    )  # fmt: skip
    assert ssim(frame, clean) == pytest.approx(theirs, abs=1e-3)


def test_equal_frames() -> None:
    frame, _ = random_pair(1)
    assert ssim(frame, frame) == pytest.approx(1, abs=1e-6)
    assert psnr([frame], [frame]) == math.inf


@pytest.mark.parametrize("metric", [ssim, lambda a, b: psnr([a], [b]), lambda a, b: MeanError().add(a, b)])
@pytest.mark.parametrize(
    ("frame", "clean", "sentence"),
    [
        (np.zeros((20, 20, 3), np.uint8), np.zeros((20, 22, 3), np.uint8), "must have one shape"),
        (np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20), np.uint8), "must have one shape"),
        (np.zeros((20, 20), np.float32), np.zeros((20, 20), np.float32), "`frame` must be uint8"),
        (np.zeros((20, 20), np.uint8), np.zeros((20, 20), np.uint16), "`clean` must be uint8"),
    ],
)
def test_pictures_that_differ_are_refused(
    metric: object, frame: np.ndarray, clean: np.ndarray, sentence: str
) -> None:
    with pytest.raises(BadValueError, match=sentence):
        metric(frame, clean)  # type: ignore[operator]


def test_too_little_to_measure_is_refused() -> None:
    with pytest.raises(BadValueError, match="a frame at least"):
        psnr([], [])
    with pytest.raises(BadValueError, match="11 pixels a side"):
        ssim(np.zeros((10, 30), np.uint8), np.zeros((10, 30), np.uint8))
