"""Train the `lowlight` denoiser from nothing but drawn pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import keras
import numpy as np

from dae_edge.data.clips import Batch, DrawnClips, real_clips
from dae_edge.data.followed import Followed, followed
from dae_edge.data.pictures import pictures_in
from dae_edge.data.remembered import PICKED, Inputs, Remembered, recorded
from dae_edge.errors import BadValueError, ModelLoadError
from dae_edge.models.grow import grow
from dae_edge.models.lowlight import lowlight
from dae_edge.models.lowlight_s import lowlight_s
from dae_edge.models.unroll import apart, freeze_all_but_memory, freeze_memory, memories, unroll
from dae_edge.runtime.load import model_path
from dae_edge.sensor import Sensor
from dae_edge.sensor.measure import read_camera
from dae_edge.training import reports
from dae_edge.training.early import HoldMask, Revive
from dae_edge.training.losses import LOSSES, first_psnr, last_psnr
from dae_edge.training.run import Run

STEPS_AN_EPOCH = 250
VALIDATION_CLIPS = 48
_VALIDATION_SEED = 1_000_003  # drawn clips that no training seed reaches

Pair = tuple[Batch, Batch]  # noisy and clean clips
# The network over what it trains on, what it trains on, and what decides.
Fit = tuple[keras.Model, keras.utils.PyDataset, tuple[Batch | Inputs, Batch]]


@dataclass(frozen=True)
class LowlightRecipe:
    """Everything that decides a run; saved with it."""

    name: str = "lowlight"
    network: str = "half"  # one of NETWORKS
    width: int = 16  # channels at the resolution it works at
    blocks: int = 0  # residual blocks at 1/4 and at 1/8: of "half" only
    deep: int = 48  # channels at 1/8: of "quarter" only
    start: str | None = None  # a trained model to start from, as `model_path` takes it, no larger than this
    precision: str = "float32"  # of the convolutions while training: one of PRECISIONS
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
    keep_memory: bool = False  # what gathers memory stays as it is; frames train one by one. Needs `start`
    only_memory: bool = False  # the gate alone learns. Needs `start`, and not with `keep_memory`
    validation: str | None = None  # a folder of clean clips that decide instead of drawn ones


# bfloat16 is for machines that multiply in it; on AMD's Zen 3, which cannot, a step takes nine times as long.
PRECISIONS = ("float32", "mixed_bfloat16")
NETWORKS = {"half": 2, "quarter": 4}  # by the resolution it works at, and the frame's against it

# The family: one recipe a size.
RECIPES = {
    "lowlight-s": LowlightRecipe(name="lowlight-s", network="quarter", width=32, unmasked=10, warmup=200),
    "lowlight": LowlightRecipe(),
    "lowlight-l": LowlightRecipe(
        name="lowlight-l",
        width=32,
        blocks=1,
        learning_rate=5e-4,
        warmup=500,
        followed=0.8,
    ),
}


def quick(recipe: LowlightRecipe) -> LowlightRecipe:
    """A run of under five minutes on two cores: to see that it works, not for the picture."""
    return replace(recipe, epochs=4, frames=8, patch=64, batch=3, unmasked=min(recipe.unmasked, 2))


def keeping_memory(recipe: LowlightRecipe) -> LowlightRecipe:
    """For a trained model: all but what gathers memory learns, from many more clips in the same time."""
    followed = 0.5 if recipe.network == "half" else 0.0
    return replace(
        recipe, keep_memory=True, frames=20, epochs=24, learning_rate=4e-4, warmup=200, followed=followed
    )


def only_memory(recipe: LowlightRecipe) -> LowlightRecipe:
    """For a trained model: the gate alone learns, on clips long enough for a leak in memory to matter."""
    return replace(recipe, only_memory=True, frames=20, epochs=8, learning_rate=4e-4, warmup=100)


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
    if recipe.precision not in PRECISIONS:
        raise BadValueError(f"`precision` (={recipe.precision!r}) must be one of {', '.join(PRECISIONS)}.")
    if recipe.keep_memory and recipe.only_memory:
        raise BadValueError("`keep_memory` and `only_memory` leave nothing to train: give one of them.")
    for name, asked in (("keep_memory", recipe.keep_memory), ("only_memory", recipe.only_memory)):
        if asked and not recipe.start:
            raise BadValueError(f"`{name}` goes on with a trained model: give `start`.")
    if recipe.followed and recipe.network != "half":
        raise BadValueError(f"`followed` (={recipe.followed}) is for networks at half resolution.")
    pictures = pictures_in(Path(recipe.data)) if recipe.data else ()
    camera = _camera(recipe)
    validation = validation_clips(recipe)
    keras.utils.set_random_seed(recipe.seed)
    model = build(recipe, recipe.precision, learning=True)
    if recipe.start:
        _begin(model, recipe, recipe.start)
    run = Run(output, recipe, resume=resume, force=force)  # only now: wrong input must not cost an old run
    kept = build(recipe, "float32")
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
    fitted, data, decides = (_apart if recipe.keep_memory else _over_clips)(model, recipe, data, validation)
    if recipe.only_memory:
        freeze_all_but_memory(model)
    early = (
        HoldMask(model, 0 if recipe.start else recipe.unmasked),
        Revive(model, validation[0], last=recipe.epochs // 2, seed=recipe.seed),
    )
    fitted.compile(
        optimizer=keras.optimizers.Adam(_schedule(recipe), clipnorm=1.0),
        loss=LOSSES[recipe.loss],
        metrics=[first_psnr, last_psnr],
        jit_compile=_compiled(recipe),
    )
    fitted.fit(
        data,
        epochs=recipe.epochs,
        validation_data=decides,
        validation_batch_size=recipe.batch,
        shuffle=False,
        callbacks=[
            *(() if recipe.keep_memory or recipe.only_memory else early),
            *run.callbacks(kept, monitor="val_last_psnr", mode="max", trained=model),
            *extra,
        ],
        verbose=0,
    )
    _report(run, recipe, validation)
    return run


def build(recipe: LowlightRecipe, precision: str, *, learning: bool = False) -> keras.Model:
    """The recipe's network, untrained; `precision` and `learning` as `models.lowlight` takes them."""
    if recipe.network == "quarter":
        network = partial(lowlight_s, recipe.width, recipe.deep)
    else:
        network = partial(lowlight, recipe.width, recipe.blocks)
    return network(precision=precision, learning=learning, name=recipe.name)


def _over_clips(model: keras.Model, recipe: LowlightRecipe, clips: DrawnClips, validation: Pair) -> Fit:
    """Whole clips, through the recurrence."""
    data = Followed(clips, recipe.followed, recipe.seed) if recipe.followed else clips
    return _unrolled(model, recipe), data, (_inputs(recipe, *validation), validation[1])


def _apart(model: keras.Model, recipe: LowlightRecipe, clips: DrawnClips, validation: Pair) -> Fit:
    """Frame by frame, with memory that is recorded before."""
    _, whole, decides = _over_clips(model, recipe, clips, validation)
    remembers = build(recipe, "float32")
    remembers.set_weights(model.get_weights())
    memory = memories(remembers, *_sizes(recipe), follow=recipe.followed > 0)
    memory.compile(jit_compile=_compiled(recipe))
    freeze_memory(model)
    return (
        apart(model, PICKED, recipe.patch, recipe.patch),
        Remembered(whole, memory, batch=recipe.batch, end=recipe.epochs * STEPS_AN_EPOCH, seed=recipe.seed),
        recorded(memory, *decides, batch=recipe.batch, random=np.random.default_rng(0)),
    )


def _compiled(recipe: LowlightRecipe) -> bool:
    """With JAX always; with TensorFlow in long runs on single frames: a minute for a third of each step."""
    backend = keras.backend.backend()
    return backend == "jax" or (backend == "tensorflow" and recipe.keep_memory and recipe.epochs >= 4)


def _unrolled(model: keras.Model, recipe: LowlightRecipe) -> keras.Model:
    return unroll(model, *_sizes(recipe), follow=recipe.followed > 0)


def _sizes(recipe: LowlightRecipe) -> tuple[int, int, int]:
    return recipe.frames, recipe.patch, recipe.patch


def _inputs(recipe: LowlightRecipe, noisy: Batch, clean: Batch) -> Batch | Inputs:
    """What the unrolled network takes of the clips that decide: all of them followed, or none."""
    return followed(noisy, clean, 1.0, np.random.default_rng(0)) if recipe.followed else noisy


def _camera(recipe: LowlightRecipe) -> Sensor | None:
    return read_camera(Path(recipe.camera)).sensor if recipe.camera else None


def _begin(model: keras.Model, recipe: LowlightRecipe, start: str) -> None:
    """Give `model` the weights that the run starts from."""
    left = grow(model, _source(recipe, start))
    if left:
        raise BadValueError(
            f"`start` (={start}) does not fit into {recipe.name}: its layer {left[0]} is larger, "
            "and none of it would be kept; start with a model of the same size or a smaller one."
        )


def _source(recipe: LowlightRecipe, start: str) -> keras.Model:
    """The trained model that a run starts from."""
    try:
        model = keras.models.load_model(model_path(start), compile=False, safe_mode=True)
        divisor = model.get_layer("analysis").strides[0]
    except Exception as failure:  # Keras has a kind of its own for every way a file can be wrong
        raise ModelLoadError(f"{start} is not a low-light Keras model, or a damaged one.") from failure
    if divisor != NETWORKS[recipe.network]:
        raise BadValueError(
            f"`start` (={start}) works at 1/{divisor} of the resolution; {recipe.name} at "
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
    denoised = _unrolled(best, recipe).predict(_inputs(recipe, noisy, clean), batch_size=1, verbose=0)
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
