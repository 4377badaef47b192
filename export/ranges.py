"""What the 256 steps of a byte should span: ranges of activations, from frames to calibrate on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.export.moments import Gather
from dae_edge.export.picture_model import Frame, PictureModel, Tensors

SAMPLES = 4_000  # values kept a tensor, channel and frame at most
# Beyond the largest value seen, where all is cut off. Steps that round calibration best cut off more, and
# lost 2.5 dB on a surface brighter and more saturated than any of it; these lose 0.1 dB at 43 dB.
_HEADROOM = 1.1

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


def unsigned_scale(values: Samples) -> float:
    """The step of a byte for `values` (examples, ...), none below 0."""
    return _widest(values) / 255


def signed_scale(values: Samples) -> float:
    """The same for values of both signs."""
    return _widest(values) / 127


def _widest(values: Samples) -> float:
    return max(_HEADROOM * float(np.abs(values).max()), 1e-6)
