"""Train the `lowlight` denoiser from nothing but drawn pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import KerasTensor, ops

from dae_edge.data.clips import DrawnClips
from dae_edge.data.pictures import pictures_in
from dae_edge.models.lowlight import lowlight, unroll
from dae_edge.training import reports
from dae_edge.training.run import Run

STEPS_AN_EPOCH = 250
_VALIDATION_SEED = 1_000_003  # drawn clips that no training seed reaches


@dataclass(frozen=True)
class LowlightRecipe:
    """Everything that decides a run; saved with it."""

    width: int = 16  # channels at half resolution
    frames: int = 12  # unrolled through the recurrence
    patch: int = 96  # pixels a side
    batch: int = 3  # clips a step
    epochs: int = 85  # of STEPS_AN_EPOCH steps
    learning_rate: float = 1e-3  # at the start of a cosine that ends near zero
    seed: int = 1
    data: str | None = None  # a folder of clean pictures to use beside the drawn ones


def train(
    recipe: LowlightRecipe,
    output: Path,
    *,
    resume: bool = False,
    force: bool = False,
    extra: tuple[keras.callbacks.Callback, ...] = (),
) -> Run:
    """Fit the model and leave a run folder at `output`; the best validation PSNR is kept."""
    pictures = pictures_in(Path(recipe.data)) if recipe.data else ()
    run = Run(output, recipe, resume=resume, force=force)
    keras.utils.set_random_seed(recipe.seed)
    model = lowlight(recipe.width)
    clips = unroll(model, recipe.frames, recipe.patch, recipe.patch)
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate, recipe.epochs * STEPS_AN_EPOCH, alpha=0.01
    )
    clips.compile(
        optimizer=keras.optimizers.Adam(schedule, clipnorm=1.0),
        loss=charbonnier,
        metrics=[first_psnr, last_psnr],
        jit_compile=keras.backend.backend() == "jax",
    )
    data = DrawnClips(
        batch=recipe.batch,
        frames=recipe.frames,
        patch=recipe.patch,
        steps=STEPS_AN_EPOCH,
        seed=recipe.seed,
        first_epoch=len(run.rows()),
        pictures=pictures,
    )
    clips.fit(
        data,
        epochs=recipe.epochs,
        validation_data=validation_clips(recipe),
        validation_batch_size=recipe.batch,
        shuffle=False,
        callbacks=[*run.callbacks(model, monitor="val_last_psnr", mode="max"), *extra],
        verbose=0,
    )
    _report(run, recipe)
    return run


def _report(run: Run, recipe: LowlightRecipe) -> None:
    """The training curve, and the best model on drawn clips it never saw."""
    series = {"val_first_psnr": "first frame", "val_last_psnr": f"frame {recipe.frames}"}
    reports.curve(run.rows(), run.folder / "curve.png", series, "validation PSNR, dB")
    best = keras.models.load_model(run.model, compile=False)
    noisy, clean = (pictures[::9] for pictures in validation_clips(recipe))
    denoised = unroll(best, recipe.frames, recipe.patch, recipe.patch).predict(noisy, batch_size=1, verbose=0)
    rows = [("noisy", noisy), ("denoised", np.clip(denoised, 0, 1)), ("clean", clean)]
    last_frames = [(label, clips[:, -1, ..., ::-1]) for label, clips in rows]  # BGR to RGB
    title = f"Frame {recipe.frames} of drawn clips that never train"
    reports.sheet([last_frames], run.folder / "before_after.png", title)


def validation_clips(recipe: LowlightRecipe) -> tuple[np.ndarray, np.ndarray]:
    """The same 48 drawn clips for every run of these sizes: (noisy, clean)."""
    data = DrawnClips(batch=4, frames=recipe.frames, patch=recipe.patch, steps=12, seed=_VALIDATION_SEED)
    noisy, clean = zip(*(data[index] for index in range(len(data))), strict=True)
    return np.concatenate(noisy), np.concatenate(clean)


def charbonnier(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    """Mean of sqrt(error**2 + 1e-6): nearly absolute error, smooth at zero.

    Source: Charbonnier et al., "Two deterministic half-quadratic regularization algorithms for
    computed imaging" (ICIP 1994).
    """
    return ops.mean(ops.sqrt(ops.square(denoised - clean) + 1e-6))


def first_psnr(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    """PSNR in dB of each clip's first frame, where there is no memory yet."""
    return _psnr(clean[:, 0], denoised[:, 0])


def last_psnr(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    """PSNR in dB of each clip's last frame."""
    return _psnr(clean[:, -1], denoised[:, -1])


def _psnr(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    error = ops.mean(ops.square(ops.clip(denoised, 0, 1) - clean), axis=(1, 2, 3))
    return -10 * ops.log10(ops.maximum(error, 1e-10))
