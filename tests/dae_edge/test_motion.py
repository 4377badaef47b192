"""Where things were, and memory that goes there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import keras
import numpy as np
import pytest

import dae_edge
from dae_edge.errors import BadValueError, ModelLoadError
from dae_edge.manifest import Manifest, State, Tensor
from dae_edge.metrics import psnr
from dae_edge.models.bands import block_transform
from dae_edge.models.carry import Cubic, Nearest, carried
from dae_edge.models.lowlight import lowlight
from dae_edge.motion.carry import KEPT, carry
from dae_edge.motion.flow import SMALLEST, Flow, moved, small_grey, stirred
from dae_edge.motion.follow import Follower, is_noisy
from dae_edge.scenes import Room, draw_clip
from dae_edge.sensor import SimulatedCamera, preset

HEIGHT, WIDTH = 144, 192
ACROSS, DOWN = 6, 4  # pixels a frame that the camera of `pan` moves


@pytest.fixture(scope="module")
def pan() -> list[np.ndarray]:
    """A camera that moves over a drawn picture, 12 clean frames."""
    wide = draw_clip(np.random.default_rng(4), 1, HEIGHT + 48, WIDTH + 72)[0]
    return [np.ascontiguousarray(wide[DOWN * i :, ACROSS * i :][:HEIGHT, :WIDTH]) for i in range(12)]


def seen(scene: list[np.ndarray], light: str = "dim") -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(noisy, clean)."""
    camera = SimulatedCamera(preset(light), seed=3)
    return [camera.capture(frame) for frame in scene], [camera.clean(frame) for frame in scene]


def found(before: np.ndarray, now: np.ndarray) -> np.ndarray | None:
    return Flow()(small_grey(before), small_grey(now))


def manifest(memory: str = "pixels", layout: str = "NCHW") -> Manifest:
    shapes = {"state_average": (1, 12, "H/2", "W/2"), "state_count": (1, 1, "H/2", "W/2")}
    if layout == "NHWC":
        shapes = {name: (1, *shape[2:], shape[1]) for name, shape in shapes.items()}
    states = tuple(State(name, f"{name}_next", shape, layout=layout) for name, shape in shapes.items())
    picture = Tensor("frame", (1, "H", "W", 3), "BGR")
    return Manifest("lowlight", "onnx-int8", picture, picture, states, multiple=8, memory=memory)


def states_of(memory: str, layout: str) -> dict[str, np.ndarray]:
    """Of a random picture, on which each block's average stands for 10 frames."""
    picture = np.random.default_rng(0).random((HEIGHT, WIDTH, 3), np.float32)
    picture = cv2.GaussianBlur(picture, (0, 0), 2)
    blocks = picture.reshape(HEIGHT // 2, 2, WIDTH // 2, 2, 3).transpose(0, 2, 1, 3, 4)
    average = blocks.reshape(1, HEIGHT // 2, WIDTH // 2, 12)
    if memory == "bands":
        average = average @ block_transform()
    states = {"state_average": average, "state_count": np.full((*average.shape[:3], 1), 10, np.float32)}
    if layout == "NCHW":
        states = {name: np.ascontiguousarray(state.transpose(0, 3, 1, 2)) for name, state in states.items()}
    return states


def test_a_pan_is_found(pan: list[np.ndarray]) -> None:
    moves = found(pan[3], pan[4])
    assert moves is not None
    assert moves.shape == (HEIGHT // 2, WIDTH // 2, 2)
    inside = moves[12:-12, 12:-12]
    assert np.median(inside[..., 0]) == pytest.approx(ACROSS / 2, abs=0.25)
    assert np.median(inside[..., 1]) == pytest.approx(DOWN / 2, abs=0.25)


@pytest.mark.parametrize("light", ["dim", "dark", "very-dark"])
def test_noise_moves_nothing(pan: list[np.ndarray], light: str) -> None:
    (before, now), (clean, _) = seen([pan[0], pan[0]], light)
    assert found(cv2.addWeighted(clean, 0.8, before, 0.2, 0), now) is None


@pytest.mark.parametrize("light", ["dim", "dark", "webcam"])
def test_motion_is_looked_for_where_more_than_noise_changes(pan: list[np.ndarray], light: str) -> None:
    for step, moves in ((0, False), (1, True)):
        (before, now), (clean, _) = seen([pan[0], pan[step]], light)
        denoised = cv2.addWeighted(clean, 0.8, before, 0.2, 0)
        assert stirred(small_grey(before), small_grey(denoised), small_grey(now)) == moves


def test_what_crosses_the_picture_before_a_camera_that_stands_is_not_followed() -> None:
    """It gains nothing by it, and moving all of the memory takes as long as half of the model."""
    follower = Follower(manifest())
    scene = [room.frame(index / 30) for room in [Room(320, 240)] for index in range(4)]
    frames, clean = seen(scene)
    states = {"state_average": np.zeros(0)}
    for frame, denoised in zip(frames, clean, strict=True):
        assert follower.carry(states, frame)["state_average"] is states["state_average"]
        follower.saw(frame, denoised, 1.0)


def test_the_same_frame_again_moves_nothing(pan: list[np.ndarray]) -> None:
    assert found(pan[0], pan[0]) is None


def test_small_frames_and_odd_ones_are_taken(pan: list[np.ndarray]) -> None:
    assert found(*(frame[: 2 * SMALLEST - 2] for frame in pan[:2])) is None
    moves = found(*(frame[:-1, :-3] for frame in pan[:2]))
    assert moves is not None
    assert moves.shape == (HEIGHT // 2, WIDTH // 2 - 1, 2)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("memory", ["pixels", "bands"])
def test_memory_goes_where_things_are(memory: str, layout: str) -> None:
    """Whole blocks, so that nothing is between pixels; what comes from outside stands on nothing."""
    states = states_of(memory, layout)
    moves = np.full((HEIGHT // 2 - 1, WIDTH // 2, 2), (2, -1), np.float32)  # not padded, as a frame's are
    after = carry(states, moves, manifest(memory, layout))
    axes = (1, 2) if layout == "NHWC" else (2, 3)
    for name, state in states.items():
        assert after[name].shape == state.shape
        assert after[name].dtype == np.float32
    expected = np.roll(states["state_average"], (1, -2), axes)
    inside = (slice(None), slice(1, None), slice(None, -2))
    if layout == "NCHW":
        inside = (slice(None), *inside)
    assert np.allclose(after["state_average"][inside], expected[inside], atol=1e-5)
    count = after["state_count"].reshape(HEIGHT // 2, WIDTH // 2)
    assert (count[1:, :-2] == KEPT * 10).all()
    assert (count[0] == 0).all()
    assert (count[:, -2:] == 0).all()


def test_what_stands_still_stays_as_it_is() -> None:
    states = states_of("pixels", "NCHW")
    moves = np.zeros((HEIGHT // 2, WIDTH // 2, 2), np.float32)
    moves[:, WIDTH // 4 :] = 0.75
    after = carry(states, moves, manifest())
    for name, state in states.items():
        assert np.array_equal(after[name][..., : WIDTH // 4 - 1], state[..., : WIDTH // 4 - 1])
        assert not np.allclose(after[name][..., WIDTH // 4 + 1 :], state[..., WIDTH // 4 + 1 :])


def test_training_moves_as_a_device_does() -> None:
    random = np.random.default_rng(1)
    picture = cv2.GaussianBlur(random.random((HEIGHT, WIDTH, 3), np.float32), (0, 0), 1)
    moves = np.rint(32 * random.normal(0, 4, (HEIGHT, WIDTH, 2))).astype(np.float32) / 32
    there = moved(picture, moves, cv2.INTER_CUBIC)
    assert np.allclose(Cubic()(picture[None], moves[None])[0], there, atol=1e-5)
    plane = picture[..., :1]
    there = moved(plane, moves, cv2.INTER_NEAREST, cv2.BORDER_CONSTANT)
    assert np.array_equal(Nearest()(plane[None], moves[None])[0, ..., 0], there)


def test_training_carries_memory_as_a_device_does() -> None:
    keras.utils.set_random_seed(0)
    states = states_of("bands", "NHWC")
    moves = np.zeros((HEIGHT // 2, WIDTH // 2, 2), np.float32)
    moves[8:32, 8:32] = (1.625, -0.75)
    ours = carried(lowlight(8), states, moves[None])
    theirs = carry(states, moves, manifest("bands", "NHWC"))
    for name, state in theirs.items():
        assert np.allclose(keras.ops.convert_to_numpy(ours[name]), state, atol=1e-4)


def test_a_moving_camera_gains_and_one_that_stands_loses_nothing(pan: list[np.ndarray]) -> None:
    gains = {}
    for name, scene in (("moves", pan), ("stands", [pan[0]] * len(pan))):
        frames, clean = seen(scene)
        figures = []
        for follow in (False, True):
            denoise = dae_edge.load("lowlight", follow=follow)
            figures.append(psnr([denoise(frame) for frame in frames][8:], clean[8:]))
        gains[name] = figures[1] - figures[0]
    assert gains["moves"] > 0.5
    assert gains["stands"] > -0.1


def test_a_clean_moving_camera_is_left_alone(pan: list[np.ndarray]) -> None:
    """What memory gives is blurred between pixels; without noise the frame itself is better."""
    following, standing = (dae_edge.load("lowlight", follow=follow) for follow in (True, False))
    for frame in pan[:4]:
        assert np.array_equal(following(frame), standing(frame))


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_noise_is_judged_by_what_strength_left_of_it(strength: float) -> None:
    frame = np.random.default_rng(0).integers(80, 120, (64, 64, 3), dtype=np.uint8)
    clean = np.full_like(frame, 100)
    mixed = cv2.addWeighted(clean, strength, frame, 1 - strength, 0)
    assert is_noisy(frame, mixed, strength) == (strength > 0)
    assert not is_noisy(frame, cv2.addWeighted(frame, 0.8, clean, 0.2, 0), 1.0)


def test_which_files_follow_motion() -> None:
    assert dae_edge.load("lowlight-l").follow
    assert not dae_edge.load("lowlight-l", follow=False).follow
    assert not dae_edge.load("lowlight").follow
    with pytest.raises(BadValueError, match=r"`follow` \(=True\) must be False: lowlight-s cannot"):
        dae_edge.load("lowlight-s", follow=True)


def test_a_new_clip_follows_nothing_of_the_old(pan: list[np.ndarray]) -> None:
    denoise = dae_edge.load("lowlight", follow=True)
    first = denoise(pan[0])
    for frame in pan[1:3]:
        denoise(frame)
    denoise.reset()
    assert np.array_equal(denoise(pan[0]), first)
    denoise(pan[1][:120])  # another size
    assert np.array_equal(denoise(pan[0]), first)


def test_what_the_caller_draws_on_a_frame_is_not_followed(pan: list[np.ndarray]) -> None:
    frames, _ = seen(pan[:4])
    drawn, left = (dae_edge.load("lowlight", follow=True) for _ in range(2))
    for frame in frames:
        one, other = drawn(frame), left(frame)
        assert np.array_equal(one, other)
        one.fill(0)


@pytest.mark.parametrize(
    "broken",
    [
        {"memory": "planes"},
        {"follows": 1},
        {"states": ()},
        {"states": tuple(replace(state, name=f"{state.name}_x") for state in manifest().states)},
        {"states": tuple(replace(state, layout="NHWC") for state in manifest().states)},
    ],
)
def test_a_manifest_that_cannot_be_carried_is_refused(broken: dict[str, object]) -> None:
    assert Manifest.from_json(manifest().to_json()) == manifest()
    with pytest.raises(ModelLoadError, match=r"memory|follows"):
        Manifest.from_json(replace(manifest(), **broken).to_json())  # type: ignore[arg-type]
