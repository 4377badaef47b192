"""A fit's progress on the terminal."""

from __future__ import annotations

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class FitProgress(keras.callbacks.Callback):  # type: ignore[misc]
    """One bar over the whole fit, and a line of figures after each epoch."""

    def __init__(self, console: Console, title: str, epochs: int) -> None:
        super().__init__()
        self._console, self._title, self._epochs = console, title, epochs

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%  {task.fields[loss]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=self._console.quiet,
            transient=True,
        )
        self._task = self._bar.add_task(self._title, total=None, loss="")
        self._bar.start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._steps = self.params.get("steps") or 0
        self._done = epoch * self._steps
        self._bar.update(self._task, total=self._epochs * self._steps or None, completed=self._done)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        self._bar.update(self._task, completed=self._done + batch + 1, loss=f"loss {loss:.4f}")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        figures = "  ".join(f"{name} {value:.4g}" for name, value in (logs or {}).items())
        self._console.print(f"[dim]{self._title} {epoch + 1:>3}/{self._epochs}[/]  {figures}")

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self._bar.stop()
