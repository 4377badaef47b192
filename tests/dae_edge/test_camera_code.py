"""What a network is told of the camera shows how a frame was made, not what it shows."""

from __future__ import annotations

from dataclasses import replace

import cv2
import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from dae_edge.models.camera import (
    LIGHTS,
    LOUDEST,
    MOSAICS,
    SCARCE,
    broad_loudness,
    code_of,
    heard,
    loudness,
    mosaic,
    noise_curve,
    novelty,
    texture,
    told,
)
from dae_edge.models.lowlight import lowlight
from dae_edge.models.unroll import freeze_all_but_memory, freeze_memory
from dae_edge.sensor import SimulatedCamera, preset
from dae_edge.sensor.demosaic import ORDERS

PER_PIXEL = 8  # filters; the first compares a blue pixel with those left and right of it, the sixth a red one
BLUE, RED = 0, 5


def strengths(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(2, 2, 8): of each of a block's pixels, how far it is from the mean of its neighbours on average."""
    model = lowlight()
    assert (model.get_layer("texture").get_weights()[0] == texture()).all()
    probe = keras.Model(model.input["frame"], model.get_layer("texture").output)
    found = keras.ops.convert_to_numpy(probe(frame[None] / np.float32(255)))
    return np.minimum(np.abs(found), LOUDEST).mean(axis=(0, 1, 2)).reshape(2, 2, PER_PIXEL)


def test_what_is_smooth_shows_nothing() -> None:
    down, across = np.mgrid[:96, :128]
    ramp = np.stack([down, across, 230 - down - across], axis=-1).astype(np.uint8)
    assert strengths(ramp).max() < 0.5 / 255


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_of_colours_shows_where_they_were_measured(order: str) -> None:
    sensor = replace(preset("dim"), order=order)
    scene = np.full((192, 256, 3), 128, np.uint8)
    found = strengths(SimulatedCamera(sensor, seed=1).capture(scene))
    rows, columns = ORDERS[order]
    measured = {RED: ((rows) % 2, columns % 2), BLUE: ((1 + rows) % 2, (1 + columns) % 2)}
    for colour, (row, column) in measured.items():
        assert found[row, column, colour] > 2 * found[row, 1 - column, colour]  # the mean of two neighbours
        assert found[row, column, colour] > 2 * found[1 - row, 1 - column, colour]


def test_where_every_pixel_has_all_colours_all_are_alike() -> None:
    scene = np.full((576, 256, 3), 128, np.uint8)
    found = strengths(SimulatedCamera(replace(preset("dim"), demosaic="binned"), seed=1).capture(scene))
    assert (found.max(axis=(0, 1)) < 1.2 * found.min(axis=(0, 1))).all()


def seen(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(9,): 1 for the mosaic that is seen."""
    model = lowlight()
    bands = model.get_layer("analysis").output
    probe = keras.Model(model.input["frame"], mosaic(heard(bands)))
    probe.get_layer("texture").set_weights([texture()])
    return keras.ops.convert_to_numpy(probe(frame[None] / np.float32(255))).ravel()


@pytest.fixture(scope="module")
def textured() -> NDArray[np.uint8]:
    random = np.random.default_rng(5)
    coarse = random.integers(20, 200, (12, 16, 3)).astype(np.uint8)
    return cv2.resize(coarse, (512, 384), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize(
    ("demosaic", "quality"),
    [("bilinear", None), ("edge-aware", None), ("malvar", None), ("bilinear", 90), ("edge-aware", 90)],
)
@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_a_mosaic_is_seen_whatever_filled_it_in(
    order: str, demosaic: str, quality: int | None, textured: NDArray[np.uint8]
) -> None:
    sensor = replace(preset("dim"), order=order, demosaic=demosaic, jpeg_quality=quality)
    none, *found = seen(SimulatedCamera(sensor, seed=1).capture(textured))
    clouded, whole = np.reshape(found, (2, -1))
    assert none == 0
    assert (clouded + whole).tolist() == [float(order == other) for other in ORDERS]
    if demosaic != "malvar":
        assert whole.any() == (quality is None)


@pytest.mark.parametrize("demosaic", ["binned", "monochrome"])
def test_without_a_mosaic_none_is_seen(demosaic: str, textured: NDArray[np.uint8]) -> None:
    frame = SimulatedCamera(replace(preset("dim"), demosaic=demosaic), seed=1).capture(textured)
    assert seen(frame).tolist() == [1] + [0] * (MOSAICS - 1)


def test_nothing_but_black_has_no_mosaic() -> None:
    assert seen(np.zeros((96, 128, 3), np.uint8)).tolist() == [1] + [0] * (MOSAICS - 1)


def test_a_layer_is_told_nothing_at_first_and_then_the_same_everywhere() -> None:
    keras.utils.set_random_seed(0)
    bands, x = keras.Input((None, None, 12)), keras.Input((None, None, 6))
    model = keras.Model([bands, x], told(x, code_of(heard(bands), 32, "code"), "some"))
    random = np.random.default_rng(0)
    given = random.random((2, 16, 24, 12), np.float32), random.random((2, 5, 7, 6), np.float32)
    np.testing.assert_array_equal(model(given), given[1])
    thresholds = model.get_layer("some_camera")
    thresholds.set_weights([random.normal(size=thresholds.kernel.shape)])
    taken = given[1] - keras.ops.convert_to_numpy(model(given))
    assert np.abs(taken).max() > 0.1
    np.testing.assert_allclose(taken, np.broadcast_to(taken[:, :1, :1], taken.shape), atol=1e-5)


@pytest.mark.parametrize(("bands", "ages"), [(12, 1), (24, 4)], ids=["lowlight", "lowlight-s"])
def test_how_loud_noise_is_hardly_depends_on_what_moves_and_how_uneven_does(bands: int, ages: int) -> None:
    changes, age = keras.Input((None, None, bands)), keras.Input((None, None, ages))
    hear = keras.Model([changes, age], loudness(changes, age, 4))

    def heard(noise: np.ndarray) -> np.ndarray:
        stood = np.full((*noise.shape[:3], ages), 0.25, np.float32)
        return hear.predict_on_batch([noise, stood]).ravel()

    noise = np.random.default_rng(2).normal(0, 0.1, (1, 160, 160, bands)).astype(np.float32)
    moving = noise.copy()
    moving[:, 40:72, 40:72] *= 30  # a twenty-fifth of the picture, by which a mean would double
    assert heard(2 * noise)[:bands] == pytest.approx(heard(noise)[:bands] + np.log(2), abs=0.05)
    assert heard(moving)[:bands] == pytest.approx(heard(noise)[:bands], abs=0.2)
    assert heard(noise)[bands : bands + ages] == pytest.approx(0.5)
    for times in (1, 2):
        assert heard(times * noise)[bands + ages :] == pytest.approx(0.41, abs=0.1)
    assert heard(moving)[bands + ages :].min() > 0.8


def test_broad_noise_is_loud_in_means_and_white_noise_is_not() -> None:
    changes = keras.Input((None, None, 3))
    hear = keras.Model(changes, broad_loudness(changes, 2))
    white = np.random.default_rng(2).normal(0, 0.1, (1, 640, 640, 3)).astype(np.float32)
    wide = cv2.GaussianBlur(white[0], (0, 0), 2)
    wide *= white.std() / wide.std()
    loud = {name: hear.predict_on_batch(x[None]).ravel() for name, x in (("white", white[0]), ("wide", wide))}
    assert loud["white"][:3] == pytest.approx(np.log(0.1 / 4) - 0.635 + 4, abs=0.25)  # E log |x|; 16 blocks
    assert (loud["wide"][:3] - loud["white"][:3]).min() > 1
    assert loud["wide"][3:] == pytest.approx(0.41, abs=0.2)


def test_noise_is_told_by_light_where_a_frame_shows_such_and_by_no_less_than_it_is() -> None:
    changes, shown = keras.Input((None, None, 3)), keras.Input((None, None, 1))
    hear = keras.Model([changes, shown], noise_curve(changes, shown, 2))

    def curve(light: np.ndarray, loud: np.ndarray) -> np.ndarray:
        noise = np.random.default_rng(2).normal(0, 0.1, (1, *light.shape, 3)) * loud[..., None]
        return hear.predict_on_batch([noise, light[None, ..., None]]).reshape(len(LIGHTS), 3)

    light = np.full((640, 640), LIGHTS[2])
    assert np.abs(curve(light, np.ones_like(light))).max() < 0.1  # as loud as everywhere, or not to be seen
    light[:, :64] = 0  # a tenth of the frame is black, and three times as loud
    found = curve(light, np.where(light, 1, 3))
    known = 0.1 / (0.1 + SCARCE)
    assert found[0] == pytest.approx(known * 0.9 * np.log(3), abs=0.1)
    assert found[2] == pytest.approx(-0.1 * np.log(3), abs=0.1)
    assert (found[[1, 3]] == 0).all()


def novel(bands: np.ndarray, changes: np.ndarray) -> np.ndarray:
    shown, changed = keras.Input((None, None, bands.shape[-1])), keras.Input((None, None, bands.shape[-1]))
    return (
        keras.Model([shown, changed], novelty(shown, changed, 2)).predict_on_batch([bands, changes]).ravel()
    )


@pytest.mark.parametrize("wide", [0.0, 1.5])
def test_what_moves_is_new_by_its_texture_and_noise_of_any_kind_is_not(wide: float) -> None:
    random = np.random.default_rng(4)

    def noise(scale: float) -> np.ndarray:
        plane = random.normal(0, 1, (256, 256, 3)).astype(np.float32)
        plane = cv2.GaussianBlur(plane, (0, 0), wide) if wide else plane
        return (scale * plane / plane.std())[None]

    texture, before = noise(0.05), noise(0.05)
    frame, memory = noise(0.1), noise(0.03)
    still = novel(texture + frame, frame - memory)
    moved = novel(texture + frame, texture - before + frame - memory)
    assert still == pytest.approx(np.log(1.09 / 1.25), abs=0.2)
    assert (moved - still).min() > 0.2


def test_a_gate_is_not_told_what_camera_it_is() -> None:
    """A gate that was told took the noise of every camera that it did not know for motion."""
    model = lowlight()
    for name, is_told in (("gate_code", False), ("code", True)):
        behind = keras.Model(model.input, model.get_layer(name).output)
        assert ("texture" in {layer.name for layer in behind.layers}) == is_told


def test_what_gathers_memory_is_told_apart_from_what_restores() -> None:
    """So that the one can stay as it is while the other learns."""
    model = lowlight()
    freeze_memory(model)
    learns = {layer.name for layer in model.layers if layer.trainable_weights}
    assert {"code", "eighth_2_camera", "mask_camera", "head"} <= learns
    assert not {"gate_code", "gate_2_camera", "gate_1"} & learns
    freeze_all_but_memory(model)
    learns = {layer.name for layer in model.layers if layer.trainable_weights}
    assert learns == {"gate_code", "gate_2_camera", "gate_1", "gate_2", "gate_out"}
