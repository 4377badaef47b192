"""Find channels that have died, and give them another life.

A ReLU whose input is below zero for every picture gives nothing and gets no gradient: the channel costs time
for ever after and is worth nothing. Early steps at a high rate leave many such: of the 16 channels that the
first weights of `lowlight` had before their head, 8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.models.camera import THRESHOLDS
from dae_edge.models.parts import result

ALIVE = 1e-3  # share of places at which a channel must be above 0
_FIRST_BIAS = 0.02  # of a revived channel: it is seen from the first step
_HEARD = 0.1  # of the usual weight, in the layers that read it: nearly nothing changes at first

Inputs = dict[str, Any]


def dead_channels(model: keras.Model, examples: Iterable[Inputs]) -> dict[str, NDArray[np.intp]]:
    """Of each convolution that ends in a ReLU, by name, the channels that `examples` leave dark."""
    outputs = {name: layer.output for name, layer in _lit(model).items()}
    probe = keras.Model(model.input, outputs)
    shares: dict[str, list[NDArray[Any]]] = {name: [] for name in outputs}
    for inputs in examples:
        for name, value in probe(inputs, training=False).items():
            lit = keras.ops.convert_to_numpy(value) > 0
            shares[name].append(lit.mean(axis=(0, 1, 2)))
    return {name: np.flatnonzero(np.mean(share, axis=0) < ALIVE) for name, share in shares.items()}


def revive(model: keras.Model, examples: Iterable[Inputs], random: np.random.Generator) -> int:
    """Draw the weights of dead channels anew, as wide as the living ones' are; how many there were."""
    found = {name: dead for name, dead in dead_channels(model, examples).items() if len(dead)}
    lit = _lit(model)
    for name, dead in found.items():
        kernel, bias = model.get_layer(name).get_weights()
        living = np.delete(kernel, dead, axis=-1)
        # What is added to other channels is heard whatever reads the sum: it has to begin quietly itself.
        loud = _HEARD if _is_added(model, lit[name].name) else 1.0
        drawn = random.normal(0, living.std() if living.size else kernel.std(), kernel[..., dead].shape)
        kernel[..., dead] = loud * (drawn - drawn.mean(axis=(0, 1, 2)))
        bias[dead] = loud * _FIRST_BIAS
        model.get_layer(name).set_weights([kernel, bias])
        if lit[name].name != name:  # it is told of the camera
            (thresholds,) = model.get_layer(name + THRESHOLDS).get_weights()
            thresholds[:, dead] = 0
            model.get_layer(name + THRESHOLDS).set_weights([thresholds])
        for reader in _readers(model, lit[name].name):
            kernel, *others = reader.get_weights()
            kernel[:, :, dead] = random.normal(0, _HEARD * kernel.std(), kernel[:, :, dead].shape)
            reader.set_weights([kernel, *others])
    return sum(len(dead) for dead in found.values())


def _lit(model: keras.Model) -> dict[str, keras.layers.Layer]:
    """Of each convolution that ends in a ReLU, by name, the layer that gives what it lights."""
    results = {a.name: result(model, a.name) for a in model.layers if isinstance(a, keras.layers.Conv2D)}
    return {
        name: layer
        for name, layer in results.items()
        if isinstance(layer, keras.layers.ReLU)
        or getattr(layer, "activation", None) is keras.activations.relu
    }


def _readers(model: keras.Model, name: str) -> list[keras.layers.Conv2D]:
    """The convolutions that see a layer's channels, and nobody else's in their place."""
    config = model.get_config()["layers"]
    sources = {layer["name"]: list(_sources(layer["inbound_nodes"])) for layer in config}
    kinds = {layer["name"]: layer["class_name"] for layer in config}
    return [
        model.get_layer(reader)
        for reader in (n for n, from_ in sources.items() if name in from_ or _passed(n, name, sources, kinds))
        if kinds[reader] == "Conv2D"
    ]


def _is_added(model: keras.Model, name: str) -> bool:
    return any(
        layer["class_name"] == "Add" and name in _sources(layer["inbound_nodes"])
        for layer in model.get_config()["layers"]
    )


def _passed(reader: str, name: str, sources: dict[str, list[str]], kinds: dict[str, str]) -> bool:
    """Whether `reader` sees the layer's channels through a change of precision alone."""
    return any(kinds[source] == "Cast" and name in sources[source] for source in sources[reader])


def _sources(node: Any) -> Iterator[str]:
    """Names of the layers whose tensors a node of a model's description takes."""
    if isinstance(node, dict):
        if node.get("class_name") == "__keras_tensor__":
            yield node["config"]["keras_history"][0]
        else:
            for part in node.values():
                yield from _sources(part)
    elif isinstance(node, list | tuple):
        for part in node:
            yield from _sources(part)
