"""The small denoiser: what its planes, bands and memory are, and what they promise."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from dae_edge.models.camera import THRESHOLDS
from dae_edge.models.lowlight_s import (
    BLOCK,
    PARTS,
    PLANES,
    band_pixels,
    block_planes,
    lowlight_s,
    plane_bands,
)
from dae_edge.models.unroll import freeze_memory, no_memory


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return lowlight_s()


def test_bands_are_orthogonal_and_their_first_ones_are_means() -> None:
    bands = plane_bands()
    assert np.allclose(bands @ bands.T, np.eye(PLANES) / 4)
    assert np.allclose(bands[0, :16], 1 / 8)
    assert np.allclose(bands[16, 16:20], 1 / 4)
    assert np.allclose(bands[20, 20:], 1 / 4)


def test_a_block_comes_back_with_its_brightness_whole_and_its_colours_by_parts() -> None:
    block = np.random.default_rng(0).random((BLOCK, BLOCK, 3))
    kernel, bias = block_planes()
    planes = np.einsum("rcbp,rcb->p", kernel, block) + bias
    pixels, offsets = band_pixels()
    back = (pixels @ plane_bands() @ planes[:PLANES] + offsets).reshape(block.shape)
    brightness = np.array([1, 2, 1]) / 4
    assert np.allclose(back @ brightness, block @ brightness)
    for row in (0, 2):
        for column in (0, 2):
            part = np.s_[row : row + 2, column : column + 2]
            assert np.allclose(back[part].mean(axis=(0, 1)), block[part].mean(axis=(0, 1)))
    assert np.allclose(planes[PLANES:-1], [back.mean(axis=(0, 1)) @ brightness + bias[0], *planes[25:27]])


def test_the_memory_is_the_average_the_last_means_and_a_zero(model: keras.Model) -> None:
    random = np.random.default_rng(1)
    frames = random.random((2, 1, 16, 24, 3), dtype=np.float32)
    state = no_memory(model, frames[0])
    for frame in frames:
        out = model({"frame": frame, **state})
        state = {name: keras.ops.convert_to_numpy(out[f"{name}_next"]) for name in state}
    planes = [keras.ops.convert_to_numpy(model.get_layer("analysis")(frame)) for frame in frames]
    gain = np.tile(1 / state["state_count"], PLANES // PARTS)
    expected = planes[0] + np.pad(gain, [(0, 0)] * 3 + [(0, 4)]) * (planes[1] - planes[0])
    assert np.allclose(state["state_average"][..., :PLANES], expected[..., :PLANES], atol=1e-5)
    assert np.allclose(state["state_average"][..., PLANES:-1], planes[1][..., PLANES:-1], atol=1e-5)
    assert not state["state_average"][..., -1].any()


def test_gate_and_encoder_decoder_are_told_apart() -> None:
    """So that what gathers memory can stay as it is while the rest learns."""
    model = lowlight_s()
    told = [layer.name for layer in model.layers if layer.name.endswith(THRESHOLDS)]
    assert sorted(told) == [f"{name}{THRESHOLDS}" for name in ("eighth_1", "eighth_2", "gate_2")]
    freeze_memory(model)
    learns = {layer.name for layer in model.layers if layer.trainable_weights}
    assert {"noise", f"eighth_1{THRESHOLDS}", "mask"} <= learns
    assert not {"gate_noise", f"gate_2{THRESHOLDS}", "gate_out"} & learns


def test_memory_and_outputs_are_float32_always() -> None:
    mixed = lowlight_s(precision="mixed_bfloat16")
    assert {value.dtype for value in mixed.output.values()} == {"float32"}
    assert mixed.get_layer("picture").compute_dtype == "float32"
    assert mixed.get_layer("quarter_in").compute_dtype == "bfloat16"
