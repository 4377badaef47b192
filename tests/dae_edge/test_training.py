"""Short runs of the real thing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from dae_edge.data import remembered
from dae_edge.data.mnist import Digits, load_digits
from dae_edge.errors import BadValueError, ModelLoadError, OutputError, TrainingError
from dae_edge.models.lowlight import lowlight as network
from dae_edge.models.lowlight_s import lowlight_s
from dae_edge.runtime.load import FAMILY
from dae_edge.training import losses, lowlight, mnist
from dae_edge.training.run import Run, StopOnNaN

TINY = lowlight.LowlightRecipe(frames=2, patch=32, batch=2, epochs=2)


@pytest.fixture(scope="module")
def digits() -> Digits:
    full = load_digits("digits", seed=1)
    return Digits(
        full.train_pictures[:1000],
        full.train_labels[:1000],
        full.test_pictures[:200],
        full.test_labels[:200],
    )


@pytest.fixture(scope="module", autouse=True)
def short_epochs() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lowlight, "STEPS_AN_EPOCH", 4)
        patch.setattr(lowlight, "VALIDATION_CLIPS", 8)
        yield


@pytest.fixture(scope="module")
def whole(short_epochs: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run from beginning to end."""
    return lowlight.train(TINY, tmp_path_factory.mktemp("whole") / "run")


class Stop(keras.callbacks.Callback):  # type: ignore[misc]
    """Pull the plug after an epoch, as a power cut would."""

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        if epoch == 1:
            raise KeyboardInterrupt


def test_a_lowlight_run_leaves_its_folder(whole: Run) -> None:
    names = {path.name for path in whole.folder.iterdir()}
    assert {"model.keras", "history.csv", "config.json", "curve.png", "before_after.png"} <= names
    assert len(whole.rows()) == 2
    assert json.loads(whole.config.read_text())["seed"] == 1
    assert cv2.imread(str(whole.folder / "before_after.png")).min() < 50  # something is drawn


def test_an_interrupted_run_goes_on_where_it_was_and_ends_as_a_whole_one(whole: Run, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        lowlight.train(TINY, tmp_path / "halves", extra=(Stop(),))
    halves = lowlight.train(TINY, tmp_path / "halves", resume=True)
    assert [row["epoch"] for row in halves.rows()] == [0, 1]
    assert halves.rows()[-1]["val_loss"] == pytest.approx(whole.rows()[-1]["val_loss"], rel=1e-3)


def test_a_run_grows_a_smaller_model_and_saves_plain_floats(tmp_path: Path) -> None:
    """In fewer steps than its warm-up would take."""
    network().save(tmp_path / "small.keras")
    recipe = replace(TINY, name="large", width=32, blocks=1, precision="mixed_bfloat16", epochs=1, warmup=500)
    run = lowlight.train(replace(recipe, start=str(tmp_path / "small.keras")), tmp_path / "large")
    assert np.isfinite(run.rows()[0]["val_loss"])
    kept = keras.models.load_model(run.model, compile=False)
    assert kept.name == "large"
    assert kept.get_layer("half_in").compute_dtype == "float32"
    assert kept.get_layer("half_in").get_weights()[0].shape[-1] == 32


def test_the_users_own_pictures_are_used_and_clips_decide(tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "clip"
    folder.mkdir(parents=True)
    for index in range(2):
        cv2.imwrite(str(folder / f"{index}.png"), np.full((40, 48, 3), 90 + index, np.uint8))
    cv2.imwrite(str(tmp_path / "mine" / "still.png"), np.full((40, 40, 3), 30, np.uint8))
    recipe = replace(TINY, epochs=1, data=str(tmp_path / "mine"), validation=str(tmp_path / "mine"))
    noisy, clean = lowlight.validation_clips(recipe)
    assert noisy.shape == clean.shape == (6, 2, 32, 32, 3)
    assert lowlight.train(recipe, tmp_path / "run").rows()


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ([(40, 40)], "has 1 pictures; a clip needs 2"),
        ([(20, 20)] * 2, "32 pixels"),
        ([(40, 40), (50, 40)], "one size"),
    ],
)
def test_a_wrong_validation_clip_is_named(
    tmp_path: Path, sizes: list[tuple[int, int]], sentence: str
) -> None:
    (tmp_path / "mine" / "clip").mkdir(parents=True)
    for index, size in enumerate(sizes):
        cv2.imwrite(str(tmp_path / "mine" / "clip" / f"{index}.png"), np.zeros((*size, 3), np.uint8))
    with pytest.raises(BadValueError, match=sentence):
        lowlight.validation_clips(replace(TINY, validation=str(tmp_path / "mine")))


def test_a_wrong_start_costs_nothing(whole: Run, tmp_path: Path) -> None:
    shutil.copytree(whole.folder, tmp_path / "run")
    (tmp_path / "bad.keras").write_text("no model")
    keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 3)]).save(tmp_path / "other.keras")
    for name in ("bad.keras", "other.keras"):
        with pytest.raises(ModelLoadError, match=f"{name} is not a low-light Keras model"):
            lowlight.train(replace(TINY, start=str(tmp_path / name)), tmp_path / "run", force=True)
    assert (tmp_path / "run" / "model.keras").read_bytes() == whole.model.read_bytes()


def test_a_larger_network_is_no_start(whole: Run, tmp_path: Path) -> None:
    """It would be left out layer by layer, and the run begin from nothing without a word."""
    shutil.copytree(whole.folder, tmp_path / "run")
    network(32).save(tmp_path / "large.keras")
    with pytest.raises(BadValueError, match=r"large\.keras\) does not fit into .*: its layer \w+ is larger"):
        lowlight.train(replace(TINY, start=str(tmp_path / "large.keras")), tmp_path / "run", force=True)
    assert (tmp_path / "run" / "model.keras").read_bytes() == whole.model.read_bytes()


def test_a_network_of_another_resolution_is_no_start(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    lowlight_s().save(tmp_path / "small" / "model.keras")
    for start in (str(tmp_path / "small"), str(tmp_path / "small" / "model.keras"), "lowlight-s"):
        with pytest.raises(BadValueError, match=r"works at 1/4 of the resolution; lowlight at 1/2"):
            lowlight.train(replace(TINY, start=start), tmp_path / "run")
    with pytest.raises(BadValueError, match=r"`network` .='eighth'. must be one of half, quarter"):
        lowlight.train(replace(TINY, network="eighth"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_small_network_trains_too(tmp_path: Path) -> None:
    recipe = replace(TINY, name="small", network="quarter", width=16, deep=16, unmasked=1)
    run = lowlight.train(recipe, tmp_path / "run")
    kept = keras.models.load_model(run.model, compile=False)
    assert kept.get_layer("mask").get_weights()[1].shape == (32,)
    assert lowlight.train(replace(recipe, start=str(run.model), epochs=1), tmp_path / "again").rows()


def test_a_network_learns_with_memory_that_follows_motion(tmp_path: Path) -> None:
    recipe = replace(TINY, followed=0.5, patch=64, epochs=1)
    assert np.isfinite(lowlight.train(recipe, tmp_path / "run").rows()[0]["val_loss"])
    with pytest.raises(BadValueError, match=r"`followed` \(=0.5\) is for networks at half resolution"):
        lowlight.train(replace(recipe, network="quarter"), tmp_path / "small")


@pytest.mark.parametrize(
    ("size", "epochs"),
    [("half", 1), ("quarter", 1), pytest.param("half", 4, marks=pytest.mark.slow, id="half-compiled")],
)
def test_a_trained_network_learns_on_and_keeps_its_memory(
    size: str, epochs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "BLOCK", 4)
    keras.utils.set_random_seed(1)
    (lowlight_s if size == "quarter" else network)(16).save(tmp_path / "before.keras")
    recipe = lowlight.keeping_memory(replace(TINY, network=size, start=str(tmp_path / "before.keras")))
    recipe = replace(recipe, frames=2, epochs=epochs, warmup=0, followed=0.0)
    run = lowlight.train(recipe, tmp_path / "run")
    changed = changed_layers(recipe.start, run.model)
    assert "quarter_out" in changed
    assert not any(name.startswith("gate") for name in changed)


@pytest.mark.parametrize("size", ["half", "quarter"])
def test_the_gate_of_a_trained_network_learns_alone(size: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    (lowlight_s if size == "quarter" else network)(16).save(tmp_path / "before.keras")
    recipe = lowlight.only_memory(replace(TINY, network=size, start=str(tmp_path / "before.keras")))
    run = lowlight.train(replace(recipe, frames=2, epochs=1), tmp_path / "run")
    changed = changed_layers(recipe.start, run.model)
    assert {"gate_1", "gate_out"} <= changed
    assert all(name.startswith("gate") for name in changed)


def changed_layers(before: str | Path | None, after: Path) -> set[str]:
    one, other = (keras.models.load_model(path, compile=False) for path in (before, after))
    weights = {
        layer.name: (layer.get_weights(), other.get_layer(layer.name).get_weights()) for layer in one.layers
    }
    return {name for name, pair in weights.items() if any((a != b).any() for a, b in zip(*pair, strict=True))}


def test_training_in_part_needs_a_trained_model_and_a_part(tmp_path: Path) -> None:
    for part in (lowlight.keeping_memory, lowlight.only_memory):
        with pytest.raises(BadValueError, match="_memory` goes on with a trained model: give `start`"):
            lowlight.train(part(TINY), tmp_path / "run")
    with pytest.raises(BadValueError, match="leave nothing to train"):
        lowlight.train(lowlight.only_memory(lowlight.keeping_memory(TINY)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_family_has_a_recipe_a_size() -> None:
    assert set(FAMILY) <= set(lowlight.RECIPES)
    assert all(recipe.name == name for name, recipe in lowlight.RECIPES.items())
    assert lowlight.quick(lowlight.RECIPES["lowlight-s"]).network == "quarter"


def test_a_folder_with_a_run_is_not_overwritten(tmp_path: Path) -> None:
    Run(tmp_path / "run", TINY, resume=False)
    with pytest.raises(OutputError, match="not empty"):
        Run(tmp_path / "run", TINY, resume=False)
    Run(tmp_path / "run", TINY, resume=False, force=True)


def test_a_run_resumes_with_its_own_recipe_only(tmp_path: Path) -> None:
    Run(tmp_path / "run", TINY, resume=False)
    with pytest.raises(TrainingError, match="begun with epochs=2, not 3"):
        Run(tmp_path / "run", lowlight.LowlightRecipe(frames=2, patch=32, batch=2, epochs=3), resume=True)
    with pytest.raises(TrainingError, match="no run to resume"):
        Run(tmp_path / "none", TINY, resume=True)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_run(loss: float) -> None:
    StopOnNaN().on_train_batch_end(3, {"loss": 0.5})
    with pytest.raises(TrainingError, match="at step 3"):
        StopOnNaN().on_train_batch_end(3, {"loss": loss})


def test_a_tenth_less_error_is_worth_the_same_in_every_light() -> None:
    clean, random = np.zeros((1, 2, 4, 4, 3), np.float32), np.random.default_rng(1)
    pattern = random.normal(size=clean.shape).astype(np.float32)

    def gain(loss: str, level: float) -> float:
        one, less = (float(losses.LOSSES[loss](clean, share * level * pattern)) for share in (1, 0.9))
        return one - less

    assert gain("log-charbonnier", 0.05) == pytest.approx(gain("log-charbonnier", 0.2), rel=0.05)
    assert gain("charbonnier", 0.05) == pytest.approx(gain("charbonnier", 0.2) / 4, rel=0.05)
    # A picture that is right already does not outweigh all others.
    assert gain("log-charbonnier", 0.001) < gain("log-charbonnier", 0.05) / 2


def test_an_error_where_something_else_was_lately_costs_more() -> None:
    clean = np.full((1, 8, 8, 8, 3), 0.2, np.float32)
    clean[:, :2, :, :4] = 0.6  # the left half shows something else from the third frame on

    def cost(frame: int, left: bool) -> float:
        denoised = clean.copy()
        denoised[:, frame, :, slice(0, 4) if left else slice(4, 8)] += 0.1
        return float(losses.log_charbonnier_trails(clean, denoised))

    assert cost(1, left=True) == pytest.approx(cost(1, left=False), rel=1e-5)
    assert cost(2, left=True) > cost(2, left=False) + 1e-3
    assert cost(5, left=True) > cost(5, left=False) + 1e-3
    assert cost(6, left=True) == pytest.approx(cost(6, left=False), rel=1e-5)
    same = np.full((1, 3, 8, 8, 3), 0.2, np.float32)  # shorter than a trail
    plain, trails = (
        losses.LOSSES[name](same, same + 0.1) for name in ("log-charbonnier", "log-charbonnier-trails")
    )
    assert float(trails) == pytest.approx(float(plain))


def test_a_loss_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadValueError, match=r"`loss` \(='mse'\) must be one of charbonnier, log-charbonnier"):
        lowlight.train(replace(TINY, loss="mse"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_charbonnier_is_nearly_absolute() -> None:
    error = float(losses.charbonnier(np.zeros((2, 2)), np.full((2, 2), 0.5)))
    assert error == pytest.approx(0.5, abs=1e-4)
    assert float(losses.charbonnier(np.zeros(3), np.zeros(3))) == pytest.approx(1e-3)


def test_the_textbook_run_leaves_its_sheets(tmp_path: Path, digits: Digits) -> None:
    table = mnist.train(mnist.MnistRecipe(epochs=1), digits, tmp_path / "run")
    scores = table.scores
    names = {path.name for path in (tmp_path / "run").iterdir()}
    wanted = {"model.keras", "history.csv", "config.json", "curve.png", "denoised.png", "robustness.png"}
    assert wanted <= names
    assert [(s.sigma, s.pictures) for s in scores] == [
        (sigma, pictures) for sigma in (0.5, 0.75, 1.0) for pictures in ("noisy", "textbook")
    ]
    noisy = [s.mse for s in scores if s.pictures == "noisy"]
    assert noisy == sorted(noisy)
    stored = json.loads((tmp_path / "run" / "robustness.json").read_text())
    assert stored["scores"][0]["mse"] == scores[0].mse
    assert stored["clean_read_right"] == table.clean_read_right > 0.2


def test_a_robust_run_trains_the_textbook_beside_it(tmp_path: Path, digits: Digits) -> None:
    recipe = mnist.MnistRecipe(robust=True, sigma=0.25, sigma_high=1.0, epochs=1)
    scores = mnist.train(recipe, digits, tmp_path / "run").scores
    assert {s.pictures for s in scores} == {"noisy", "textbook", "robust"}
    assert (tmp_path / "run" / "textbook" / "model.keras").is_file()


def test_the_best_model_is_kept_not_the_last(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", TINY, resume=False)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    keep = next(c for c in run.callbacks(model, monitor="val_loss", mode="min") if hasattr(c, "_kept"))
    weights = {}
    for epoch, loss in enumerate([0.5, 0.2, 0.4]):
        model.set_weights([np.full((1, 1), float(epoch)), np.zeros(1)])
        keep.on_epoch_end(epoch, {"val_loss": loss})
        weights[epoch] = model.get_weights()[0]
    kept = keras.models.load_model(run.model, compile=False)
    assert kept.get_weights()[0] == weights[1]


@pytest.mark.slow
def test_the_textbook_figures_on_mnist(tmp_path: Path, data: Path) -> None:
    """178,001 parameters reach the textbook's error at epoch 10, and fresh noise bears more."""
    digits = load_digits(str(data / "mnist"))
    recipe = mnist.MnistRecipe(robust=True, sigma=0.25, sigma_high=1.0)
    scores = {(s.sigma, s.pictures): s for s in mnist.train(recipe, digits, tmp_path / "run").scores}
    textbook = Run(tmp_path / "run" / "textbook", mnist.MnistRecipe(), resume=True)
    assert 0.0150 <= textbook.rows()[9]["val_loss"] <= 0.0163
    assert scores[1.0, "robust"].mse < scores[1.0, "textbook"].mse
    assert scores[1.0, "robust"].read_right > scores[1.0, "textbook"].read_right
