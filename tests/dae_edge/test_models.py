import keras
import numpy as np
import pytest

from dae_edge.models.lowlight import BANDS, STRIDE, block_transform, lowlight
from dae_edge.models.mnist import autoencoder
from dae_edge.models.unroll import unroll


def test_the_textbook_autoencoder_is_the_textbooks() -> None:
    model = autoencoder()
    assert model.count_params() == 178_001
    assert [layer.name for layer in model.layers if isinstance(layer, keras.Model)] == [
        "encoder",
        "decoder",
    ]
    assert model.name == "autoencoder"
    encoder = model.get_layer("encoder")
    assert encoder.get_layer("latent_vector").output.shape == (None, 16)
    assert model.get_layer("decoder").get_layer("decoder_output").output.shape == (None, 28, 28, 1)


def test_the_block_transform_is_orthogonal_and_separates_grey() -> None:
    transform = block_transform()
    assert np.allclose(transform.T @ transform, np.eye(BANDS) / 4, atol=1e-6)
    grey = np.ones(BANDS) @ transform
    assert grey[0] == pytest.approx(np.sqrt(3))
    assert np.allclose(grey[1:], 0, atol=1e-6)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return lowlight()


def step(model: keras.Model, frame: np.ndarray, state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    out = model({"frame": frame, **state})
    return {name: keras.ops.convert_to_numpy(value) for name, value in out.items()}


def zeros(height: int, width: int) -> dict[str, np.ndarray]:
    return {
        "state_average": np.zeros((1, height // 2, width // 2, BANDS), np.float32),
        "state_count": np.zeros((1, height // 2, width // 2, 1), np.float32),
    }


def test_the_first_frame_is_its_own_average(model: keras.Model) -> None:
    frame = np.random.default_rng(0).random((1, 16, 24, 3), dtype=np.float32)
    out = step(model, frame, zeros(16, 24))
    assert out["denoised"].shape == frame.shape
    assert np.allclose(out["state_count_next"], 1)
    blocks = frame.reshape(1, 8, 2, 12, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(1, 8, 12, BANDS)
    assert np.allclose(out["state_average_next"], blocks @ block_transform(), atol=1e-5)


def test_the_count_never_passes_its_limit(model: keras.Model) -> None:
    frame = np.full((1, 16, 16, 3), 0.5, np.float32)
    state = zeros(16, 16)
    for _ in range(80):
        out = step(model, frame, state)
        state = {name: out[f"{name}_next"] for name in state}
    assert 1 <= state["state_count"].min() <= state["state_count"].max() <= 32


def test_unrolled_is_the_same_as_step_by_step(model: keras.Model) -> None:
    clip = np.random.default_rng(1).random((1, 3, 16, 16, 3), dtype=np.float32)
    together = keras.ops.convert_to_numpy(unroll(model, 3, 16, 16)(clip))
    state = zeros(16, 16)
    for index in range(3):
        out = step(model, clip[:, index], state)
        state = {name: out[f"{name}_next"] for name in state}
        assert np.allclose(together[:, index], out["denoised"], atol=1e-5)


def test_any_multiple_of_the_stride_is_taken(model: keras.Model) -> None:
    for sides in ((1, 1), (3, 5)):
        height, width = (STRIDE * s for s in sides)
        frame = np.zeros((1, height, width, 3), np.float32)
        assert step(model, frame, zeros(height, width))["denoised"].shape == frame.shape


def test_models_load_without_unsafe_code(model: keras.Model, tmp_path: object) -> None:
    model.save(f"{tmp_path}/m.keras")
    loaded = keras.models.load_model(f"{tmp_path}/m.keras", safe_mode=True, compile=False)
    frame = np.random.default_rng(2).random((1, 16, 16, 3), dtype=np.float32)
    first, again = (step(m, frame, zeros(16, 16))["denoised"] for m in (model, loaded))
    assert np.allclose(first, again, atol=1e-6)
