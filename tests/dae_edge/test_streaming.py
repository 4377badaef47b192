"""What every streaming denoiser does, whatever its shape: memory, count, cuts, sizes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from dae_edge.models.lowlight import STRIDE, lowlight
from dae_edge.models.lowlight_s import lowlight_s
from dae_edge.models.parts import MEMORY, frames_stood_on, mask_of
from dae_edge.models.unroll import apart, freeze_memory, memories, no_memory, unroll

State = dict[str, np.ndarray]


@pytest.fixture(scope="module", params=[lowlight, lowlight_s])
def model(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(0)
    return request.param()


def fresh(model: keras.Model, frame: np.ndarray) -> State:
    return {name: keras.ops.convert_to_numpy(value) for name, value in no_memory(model, frame).items()}


def step(model: keras.Model, frame: np.ndarray, state: State) -> tuple[np.ndarray, State]:
    out = {k: keras.ops.convert_to_numpy(v) for k, v in model({"frame": frame, **state}).items()}
    return out["denoised"], {name: out[f"{name}_next"] for name in state}


def test_the_count_never_passes_its_limit(model: keras.Model) -> None:
    frame = np.full((1, 16, 16, 3), 0.5, np.float32)
    state = fresh(model, frame)
    for _ in range(80):
        _, state = step(model, frame, state)
    assert 1 <= state["state_count"].min() <= state["state_count"].max() <= MEMORY


def test_unrolled_is_the_same_as_step_by_step(model: keras.Model) -> None:
    clip = np.random.default_rng(1).random((1, 3, 16, 16, 3), dtype=np.float32)
    together = keras.ops.convert_to_numpy(unroll(model, 3, 16, 16)(clip))
    state = fresh(model, clip[:, 0])
    for index in range(3):
        denoised, state = step(model, clip[:, index], state)
        assert np.allclose(together[:, index], denoised, atol=1e-5)


def test_apart_is_the_same_as_unrolled_where_every_frame_has_the_memory_that_it_met(
    model: keras.Model,
) -> None:
    clip = keras.ops.convert_to_tensor(np.random.default_rng(1).random((2, 3, 16, 16, 3), dtype=np.float32))
    met = memories(model, 3, 16, 16)(clip)
    assert not keras.ops.any(met["state_count"][:, 0])
    together = keras.ops.convert_to_numpy(unroll(model, 3, 16, 16)(clip))
    one_by_one = keras.ops.convert_to_numpy(apart(model, 3, 16, 16)({"clip": clip, **met}))
    assert np.allclose(together, one_by_one, atol=1e-5)


@pytest.mark.parametrize("network", [lowlight, lowlight_s])
def test_frozen_memory_holds_the_same_after_a_training_step(network: object) -> None:
    model = network()  # type: ignore[operator]
    clip = keras.ops.convert_to_tensor(np.random.default_rng(1).random((2, 3, 16, 16, 3), dtype=np.float32))
    met = memories(model, 3, 16, 16)(clip)
    freeze_memory(model)
    alone = apart(model, 3, 16, 16)
    before = keras.ops.convert_to_numpy(alone({"clip": clip, **met}))
    alone.compile(keras.optimizers.SGD(1.0), "mse")
    alone.train_on_batch({"clip": clip, **met}, keras.ops.zeros_like(clip))
    assert np.abs(keras.ops.convert_to_numpy(alone({"clip": clip, **met})) - before).max() > 1e-3
    for name, state in memories(model, 3, 16, 16)(clip).items():
        assert (keras.ops.convert_to_numpy(state) == keras.ops.convert_to_numpy(met[name])).all()


def test_any_multiple_of_the_stride_is_taken(model: keras.Model) -> None:
    for sides in ((1, 1), (3, 5)):
        frame = np.zeros((1, *(STRIDE * s for s in sides), 3), np.float32)
        assert step(model, frame, fresh(model, frame))[0].shape == frame.shape


def test_it_loads_without_unsafe_code(model: keras.Model, tmp_path: object) -> None:
    model.save(f"{tmp_path}/m.keras")
    loaded = keras.models.load_model(f"{tmp_path}/m.keras", safe_mode=True, compile=False)
    frame = np.random.default_rng(2).random((1, 16, 16, 3), dtype=np.float32)
    first, again = (step(m, frame, fresh(m, frame))[0] for m in (model, loaded))
    assert np.allclose(first, again, atol=1e-6)


def count_after(count: float, *motions: float) -> np.ndarray:
    """Of planes each part of which moved by one of `motions`."""
    moved = np.repeat(np.array(motions, np.float32), 4).reshape(1, len(motions), 4, 1)
    return keras.ops.convert_to_numpy(frames_stood_on(np.full_like(moved, count), moved))[0, :, 0, 0]


def test_a_first_frame_stands_on_itself() -> None:
    assert count_after(0, 0, 0.5, 1) == pytest.approx([1, 1, 1])


def test_what_moves_starts_anew_and_the_rest_goes_on() -> None:
    assert count_after(10, 0, 0, 0, 0, 1) == pytest.approx([11, 11, 11, 11, 1])
    assert count_after(MEMORY, 0) == pytest.approx([MEMORY])


def test_a_fast_pan_is_no_cut() -> None:
    """There is not much left of memory at any frame of it; what there is stays."""
    assert count_after(1.5, 0, 1, 1) == pytest.approx([2.5, 1, 1])


def test_at_a_cut_everything_starts_anew() -> None:
    assert count_after(10, 0, 0.3, 1, 1) == pytest.approx([1, 1, 1, 1])


def test_a_cut_in_one_clip_is_none_in_another_of_the_batch() -> None:
    motion = np.zeros((2, 4, 4, 1), np.float32)
    motion[0] = 0.9
    after = keras.ops.convert_to_numpy(frames_stood_on(np.full_like(motion, 10), motion))
    assert after[0] == pytest.approx(1)
    assert after[1] == pytest.approx(11)


def test_a_mask_that_is_cut_off_still_learns() -> None:
    logits = tf.constant([-6.0, 0.0, 6.0])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        mask = mask_of(logits, learning=True)
    assert keras.ops.convert_to_numpy(mask) == pytest.approx([0, 0.5, 1], abs=1e-6)
    assert keras.ops.convert_to_numpy(mask_of(logits, learning=False)) == pytest.approx([0, 0.5, 1])
    assert (tape.gradient(mask, logits).numpy() > 1e-3).all()
