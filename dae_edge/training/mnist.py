"""Train the textbook autoencoder and see how it bears noise it was not trained on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from dae_edge.data.mnist import Digits, as_input
from dae_edge.data.noise import corrupt
from dae_edge.data.noisy_digits import FreshNoise
from dae_edge.files import writing
from dae_edge.models.mnist import autoencoder, reader
from dae_edge.training import reports
from dae_edge.training.run import Run

SIGMAS = (0.5, 0.75, 1.0)  # of the robustness table; the textbook recipe knows the first only
Pictures = NDArray[np.float32]
Callbacks = Callable[[str, int], list[keras.callbacks.Callback]]


@dataclass(frozen=True)
class MnistRecipe:
    """Everything that decides a run; saved with it.

    The textbook recipe draws its noise once, N(0.5, 0.5). The robust one draws it anew every epoch,
    each digit's sigma from `sigma` to `sigma_high`.
    """

    robust: bool = False
    sigma: float = 0.5
    sigma_high: float = 0.5
    epochs: int = 10
    batch: int = 32
    learning_rate: float = 1e-3
    seed: int = 1337


@dataclass(frozen=True)
class Score:
    """One row of the robustness table: pictures of one kind against the clean digits."""

    sigma: float
    pictures: str  # "noisy", "textbook", "robust"
    mse: float  # pictures in [0, 1]
    psnr: float  # dB of that MSE
    read_right: float  # share of digits a classifier of clean digits still reads


@dataclass(frozen=True)
class Robustness:
    """The robustness table, and the share of clean digits that the classifier reads."""

    clean_read_right: float
    scores: list[Score]


def train(
    recipe: MnistRecipe,
    digits: Digits,
    output: Path,
    *,
    resume: bool = False,
    force: bool = False,
    callbacks: Callbacks = lambda title, epochs: [],
) -> Robustness:
    """Train, leave a run folder at `output`, and return the robustness table.

    A robust run trains the textbook recipe first, in the folder `textbook` within, to be measured
    beside it. `callbacks(title, epochs)` gives each fit its extra Keras callbacks.
    """
    run = Run(output, recipe, resume=resume, force=force)
    models = {}
    if recipe.robust:
        textbook = MnistRecipe(epochs=recipe.epochs, batch=recipe.batch, seed=recipe.seed)
        inner = Run(output / "textbook", textbook, resume=(output / "textbook" / "config.json").exists())
        models["textbook"] = _fit(textbook, digits, inner, callbacks)
    name = "robust" if recipe.robust else "textbook"
    models[name] = _fit(recipe, digits, run, callbacks)

    judge = _train_reader(digits, recipe.seed, callbacks)
    table = robustness(models, judge, digits, seed=recipe.seed)
    _report(run, models, digits, table, recipe.seed)
    return table


def robustness(
    models: dict[str, keras.Model], judge: keras.Model, digits: Digits, *, seed: int
) -> Robustness:
    """The noisy test set and each model's answer to it at every sigma of `SIGMAS`."""
    clean = as_input(digits.test_pictures)
    scores = []
    for sigma in SIGMAS:
        noisy = corrupt(clean, sigma, np.random.default_rng([seed, int(100 * sigma)]))
        answers = {"noisy": noisy}
        answers |= {name: model.predict(noisy, batch_size=256, verbose=0) for name, model in models.items()}
        for name, pictures in answers.items():
            mse = float(np.mean(np.square(pictures - clean)))
            read = _read_right(judge, pictures, digits.test_labels)
            scores.append(Score(sigma, name, mse, float(-10 * np.log10(mse)), read))
    return Robustness(_read_right(judge, clean, digits.test_labels), scores)


def _fit(recipe: MnistRecipe, digits: Digits, run: Run, callbacks: Callbacks) -> keras.Model:
    """One recipe to its end, or on from where it stopped; the best model by validation MSE."""
    keras.utils.set_random_seed(recipe.seed)
    random = np.random.default_rng(recipe.seed)
    model = autoencoder()
    model.compile(optimizer=keras.optimizers.Adam(recipe.learning_rate), loss="mse")
    clean, test = as_input(digits.train_pictures), as_input(digits.test_pictures)
    sigmas = random.uniform(recipe.sigma, recipe.sigma_high, size=(len(test), 1, 1, 1))
    noisy_test = corrupt(test, sigmas.astype(np.float32), random)
    kept = run.callbacks(model, monitor="val_loss", mode="min")
    common = {
        "epochs": recipe.epochs,
        "validation_data": (noisy_test, test),
        "validation_batch_size": 256,
        "callbacks": [*kept, *callbacks("robust" if recipe.robust else "textbook", recipe.epochs)],
        "verbose": 0,
    }
    if recipe.robust:
        data = FreshNoise(
            clean,
            sigmas=(recipe.sigma, recipe.sigma_high),
            batch=recipe.batch,
            seed=recipe.seed,
            first_epoch=len(run.rows()),
        )
        model.fit(data, shuffle=False, **common)
    else:
        model.fit(corrupt(clean, recipe.sigma, random), clean, batch_size=recipe.batch, **common)
    return keras.models.load_model(run.model, compile=False)


def _train_reader(digits: Digits, seed: int, callbacks: Callbacks) -> keras.Model:
    """The classifier that judges: two epochs on clean digits, about 98 % right on MNIST."""
    keras.utils.set_random_seed(seed)
    judge = reader()
    judge.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    judge.fit(
        as_input(digits.train_pictures),
        digits.train_labels,
        batch_size=64,
        epochs=2,
        callbacks=callbacks("classifier", 2),
        verbose=0,
    )
    return judge


def _read_right(judge: keras.Model, pictures: Pictures, labels: NDArray[np.uint8]) -> float:
    read = judge.predict(pictures, batch_size=256, verbose=0).argmax(axis=1)
    return float(np.mean(read == labels))


def _report(
    run: Run,
    models: dict[str, keras.Model],
    digits: Digits,
    table: Robustness,
    seed: int,
) -> None:
    """The curve, the sheet of 3 x 9 digits, the robustness sheet and table."""
    reports.curve(run.rows(), run.folder / "curve.png", {"loss": "training", "val_loss": "validation"}, "MSE")
    clean = as_input(digits.test_pictures[:27])
    latest = list(models.values())[-1]
    noisy = corrupt(clean, SIGMAS[0], np.random.default_rng(seed))
    denoised = latest.predict(noisy, verbose=0)
    blocks = [
        [("original", clean[i : i + 9]), ("noisy", noisy[i : i + 9]), ("denoised", denoised[i : i + 9])]
        for i in range(0, len(clean), 9)
    ]
    reports.sheet(blocks, run.folder / "denoised.png", "Denoising autoencoder, noise N(0.5, 0.5)")

    blocks = []
    for sigma in SIGMAS:
        noisy = corrupt(clean[:9], sigma, np.random.default_rng([seed, int(100 * sigma)]))
        rows = [("original", clean[:9]), (f"sigma {sigma:g}", noisy)]
        rows += [(name, model.predict(noisy, verbose=0)) for name, model in models.items()]
        blocks.append(rows)
    reports.sheet(blocks, run.folder / "robustness.png", "The same digits in more and more noise")

    with writing(run.folder / "robustness.json", force=True) as path:
        path.write_text(json.dumps(asdict(table), indent=2) + "\n")
