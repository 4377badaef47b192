"""Train the `lowlight` denoiser from nothing but drawn pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
from keras import KerasTensor, ops

from dae_edge.data.clips import Batch, DrawnClips, real_clips
from dae_edge.data.followed import Followed, followed
from dae_edge.data.pictures import pictures_in
from dae_edge.errors import BadValueError, ModelLoadError
from dae_edge.models.grow import grow
from dae_edge.models.lowlight import lowlight
from dae_edge.models.lowlight_s import lowlight_s
from dae_edge.models.unroll import unroll
from dae_edge.sensor import Sensor
from dae_edge.sensor.measure import read_camera
from dae_edge.training import reports
from dae_edge.training.early import HoldMask, Revive
from dae_edge.training.run import Run

STEPS_AN_EPOCH = 250
TRAIL = 4  # frames for which a pixel that shows something new may be haunted
TRAIL_WEIGHT = 3.0
MOVED = 10 / 255  # change of a pixel that shows something else now
VALIDATION_CLIPS = 48
_VALIDATION_SEED = 1_000_003  # drawn clips that no training seed reaches


@dataclass(frozen=True)
class LowlightRecipe:
    """Everything that decides a run; saved with it."""

    name: str = "lowlight"
    network: str = "half"  # one of NETWORKS
    width: int = 16  # channels at the resolution it works at
    blocks: int = 0  # residual blocks at 1/4 and at 1/8: of "half" only
    deep: int = 48  # channels at 1/8: of "quarter" only
    start: str | None = None  # a trained model to start from: a .keras file of the same or a smaller size
    precision: str = "float32"  # of the convolutions while training
    frames: int = 12  # unrolled through the recurrence
    patch: int = 96  # pixels a side
    batch: int = 3  # clips a step
    epochs: int = 85  # of STEPS_AN_EPOCH steps
    unmasked: int = 0  # first epochs, in which the mask stays as low as it starts: of "quarter" only
    learning_rate: float = 1e-3  # at the start of a cosine that ends near zero
    warmup: int = 0  # steps of a slow start; a grown network loses what it was given without
    loss: str = "log-charbonnier-trails"  # one of LOSSES
    seed: int = 1
    data: str | None = None  # a folder of clean pictures to use beside the drawn ones
    camera: str | None = None  # a camera.json of the camera to train for; any camera if none
    h264: float = 0.0  # share of the clips that come over H.264, which needs PyAV
    followed: float = 0.0  # share of the clips whose memory follows motion: of "half" only
    validation: str | None = None  # a folder of clean clips that decide instead of drawn ones


NETWORKS = {"half": 2, "quarter": 4}  # by the resolution it works at, and the frame's against it

# The family: one recipe a size.
RECIPES = {
    "lowlight-s": LowlightRecipe(name="lowlight-s", network="quarter", width=32, unmasked=10, warmup=200),
    "lowlight": LowlightRecipe(),
    "lowlight-l": LowlightRecipe(
        name="lowlight-l",
        width=32,
        blocks=1,
        precision="mixed_bfloat16",
        learning_rate=5e-4,
        warmup=500,
        followed=0.8,
    ),
}


def quick(recipe: LowlightRecipe) -> LowlightRecipe:
    """A run of under five minutes on two cores: to see that it works, not for the picture."""
    return replace(recipe, epochs=4, frames=8, patch=64, batch=3, unmasked=min(recipe.unmasked, 2))


def train(
    recipe: LowlightRecipe,
    output: Path,
    *,
    resume: bool = False,
    force: bool = False,
    extra: tuple[keras.callbacks.Callback, ...] = (),
) -> Run:
    """Fit the model and leave a run folder at `output`; the best validation PSNR is kept."""
    if recipe.loss not in LOSSES:
        raise BadValueError(f"`loss` (={recipe.loss!r}) must be one of {', '.join(LOSSES)}.")
    if recipe.network not in NETWORKS:
        raise BadValueError(f"`network` (={recipe.network!r}) must be one of {', '.join(NETWORKS)}.")
    if recipe.followed and recipe.network != "half":
        raise BadValueError(f"`followed` (={recipe.followed}) is for networks at half resolution.")
    pictures = pictures_in(Path(recipe.data)) if recipe.data else ()
    camera = _camera(recipe)
    validation = validation_clips(recipe)
    source = _source(recipe) if recipe.start else None
    run = Run(output, recipe, resume=resume, force=force)  # only now: wrong input must not cost an old run
    keras.utils.set_random_seed(recipe.seed)
    model = _build(recipe, recipe.precision)
    if source is not None:
        grow(model, source)
    kept = _build(recipe, "float32")
    clips = _over_clips(model, recipe)
    schedule = _schedule(recipe)
    clips.compile(
        optimizer=keras.optimizers.Adam(schedule, clipnorm=1.0),
        loss=LOSSES[recipe.loss],
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
        camera=camera,
        h264=recipe.h264,
    )
    clips.fit(
        Followed(data, recipe.followed, recipe.seed) if recipe.followed else data,
        epochs=recipe.epochs,
        validation_data=(_inputs(recipe, *validation), validation[1]),
        validation_batch_size=recipe.batch,
        shuffle=False,
        callbacks=[
            HoldMask(model, recipe.unmasked if source is None else 0),
            Revive(model, validation[0], last=recipe.epochs // 2, seed=recipe.seed),
            *run.callbacks(kept, monitor="val_last_psnr", mode="max", trained=model),
            *extra,
        ],
        verbose=0,
    )
    _report(run, recipe, validation)
    return run


def _build(recipe: LowlightRecipe, precision: str) -> keras.Model:
    if recipe.network == "quarter":
        return lowlight_s(recipe.width, recipe.deep, precision=precision, name=recipe.name)
    return lowlight(recipe.width, recipe.blocks, precision=precision, name=recipe.name)


def _over_clips(model: keras.Model, recipe: LowlightRecipe) -> keras.Model:
    return unroll(model, recipe.frames, recipe.patch, recipe.patch, follow=recipe.followed > 0)


def _inputs(recipe: LowlightRecipe, noisy: Batch, clean: Batch) -> Batch | dict[str, Batch]:
    """What the unrolled network takes of the clips that decide: all of them followed, or none."""
    return followed(noisy, clean, 1.0, np.random.default_rng(0)) if recipe.followed else noisy


def _camera(recipe: LowlightRecipe) -> Sensor | None:
    return read_camera(Path(recipe.camera)).sensor if recipe.camera else None


def _source(recipe: LowlightRecipe) -> keras.Model:
    """The trained model that a run starts from."""
    try:
        model = keras.models.load_model(recipe.start, compile=False, safe_mode=True)
        divisor = model.get_layer("analysis").strides[0]
    except Exception as failure:  # Keras has a kind of its own for every way a file can be wrong
        raise ModelLoadError(f"{recipe.start} is not a low-light Keras model, or a damaged one.") from failure
    if divisor != NETWORKS[recipe.network]:
        raise BadValueError(
            f"`start` (={recipe.start}) works at 1/{divisor} of the resolution; {recipe.name} at "
            f"1/{NETWORKS[recipe.network]}, and takes nothing over from it."
        )
    return model


def _schedule(recipe: LowlightRecipe) -> keras.optimizers.schedules.LearningRateSchedule:
    steps = recipe.epochs * STEPS_AN_EPOCH
    warmup = min(recipe.warmup, steps // 4)  # a short run warms up in proportion
    return keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else recipe.learning_rate,
        steps - warmup,
        alpha=0.01,
        warmup_target=recipe.learning_rate if warmup else None,
        warmup_steps=warmup,
    )


def _report(run: Run, recipe: LowlightRecipe, validation: tuple[np.ndarray, np.ndarray]) -> None:
    """The training curve, and the best model on clips it never saw."""
    series = {"val_first_psnr": "first frame", "val_last_psnr": f"frame {recipe.frames}"}
    reports.curve(run.rows(), run.folder / "curve.png", series, "validation PSNR, dB")
    best = keras.models.load_model(run.model, compile=False)
    noisy, clean = (_some(pictures) for pictures in validation)
    denoised = _over_clips(best, recipe).predict(_inputs(recipe, noisy, clean), batch_size=1, verbose=0)
    rows = [("noisy", noisy), ("denoised", np.clip(denoised, 0, 1)), ("clean", clean)]
    last_frames = [(label, clips[:, -1, ..., ::-1]) for label, clips in rows]  # BGR to RGB
    title = f"Frame {recipe.frames} of clips that never train"
    reports.sheet([last_frames], run.folder / "before_after.png", title)


def _some(clips: np.ndarray) -> np.ndarray:
    """Up to six, from all over."""
    return clips[:: max(len(clips) // 6, 1)][:6]


def validation_clips(recipe: LowlightRecipe) -> tuple[np.ndarray, np.ndarray]:
    """The same for every run of these sizes and camera, (noisy, clean): drawn ones, or the user's."""
    camera = _camera(recipe)
    if recipe.validation:
        return real_clips(Path(recipe.validation), recipe.frames, recipe.patch, camera=camera)
    batch = 4
    data = DrawnClips(
        batch=batch,
        frames=recipe.frames,
        patch=recipe.patch,
        steps=VALIDATION_CLIPS // batch,
        seed=_VALIDATION_SEED,
        camera=camera,
    )
    noisy, clean = zip(*(data[index] for index in range(len(data))), strict=True)
    return np.concatenate(noisy), np.concatenate(clean)


def charbonnier(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    """Mean of sqrt(error**2 + 1e-6): nearly absolute error, smooth at zero.

    Source: Charbonnier et al., "Two deterministic half-quadratic regularization algorithms for
    computed imaging" (ICIP 1994).
    """
    return ops.mean(ops.sqrt(ops.square(denoised - clean) + 1e-6))


def log_charbonnier(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    """Mean over all frames of the logarithm of each one's Charbonnier loss, as PSNR counts.

    A tenth less error is worth the same in a bright clip as in a dark one, where the plain mean is
    nearly blind to light noise. The scale keeps gradients near those of `charbonnier`.
    """
    error = ops.mean(ops.sqrt(ops.square(denoised - clean) + 1e-6), axis=(2, 3, 4))
    return 0.02 * ops.mean(ops.log(error + 2e-3))


def log_charbonnier_trails(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    """`log_charbonnier` in which a pixel that showed something else lately counts `1 + TRAIL_WEIGHT` times.

    There a memory that does not let go leaves a ghost: a small part of a picture, but what the eye is
    drawn to. Where everything moves, all counts the same.
    """
    changed = ops.zeros_like(clean[..., :1])
    for frames in range(1, min(TRAIL + 1, clean.shape[1])):
        before = ops.concatenate([clean[:, :1]] * frames + [clean[:, :-frames]], axis=1)
        change = ops.max(ops.abs(clean - before), axis=-1, keepdims=True)
        changed = ops.maximum(changed, ops.cast(change > MOVED, changed.dtype))
    weight = 1 + TRAIL_WEIGHT * changed
    error = ops.sqrt(ops.square(denoised - clean) + 1e-6) * weight
    share = ops.mean(weight, axis=(2, 3, 4))
    return 0.02 * ops.mean(ops.log(ops.mean(error, axis=(2, 3, 4)) / share + 2e-3))


LOSSES = {
    "charbonnier": charbonnier,
    "log-charbonnier": log_charbonnier,
    "log-charbonnier-trails": log_charbonnier_trails,
}


def first_psnr(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    """PSNR in dB of each clip's first frame, where there is no memory yet."""
    return _psnr(clean[:, 0], denoised[:, 0])


def last_psnr(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    """PSNR in dB of each clip's last frame."""
    return _psnr(clean[:, -1], denoised[:, -1])


def _psnr(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    error = ops.mean(ops.square(ops.clip(denoised, 0, 1) - clean), axis=(1, 2, 3))
    return -10 * ops.log10(ops.maximum(error, 1e-10))
