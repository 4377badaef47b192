"""Start a larger network from a smaller one of the same kind, so that it begins where that one ended.

After Chen et al., "Net2Net: accelerating learning via knowledge transfer" (ICLR 2016), but with fresh
channels beside the old ones where Net2Net copies: they start almost unheard.
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import BadValueError

HEARD = 0.02  # of a fresh channel's usual weight, in the layers that read it

Weights = list[NDArray[np.float32]]


def grow(larger: keras.Model, smaller: keras.Model) -> None:
    """Give `larger` the weights of `smaller`, layer by layer under the same name.

    Old channels keep their weights and their places; convolutions only. Layers that `smaller` does
    not have start silent: the last one of each residual block is zero.
    """
    for layer in larger.layers:
        if not isinstance(layer, keras.layers.Conv2D):
            continue
        try:
            old = smaller.get_layer(layer.name).get_weights()
        except ValueError:
            if "_block_" in layer.name and layer.name.endswith("_2"):
                layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
            continue
        groups = 4 if layer.name.endswith("_up") else 1  # depth to space: one group a position
        layer.set_weights(_widened(layer.name, layer.get_weights(), old, groups))


def _widened(name: str, new: Weights, old: Weights, groups: int) -> Weights:
    if any(
        n.ndim != o.ndim or any(a < b for a, b in zip(n.shape, o.shape, strict=True))
        for n, o in zip(new, old, strict=True)
    ):
        raise BadValueError(f"`{name}` {new[0].shape} cannot be grown from {old[0].shape}: it is smaller.")
    inputs, filters = old[0].shape[2], old[0].shape[3] // groups
    wider = new[0].shape[3] // groups
    kernel = new[0].copy()
    for group in range(groups):
        target = slice(group * wider, group * wider + filters)
        source = slice(group * filters, (group + 1) * filters)
        kernel[:, :, inputs:, target] *= HEARD
        kernel[:, :, :inputs, target] = old[0][..., source]
    if len(new) == 1:
        return [kernel]
    bias = new[1].copy()
    for group in range(groups):
        bias[group * wider : group * wider + filters] = old[1][group * filters : (group + 1) * filters]
    return [kernel, bias]
