import keras
import numpy as np
import pytest

from dae_edge.models.bands import BANDS, block_transform
from dae_edge.models.lowlight import lowlight
from dae_edge.models.mnist import autoencoder
from dae_edge.models.unroll import no_memory


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


def test_the_first_frame_is_its_own_average(model: keras.Model) -> None:
    frame = np.random.default_rng(0).random((1, 16, 24, 3), dtype=np.float32)
    out = model({"frame": frame, **no_memory(model, frame)})
    out = {name: keras.ops.convert_to_numpy(value) for name, value in out.items()}
    assert out["denoised"].shape == frame.shape
    assert np.allclose(out["state_count_next"], 1)
    blocks = frame.reshape(1, 8, 2, 12, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(1, 8, 12, BANDS)
    assert np.allclose(out["state_average_next"], blocks @ block_transform(), atol=1e-5)
