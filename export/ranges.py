"""What the 256 steps of a byte should span: ranges of activations, from frames to calibrate on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.export.moments import Gather
from dae_edge.export.picture_model import Frame, PictureModel, Tensors

SAMPLES = 4_000  # values kept a tensor, channel and frame at most
SEARCHED = 1_000  # of them tried with every step: four times as many change no step by more than 3 %
_CUTS = np.geomspace(1.0, 0.02, 60)  # of the largest value seen: where to cut off
_PAST = 0.7  # of the best step so far: where nothing better comes any more
_BEYOND = 1.1  # the same where nothing may be cut off, for what is larger still

Samples = NDArray[np.float32]


def activations(
    model: PictureModel,
    tensors: dict[str, keras.KerasTensor],
    examples: Iterable[tuple[Frame, Tensors]],
    gather: Mapping[str, Gather],
) -> dict[str, Samples]:
    """Values of each tensor, (examples, places, channels) float32; the same places in all tensors.

    Those named in `gather` are gathered there as well.
    """
    probe = keras.Model(model.model.input, tensors)
    random = np.random.default_rng(0)
    seen: dict[str, list[Samples]] = {name: [] for name in tensors}
    for frame, states in examples:
        picture = {model.picture: model.prepare(frame[0]), **states}
        seed = random.integers(2**32)
        for name, values in probe.predict_on_batch(picture).items():
            if name in gather:
                gather[name].add(values[0])
            values = values.reshape(-1, values.shape[-1])
            places = np.random.default_rng(seed).permutation(len(values))[:SAMPLES]
            seen[name].append(values[places])
    return {name: np.stack(parts) for name, parts in seen.items()}


def unsigned_scale(values: Samples, *, whole: bool = False) -> float:
    """The step that rounds `values` (examples, ...), none below 0, to 0..255 best.

    `whole`: the largest fit in too. Steps that are best on calibration lost 2.5 dB on a surface brighter than
    any of it with one network; whole ones lose 0.1 to 0.6 dB where a picture is 40 dB good.
    """
    return _best(values, 0, 255, whole)


def signed_scale(values: Samples, *, whole: bool = False) -> float:
    """The same for values of both signs, to -127..127."""
    return _best(values, -127, 127, whole)


def _best(values: Samples, low: int, high: int, whole: bool) -> float:
    """The step with the least squared error, each example's counted against its own power.

    A dark frame's small values are worth as much as a bright one's large ones.
    """
    largest = max(float(np.abs(values).max()), 1e-6)
    if whole:
        return largest * _BEYOND / high
    flat = values[:, :SEARCHED].reshape(len(values), -1)
    power = np.square(flat).mean(axis=1) + 1e-12
    best, least = 0.0, np.inf
    for step in largest * _CUTS / high:
        error = float((_rounding_error(flat, step, low, high) / power).mean())
        if error < least:
            best, least = step, error
        elif step < _PAST * best:
            break
    return float(best)


def _rounding_error(values: Samples, step: float, low: int, high: int) -> NDArray[np.float32]:
    """Mean square of each example's, (examples,)."""
    levels = values / np.float32(step)
    error = np.rint(levels)
    np.clip(error, low, high, out=error)
    error -= levels
    return np.square(error, out=error).mean(axis=1) * np.float32(step) ** 2
