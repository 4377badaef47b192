"""A run folder: where one training run keeps its recipe, its history and its best model."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras

from dae_edge.errors import TrainingError
from dae_edge.files import fresh_folder, writing


class Run:
    """The folder of one run, fresh or taken up again.

    model.keras  the best model so far by the validation figure
    history.csv  one row an epoch
    config.json  the recipe; a resumed run must have the same
    resume/      optimizer state of the last whole epoch, gone when the run ends
    """

    def __init__(self, folder: Path, recipe: Any, *, resume: bool, force: bool = False) -> None:
        self.folder = folder
        config = {"recipe": type(recipe).__name__, **asdict(recipe)}
        if resume:
            self._check_recipe(config)
        else:
            fresh_folder(folder, force=force)
            with writing(self.config) as path:
                path.write_text(json.dumps(config, indent=2) + "\n")

    @property
    def model(self) -> Path:
        return self.folder / "model.keras"

    @property
    def history(self) -> Path:
        return self.folder / "history.csv"

    @property
    def config(self) -> Path:
        return self.folder / "config.json"

    @property
    def resume(self) -> Path:
        return self.folder / "resume"

    def rows(self) -> list[dict[str, float]]:
        """The history so far, a row an epoch, as numbers."""
        if not self.history.exists():
            return []
        with self.history.open(newline="") as file:
            return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]

    def callbacks(
        self, model: keras.Model, *, monitor: str, mode: str, trained: keras.Model | None = None
    ) -> list[keras.callbacks.Callback]:
        """What keeps the folder current during `fit`; `model` is what is saved when best.

        `trained` is its twin of another precision, whose weights it takes first.
        """
        sign = 1 if mode == "max" else -1
        best = max((sign * row[monitor] for row in self.rows()), default=float("-inf"))
        return [
            StopOnNaN(),
            KeepBest(model, self.model, monitor=monitor, sign=sign, best=best, trained=trained),
            KeepHistory(self.history),
            keras.callbacks.BackupAndRestore(self.resume),
        ]

    def _check_recipe(self, config: dict[str, Any]) -> None:
        if not self.config.exists():
            raise TrainingError(f"{self.folder} holds no run to resume: no {self.config.name} in it.")
        stored = json.loads(self.config.read_text())
        different = sorted(k for k in {*stored, *config} if stored.get(k) != config.get(k))
        if different:
            name = different[0]
            raise TrainingError(
                f"{self.folder} was begun with {name}={stored.get(name)!r}, not {config.get(name)!r}; "
                "resume it with the same options."
            )


class StopOnNaN(keras.callbacks.Callback):  # type: ignore[misc]
    """End the run as soon as the loss is not a number; the best model stays."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if loss != loss or loss in (float("inf"), float("-inf")):
            raise TrainingError(
                f"the loss became {loss} at step {batch} of the epoch; try a lower learning rate."
            )


class KeepHistory(keras.callbacks.Callback):  # type: ignore[misc]
    """Append each epoch's figures to a CSV file, which is never left open between two epochs."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        row = {"epoch": epoch, **(logs or {})}
        new = not self._path.exists()
        with self._path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)


class KeepBest(keras.callbacks.Callback):  # type: ignore[misc]
    """Save `model` whenever the monitored figure is the best so far, whole or not at all."""

    def __init__(
        self,
        model: keras.Model,
        path: Path,
        *,
        monitor: str,
        sign: int,
        best: float,
        trained: keras.Model | None = None,
    ) -> None:
        super().__init__()
        self._trained = trained
        self._kept, self._path, self._monitor, self._sign, self._best = model, path, monitor, sign, best

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        figure = self._sign * (logs or {})[self._monitor]
        if figure > self._best:
            self._best = figure
            if self._trained is not None:
                self._kept.set_weights(self._trained.get_weights())
            with writing(self._path, force=True) as path:
                self._kept.save(path)
