"""Details by least squares: less error on what they were fitted to, and nothing else of the model moved."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import pytest

from dae_edge.models.lowlight import DETAILS, lowlight
from dae_edge.scenes import draw_clip
from dae_edge.sensor import SimulatedCamera, preset
from dae_edge.training.details import clips_to_fit, fit_details

FRAMES, SIDE = 3, 64
RGGB_WHOLE = 5  # none, the four orders, then those that no JPEG went over


@pytest.fixture(scope="module")
def clips() -> list[tuple[np.ndarray, np.ndarray]]:
    scene = draw_clip(np.random.default_rng(1), FRAMES, SIDE, SIDE, bank=1)
    camera = SimulatedCamera(preset("dim"), seed=1)
    return [(np.stack([camera.capture(f) for f in scene]), np.stack([camera.clean(f) for f in scene]))]


@pytest.fixture
def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    model = lowlight(8)
    kernel, bias = model.get_layer("head").get_weights()  # with a picture that is wrong, though not by much
    model.get_layer("head").set_weights([0.02 * kernel, bias])
    return model


def error(model: keras.Model, clips: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Of first frames, away from the edges."""
    noisy, clean = clips[0]
    states = {"state_average": (32, 32, 12), "state_count": (32, 32, 1)}
    empty = {name: np.zeros((1, *shape), np.float32) for name, shape in states.items()}
    out = model.predict_on_batch({"frame": noisy[:1] / np.float32(255), **empty})["denoised"]
    return float(np.square(out - clean[:1] / 255)[:, 4:-4, 4:-4].mean())


def test_fitted_details_are_closer_and_all_else_is_as_it_was(
    model: keras.Model, clips: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    before, was = error(model, clips), {layer.name: layer.get_weights() for layer in model.layers}
    counts = fit_details(model, clips)
    assert counts[RGGB_WHOLE] == sum(counts) == 1
    assert error(model, clips) < 0.9 * before
    for layer in model.layers:
        for now, then in zip(layer.get_weights(), was[layer.name], strict=True):
            moved = now != then
            if layer.name == "detail":
                fitted = slice(RGGB_WHOLE * DETAILS, (RGGB_WHOLE + 1) * DETAILS)
                assert moved[..., fitted].any()
                moved[..., fitted] = False
            assert not moved.any()


def test_clips_to_fit_follow_from_their_seed() -> None:
    def first(seed: int) -> np.ndarray:
        clips: Iterator[tuple[np.ndarray, np.ndarray]] = clips_to_fit(1, seed)
        return next(clips)[0]

    assert (first(3) == first(3)).all()
    assert (first(3) != first(4)).any()
