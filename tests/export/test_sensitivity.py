"""Which layers are left in float, with a model whose worst layer is known."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from dae_edge.errors import ParityError
from dae_edge.export.export import Session
from dae_edge.export.picture_model import PictureModel
from dae_edge.export.sensitivity import Sensitivity, leave_worst
from dae_edge.export.ways import Attach, Way
from dae_edge.formats import by_name
from dae_edge.models.mnist import autoencoder


def _way(names: tuple[str, ...]) -> Way:
    return Way(lambda floats: lambda _: {"": ",".join(floats).encode()}, names)


def _ranks(layers: str) -> list[Sensitivity]:
    return [Sensitivity(layer, 0.01 / (place + 1), 20.0 + place) for place, layer in enumerate(layers)]


def _bear(least: int, asked: list[Collection[str]]) -> Callable[[Attach, tuple[str, ...]], str]:
    """Lets through what has at least so many layers in float."""

    def accept(_: Attach, left: tuple[str, ...]) -> str:
        asked.append(left)
        if len(left) < least:
            raise ParityError("too much")
        return f"good with {len(left)}"

    return accept


@pytest.mark.parametrize(("least", "left"), [(0, ()), (1, ("c",)), (2, ("c", "a"))])
def test_the_worst_layers_go_first_and_no_more_than_needed(least: int, left: tuple[str, ...]) -> None:
    _, found, held = leave_worst(_way(("a", "b", "c", "d")), _bear(least, []), lambda: _ranks("cabd"))
    assert found == left
    assert held == f"good with {least}"


def test_where_no_layer_would_remain_the_loss_is_the_answer() -> None:
    asked: list[Collection[str]] = []
    with pytest.raises(ParityError):
        leave_worst(_way(("a", "b")), _bear(2, asked), lambda: _ranks("ab"))
    assert asked == [(), ("a",)]


def test_layers_that_were_left_for_nothing_go_back_and_the_file_is_what_was_accepted() -> None:
    """Only `b` and `d` suffer, but the ranking does not know."""

    def accept(made: Attach, left: tuple[str, ...]) -> tuple[str, ...]:
        if not {"b", "d"} <= set(left):
            raise ParityError("too much")
        return left

    made, left, held = leave_worst(_way(tuple("abcdef")), accept, lambda: _ranks("cbadef"))
    assert left == held == ("b", "d")
    assert made(None)[""] == b"b,d"  # type: ignore[arg-type]


def test_a_layer_spoilt_by_one_huge_weight_is_ranked_worst(tmp_path: Path) -> None:
    """Each filter's step is that of its largest weight: beside a useless huge one all others vanish."""
    keras.utils.set_random_seed(1)
    picture = keras.Input((None, None, 3))
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="fine")(picture)
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="spoilt")(x)
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="also_fine")(x)
    network = keras.Model(picture, layers.Conv2D(3, 3, padding="same", name="last")(x))
    kernel, bias = network.get_layer("fine").get_weights()
    kernel[..., 0], bias[0] = 0, 0  # a channel that is always dark
    network.get_layer("fine").set_weights([kernel, bias])
    kernel, bias = network.get_layer("spoilt").get_weights()
    kernel[1, 1, 0] = 500  # and weights on it that never do anything
    network.get_layer("spoilt").set_weights([kernel, bias])
    session = Session(PictureModel(network), Path("none.keras"))
    exported = session.export(by_name("onnx-int8"), tmp_path / "m.onnx", size=(48, 64), sensitivity=True)
    ranking = [layer.layer for layer in exported.sensitivity]
    assert ranking[0] == "spoilt"
    assert np.diff([layer.loss for layer in exported.sensitivity]).max() <= 0


def test_layers_of_a_model_of_one_size_and_no_memory_are_ranked_too(tmp_path: Path) -> None:
    session = Session(PictureModel(autoencoder()), Path("none.keras"))
    exported = session.export(by_name("tflite-dynamic"), tmp_path / "m.tflite", sensitivity=True)
    assert exported.sensitivity
