"""`mnist`: the textbook denoising autoencoder, and a small reader of digits to judge it.

Source: Atienza, "Advanced Deep Learning with Keras", listing 3.3.1.
"""

from __future__ import annotations

import keras
from keras import layers

LATENT = 16


def autoencoder() -> keras.Model:
    """Encoder and decoder in one: (n, 28, 28, 1) in [0, 1] -> the same. 178,001 parameters.

    The sub-models are its layers `encoder` (-> `latent_vector` (n, 16)) and `decoder`.
    """
    picture = keras.Input((28, 28, 1), name="encoder_input")
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(picture)  # (14, 14, 32)
    x = layers.Conv2D(64, 3, strides=2, padding="same", activation="relu")(x)  # (7, 7, 64)
    latent = layers.Dense(LATENT, name="latent_vector")(layers.Flatten()(x))
    encoder = keras.Model(picture, latent, name="encoder")

    code = keras.Input((LATENT,), name="decoder_input")
    x = layers.Reshape((7, 7, 64))(layers.Dense(7 * 7 * 64)(code))
    x = layers.Conv2DTranspose(64, 3, strides=2, padding="same", activation="relu")(x)  # (14, 14, 64)
    x = layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu")(x)  # (28, 28, 32)
    restored = layers.Conv2DTranspose(1, 3, padding="same", activation="sigmoid", name="decoder_output")(x)
    decoder = keras.Model(code, restored, name="decoder")

    return keras.Model(picture, decoder(encoder(picture)), name="autoencoder")


def reader() -> keras.Model:
    """A small classifier of clean digits: (n, 28, 28, 1) in [0, 1] -> (n, 10) probabilities."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="reader",
    )
