"""Dead channels are found and live again; what lives is left alone."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from dae_edge.models.lowlight import lowlight
from dae_edge.models.lowlight_s import lowlight_s
from dae_edge.models.revive import Inputs, dead_channels, revive
from dae_edge.models.unroll import no_memory
from dae_edge.training.early import HoldMask, Revive

DEAD = {"quarter_in": [3, 7], "eighth_2": [0], "quarter_out": [30, 31]}
SEES = {"quarter_in": "quarter_down", "eighth_2": "eighth_1"}  # where a layer sees one other's channels


@pytest.fixture(params=[lowlight, lowlight_s])
def model(request: pytest.FixtureRequest) -> keras.Model:
    """A network some of whose channels can never be above 0."""
    keras.utils.set_random_seed(0)
    model: keras.Model = request.param()
    for name, channels in DEAD.items():
        kernel, bias = model.get_layer(name).get_weights()
        bias[channels] = -1000
        model.get_layer(name).set_weights([kernel, bias])
    return model


def inputs(model: keras.Model) -> Inputs:
    frames = np.random.default_rng(0).random((2, 32, 48, 3), dtype=np.float32)
    return {"frame": frames, **no_memory(model, frames)}


def test_the_dead_are_found(model: keras.Model) -> None:
    found = dead_channels(model, [inputs(model)])
    assert all({*channels} <= {*found[name].tolist()} for name, channels in DEAD.items())
    assert len(found["gate_1"]) < 8  # of as good as none that live


def test_they_live_again_and_next_to_nothing_changes(model: keras.Model) -> None:
    seen = inputs(model)
    known = dead_channels(model, [seen])
    before = keras.ops.convert_to_numpy(model(seen)["denoised"])
    kept = {name: model.get_layer(name).get_weights()[0] for name in DEAD}
    assert revive(model, [seen], np.random.default_rng(1)) == sum(len(dead) for dead in known.values())
    assert sum(len(dead) for dead in dead_channels(model, [seen]).values()) < 0.3 * sum(
        map(len, known.values())
    )
    for name, kernel in kept.items():
        seen_too = known.get(SEES.get(name, ""), [])  # their weights here are drawn anew as well
        living = np.ix_(
            *(
                np.delete(np.arange(n), d)
                for n, d in zip(kernel.shape[2:], (seen_too, known[name]), strict=True)
            )
        )
        now = model.get_layer(name).get_weights()[0]
        assert (now[(..., *living)] == kernel[(..., *living)]).all()
    after = keras.ops.convert_to_numpy(model(seen)["denoised"])
    assert np.abs(after - before).mean() < 0.3 * np.abs(before - seen["frame"]).mean()


def test_a_run_revives_until_its_middle(model: keras.Model) -> None:
    clips = np.random.default_rng(2).random((3, 4, 32, 32, 3), dtype=np.float32)
    callback = Revive(model, clips, last=6, seed=1)
    for epoch in (1, 2, 8):
        callback.on_epoch_begin(epoch)
    assert callback.revived == 0
    callback.on_epoch_begin(4)
    assert callback.revived >= 5


def test_the_mask_is_held_for_as_long_as_asked() -> None:
    model = lowlight_s()
    low = model.get_layer("mask").get_weights()
    hold = HoldMask(model, 2)
    for epoch, held in ((0, True), (1, True), (2, False)):
        hold.on_epoch_begin(epoch)
        model.get_layer("mask").set_weights([w + 1 for w in low])
        hold.on_train_batch_end(0)
        assert (
            all(
                (now == then).all()
                for now, then in zip(model.get_layer("mask").get_weights(), low, strict=True)
            )
            is held
        )
    HoldMask(lowlight(), 2).on_train_batch_end(0)  # whose mask is part of its head
