import gzip
import struct
from pathlib import Path

import keras
import numpy as np
import pytest

from dae_edge.data import remembered as blocks
from dae_edge.data.clips import DrawnClips
from dae_edge.data.digits import draw_digits
from dae_edge.data.followed import Followed
from dae_edge.data.mnist import _PARTS, as_input, load_digits
from dae_edge.data.noise import corrupt
from dae_edge.data.noisy_digits import FreshNoise
from dae_edge.data.remembered import PICKED, Remembered
from dae_edge.errors import MediaError
from dae_edge.models.lowlight import lowlight
from dae_edge.models.unroll import memories


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


@pytest.fixture
def sets() -> dict[str, np.ndarray]:
    (train, train_labels), (test, test_labels) = draw_digits(30, seed=1), draw_digits(12, seed=2)
    return dict(zip(_PARTS, (train, train_labels, test, test_labels), strict=True))


@pytest.mark.parametrize("gzipped", [False, True])
def test_idx_folders_are_read(tmp_path: Path, sets: dict[str, np.ndarray], gzipped: bool) -> None:
    for part, name in _PARTS.items():
        content = idx(sets[part])
        (tmp_path / (name + ".gz" * gzipped)).write_bytes(gzip.compress(content) if gzipped else content)
    digits = load_digits(str(tmp_path))
    assert (digits.train_pictures == sets["train_pictures"]).all()
    assert (digits.test_labels == sets["test_labels"]).all()


def test_an_npz_is_read(tmp_path: Path, sets: dict[str, np.ndarray]) -> None:
    np.savez(
        tmp_path / "mnist.npz",
        **dict(zip(("x_train", "y_train", "x_test", "y_test"), sets.values(), strict=True)),
    )
    assert (load_digits(str(tmp_path / "mnist.npz")).test_pictures == sets["test_pictures"]).all()


def test_drawn_digits_need_no_network_and_are_seeded() -> None:
    first, again = load_digits("digits", seed=3), load_digits("digits", seed=3)
    assert (first.test_pictures == again.test_pictures).all()
    assert set(first.train_labels) == set(range(10))
    assert 0.05 < (first.train_pictures > 127).mean() < 0.3


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: None, "neither a folder"),
        (lambda p: p.mkdir(), "holds no train-images"),
        (lambda p: p.write_text("text"), "not an mnist.npz"),
    ],
)
def test_bad_data_is_named(tmp_path: Path, make: object, says: str) -> None:
    make(tmp_path / "d")  # type: ignore[operator]
    with pytest.raises(MediaError, match=says):
        load_digits(str(tmp_path / "d"))


def test_a_truncated_idx_file_is_named(tmp_path: Path, sets: dict[str, np.ndarray]) -> None:
    for part, name in _PARTS.items():
        (tmp_path / name).write_bytes(idx(sets[part]))
    cut = tmp_path / _PARTS["test_pictures"]
    cut.write_bytes(cut.read_bytes()[:-5])
    with pytest.raises(MediaError, match="not a whole IDX file"):
        load_digits(str(tmp_path))


def test_the_textbook_noise_has_its_mean_and_sigma(random: np.random.Generator) -> None:
    noisy = corrupt(np.zeros((100, 28, 28, 1), np.float32), 0.1, random)
    assert noisy.mean() == pytest.approx(0.5, abs=0.002)
    assert noisy.std() == pytest.approx(0.1, rel=0.02)
    assert corrupt(np.ones((9, 28, 28, 1), np.float32), 1.0, random).max() == 1


def test_fresh_noise_is_fresh_each_epoch_and_seeded() -> None:
    clean = as_input(draw_digits(64, seed=1)[0])
    first, again = (FreshNoise(clean, sigmas=(0.25, 1), batch=16, seed=7) for _ in range(2))
    assert len(first) == 4
    assert (first[0][0] == again[0][0]).all()
    before = first[0][0]
    first.on_epoch_end()
    assert (first[0][0] != before).any()


def test_drawn_clips_are_the_same_step_after_a_resume() -> None:
    sizes = {"batch": 2, "frames": 2, "patch": 32, "steps": 3, "seed": 5}
    through = DrawnClips(**sizes)
    through.on_epoch_end()
    noisy, clean = through[1]
    resumed_noisy, resumed_clean = DrawnClips(**sizes, first_epoch=1)[1]
    assert (noisy == resumed_noisy).all()
    assert (clean == resumed_clean).all()
    assert noisy.shape == (2, 2, 32, 32, 3)
    assert 0 <= noisy.min() <= noisy.max() <= 1
    assert 0.001 < np.mean([np.square(np.subtract(*through[step])).mean() for step in range(3)]) < 0.2


def test_moves_are_the_same_step_after_a_resume_and_of_a_share_of_clips() -> None:
    sizes = {"batch": 6, "frames": 3, "patch": 64, "steps": 2, "seed": 5}
    through = Followed(DrawnClips(**sizes), 0.5, seed=5)
    through.on_epoch_end()
    inputs, clean = through[1]
    again, same = Followed(DrawnClips(**sizes, first_epoch=1), 0.5, seed=5)[1]
    assert (inputs["moves"] == again["moves"]).all()
    assert (clean == same).all()
    assert inputs["moves"].shape == (6, 3, 32, 32, 2)
    assert not inputs["moves"][:, 0].any()  # there is nothing before
    everywhere, _ = Followed(DrawnClips(**sizes, first_epoch=1), 1.0, seed=5)[1]
    moved = everywhere["moves"].any(axis=(1, 2, 3, 4))
    assert 0 < inputs["moves"].any(axis=(1, 2, 3, 4)).sum() < moved.sum()


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 4)


@pytest.fixture(scope="module")
def memory() -> keras.Model:
    keras.utils.set_random_seed(0)
    return memories(lowlight(), 4, 32, 32)


def remembered(memory: keras.Model, first_epoch: int = 0) -> Remembered:
    clips = DrawnClips(batch=2, frames=4, patch=32, steps=3, seed=5, first_epoch=first_epoch)
    return Remembered(clips, memory, batch=2, end=6, seed=5)


def test_frames_with_their_memory_are_the_same_step_after_a_resume(
    memory: keras.Model, short_blocks: None
) -> None:
    through = remembered(memory)
    first, _ = through[1]
    through.on_epoch_end()
    inputs, clean = through[1]
    again, same = remembered(memory, first_epoch=1)[1]
    assert all((inputs[name] == again[name]).all() for name in inputs)
    assert (clean == same).all()
    assert (inputs["clip"] != first["clip"]).any()


def test_frames_come_with_the_memory_that_they_met_in_clips_of_their_own(
    memory: keras.Model, short_blocks: None
) -> None:
    """Each is found again in the clips that were drawn."""
    inputs, clean = remembered(memory)[0]
    noisy, pictures = zip(
        *(DrawnClips(batch=2, frames=4, patch=32, steps=3, seed=5).at(i) for i in range(blocks.BLOCK)),
        strict=True,
    )
    clips = np.concatenate(noisy)
    met = memory.predict(clips, batch_size=2, verbose=0)
    assert inputs["clip"].shape == (2, PICKED, 32, 32, 3)
    assert clean.shape == (2, PICKED, 32, 32, 4)
    origins = []
    for row in range(2):
        for place in range(PICKED):
            ((clip, frame),) = np.argwhere((clips == inputs["clip"][row, place]).all(axis=(2, 3, 4)))
            assert np.allclose(
                met["state_average"][clip, frame], inputs["state_average"][row, place], atol=1e-6
            )
            assert (np.concatenate(pictures)[clip, frame] == clean[row, place, ..., :3]).all()
            origins.append((clip, frame))
    assert all(frame == 0 for _, frame in origins[::PICKED])
    assert len({clip for clip, _ in origins}) > blocks.BLOCK
