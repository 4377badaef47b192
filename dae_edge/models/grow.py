"""Start one size of the network from another, so that it begins where that one ended.

After Chen et al., "Net2Net: accelerating learning via knowledge transfer" (ICLR 2016), but with fresh
channels beside the old ones where Net2Net copies: they start almost unheard.
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

HEARD = 0.02  # of a fresh channel's usual weight, in the layers that read it

Weights = NDArray[np.float32]


def grow(model: keras.Model, source: keras.Model) -> list[str]:
    """Give `model` the weights of `source`, layer by layer under the same name; the names of those left.

    A larger layer keeps the old channels in their places. A layer that would have to lose some is left
    as it is: half of a filter, or half of what it reads, is worse than a fresh start. Layers that
    `source` does not have start silent: the last one of each residual block is zero.
    """
    known, left = {layer.name for layer in source.layers}, []
    for layer in model.layers:
        if not isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            continue
        if layer.name in known:
            groups = 4 if layer.name.endswith("_up") else 1  # depth to space: one group a position
            pairs = list(zip(layer.get_weights(), source.get_layer(layer.name).get_weights(), strict=True))
            if all(_holds(new, old) for new, old in pairs):
                layer.set_weights([_widened(new, old, groups) for new, old in pairs])
            else:
                left.append(layer.name)
        elif "_block_" in layer.name and layer.name.endswith("_2"):
            layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    return left


def _holds(new: Weights, old: Weights) -> bool:
    """Whether `old` has a place in `new`: the same kernel size, no more channels."""
    return new.shape[:-2] == old.shape[:-2] and all(
        larger >= smaller for larger, smaller in zip(new.shape, old.shape, strict=True)
    )


def _widened(new: Weights, old: Weights, groups: int) -> Weights:
    """A kernel (h, w, C, F) or (C, F) or a bias (F,): `new` with `old` in its first channels."""
    if new.shape == old.shape:
        return old
    new, old = (a.reshape(*a.shape[:-1], groups, a.shape[-1] // groups) for a in (new.copy(), old))
    filters = old.shape[-1]
    if new.ndim == 2:
        new[:, :filters] = old
        return new.reshape(-1)
    inputs = old.shape[-3]
    new[..., inputs:, :, :filters] *= HEARD
    new[..., :inputs, :, :filters] = old
    return new.reshape(*new.shape[:-2], -1)
