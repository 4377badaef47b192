"""MNIST, from where the user has it, or digits drawn in its place."""

from __future__ import annotations

import gzip
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dae_edge.data.digits import draw_digits
from dae_edge.errors import MediaError

_IDX_UINT8 = 0x08
_PARTS = {
    "train_pictures": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_pictures": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


@dataclass(frozen=True)
class Digits:
    """A training and a test set: pictures (n, 28, 28) uint8, labels (n,) uint8."""

    train_pictures: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_pictures: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        for pictures, labels in (
            (self.train_pictures, self.train_labels),
            (self.test_pictures, self.test_labels),
        ):
            if pictures.ndim != 3 or pictures.shape[1:] != (28, 28) or len(pictures) != len(labels):
                raise MediaError(
                    f"digits must be (n, 28, 28) with n labels; got {pictures.shape} and {labels.shape}."
                )
            if not len(pictures):
                raise MediaError("a set of digits is empty.")


def load_digits(source: str | None, *, seed: int = 0) -> Digits:
    """MNIST from `source`, pictures uint8.

    source: None downloads it with Keras (and keeps it); a path is a folder of IDX files, gzipped or
            not, or an `mnist.npz`; "digits" draws 20,000 + 4,000 digits with OpenCV's fonts.

    Raises `MediaError` where the files are missing or damaged, or the download fails.
    """
    if source is None:
        return _download()
    if source == "digits":
        train, test = draw_digits(20_000, seed=seed), draw_digits(4_000, seed=seed + 1)
        return Digits(*train, *test)
    path = Path(source)
    if path.is_dir():
        return Digits(**{part: _read_idx(_find(path, name)) for part, name in _PARTS.items()})
    if path.is_file():
        return _read_npz(path)
    raise MediaError(f"`--data` (={source}) is neither a folder of IDX files, an mnist.npz, nor 'digits'.")


def as_input(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, 28, 28) uint8 -> (n, 28, 28, 1) float32 in [0, 1]."""
    return pictures[..., None].astype(np.float32) / np.float32(255)


def _download() -> Digits:
    import keras

    try:
        (train, train_labels), (test, test_labels) = keras.datasets.mnist.load_data()
    except Exception as failure:  # urllib's, ssl's and Keras' own kinds
        raise MediaError(
            "MNIST could not be downloaded; give `--data FOLDER` with its files, or `--data digits` "
            "to draw digits without a network."
        ) from failure
    return Digits(train, train_labels, test, test_labels)


def _find(folder: Path, name: str) -> Path:
    for candidate in (
        name,
        f"{name}.gz",
        name.replace("-idx", ".idx"),
        name.replace("-idx", ".idx") + ".gz",
    ):
        if (folder / candidate).is_file():
            return folder / candidate
    raise MediaError(f"{folder} holds no {name} (or {name}.gz).")


def _read_idx(path: Path) -> NDArray[np.uint8]:
    """An IDX file: two zero bytes, the type, the number of dimensions, the sides, the bytes."""
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        zero, kind, dimensions = struct.unpack_from(">HBB", content)
        sides = struct.unpack_from(f">{dimensions}I", content, 4)
        values = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
        if zero or kind != _IDX_UINT8:
            raise ValueError("no IDX file of bytes")
        return values.reshape(sides)
    except (OSError, EOFError, ValueError, struct.error) as failure:
        raise MediaError(f"{path} is not a whole IDX file ({failure}).") from failure


def _read_npz(path: Path) -> Digits:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Digits(arrays["x_train"], arrays["y_train"], arrays["x_test"], arrays["y_test"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as failure:
        raise MediaError(f"{path} is not an mnist.npz ({failure}).") from failure
