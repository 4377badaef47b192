import keras
import numpy as np
import pytest
from keras import layers

from dae_edge.errors import ExportError
from dae_edge.export.picture_model import PictureModel
from dae_edge.models.lowlight import lowlight
from dae_edge.models.mnist import autoencoder


def dncnn() -> keras.Model:
    """A short DnCNN (Zhang et al., 2017): predicts the noise and takes it away."""
    noisy = keras.Input((None, None, 1))
    x = noisy
    for _ in range(3):
        x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(16, 3, padding="same")(x)))
    return keras.Model(noisy, layers.Subtract()([noisy, layers.Conv2D(1, 3, padding="same")(x)]))


def unet() -> keras.Model:
    """A small U-Net with transposed convolutions."""
    picture = keras.Input((None, None, 3))
    one = layers.Conv2D(8, 3, padding="same", activation="relu")(picture)
    two = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D()(one))
    three = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D()(two))
    up = layers.Concatenate()([layers.Conv2DTranspose(16, 3, 2, "same", activation="relu")(three), two])
    up = layers.Concatenate()([layers.Conv2DTranspose(8, 3, 2, "same", activation="relu")(up), one])
    return keras.Model(picture, layers.Conv2D(3, 3, padding="same", activation="sigmoid")(up))


@pytest.mark.parametrize(("build", "stride", "channels"), [(dncnn, 1, 1), (unet, 4, 3), (lowlight, 8, 3)])
def test_the_stride_is_found(build: object, stride: int, channels: int) -> None:
    model = PictureModel(build())  # type: ignore[operator]
    assert model.stride == stride
    assert model.channels == channels
    assert model.size is None


def test_states_are_found_with_their_scale() -> None:
    model = PictureModel(lowlight())
    assert model.states == ["state_average", "state_count"]
    assert model.state_shape("state_average", 61, 81) == (1, 32, 44, 12)
    assert model.state_shape("state_count", 64, 80) == (1, 32, 40, 1)


def test_a_fixed_size_is_taken_as_it_is() -> None:
    model = PictureModel(autoencoder())
    assert (model.size, model.stride, model.channels) == ((28, 28), 1, 1)


def test_the_reference_keeps_odd_sizes() -> None:
    model = PictureModel(lowlight())
    frame = np.random.default_rng(0).integers(0, 256, (21, 37, 3), dtype=np.uint8)
    restored, states = model.restore(frame, model.start(21, 37))
    assert restored.shape == frame.shape
    assert states["state_average"].shape == (1, 12, 20, 12)


def test_two_pictures_out_are_refused_by_name() -> None:
    picture = keras.Input((8, 8, 3), name="picture")
    outs = {"a": layers.Conv2D(3, 3, name="a")(picture), "b": layers.Conv2D(3, 3, name="b")(picture)}
    with pytest.raises(ExportError, match=r"one picture in and one out; .* 2 out \(a, b\)"):
        PictureModel(keras.Model(picture, outs))


def test_a_model_of_no_pictures_is_refused() -> None:
    vector = keras.Input((8,))
    with pytest.raises(ExportError, match="must be \\(1, H, W, 1 or 3\\)"):
        PictureModel(keras.Model(vector, layers.Dense(8)(vector)))
