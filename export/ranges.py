"""What the 256 steps of a byte should span: ranges of activations, from frames to calibrate on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.export.moments import Gather
from dae_edge.export.picture_model import Frame, PictureModel, Tensors

SAMPLES = 4_000  # values kept a tensor, channel and frame at most
_CUTS = np.geomspace(0.02, 1.0, 60)  # of the largest value seen: where to cut off
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
        for name, value in probe(picture, training=False).items():
            values = keras.ops.convert_to_numpy(value)
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
    flat = values.reshape(len(values), -1)
    largest = max(float(np.abs(flat).max()), 1e-6)
    if whole:
        return largest * _BEYOND / high
    power = np.square(flat).mean(axis=1) + 1e-12
    steps = largest * _CUTS / high
    errors = [
        float((np.square(np.clip(np.rint(flat / s), low, high) * s - flat).mean(axis=1) / power).mean())
        for s in steps
    ]
    return float(steps[int(np.argmin(errors))])
