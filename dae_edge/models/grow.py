"""Start one size of the network from another, so that it begins where that one ended.

After Chen et al., "Net2Net: accelerating learning via knowledge transfer" (ICLR 2016), but with fresh
channels beside the old ones where Net2Net copies: they start almost unheard.
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

HEARD = 0.02  # of a fresh channel's usual weight, in the layers that read it

Weights = list[NDArray[np.float32]]


def grow(model: keras.Model, source: keras.Model) -> None:
    """Give `model` the weights of `source`, layer by layer under the same name; convolutions only.

    A larger layer keeps the old channels in their places; a smaller one takes the first channels and
    the middle of the kernel, which is a start but no more. Layers that `source` does not have start
    silent: the last one of each residual block is zero.
    """
    known = {layer.name for layer in source.layers}
    for layer in model.layers:
        if not isinstance(layer, keras.layers.Conv2D):
            continue
        if layer.name in known:
            groups = 4 if layer.name.endswith("_up") else 1  # depth to space: one group a position
            old = source.get_layer(layer.name).get_weights()
            layer.set_weights(
                [_taken_over(n, o, groups) for n, o in zip(layer.get_weights(), old, strict=True)]
            )
        elif "_block_" in layer.name and layer.name.endswith("_2"):
            layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])


def _taken_over(new: NDArray[np.float32], old: NDArray[np.float32], groups: int) -> NDArray[np.float32]:
    """A kernel (h, w, C, F) or a bias (F,): `new` with all of `old` in it that fits."""
    new, old = (a.reshape(*a.shape[:-1], groups, a.shape[-1] // groups) for a in (new.copy(), old))
    filters = min(new.shape[-1], old.shape[-1])
    if new.ndim == 2:
        new[:, :filters] = old[:, :filters]
        return new.reshape(-1)
    inputs = min(new.shape[2], old.shape[2])
    new[:, :, inputs:, :, :filters] *= HEARD
    into, out_of = _middles(new.shape[0], old.shape[0])
    new[into, into, :inputs, :, :filters] = old[out_of, out_of, :inputs, :, :filters]
    return new.reshape(*new.shape[:3], -1)


def _middles(new: int, old: int) -> tuple[slice, slice]:
    """Where the smaller of two odd sides lies in either."""
    side = min(new, old)
    starts = (new - side) // 2, (old - side) // 2
    return slice(starts[0], starts[0] + side), slice(starts[1], starts[1] + side)
