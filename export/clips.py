"""Clips to calibrate on and to check with: drawn by the package, or the user's own frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dae_edge.data.digits import draw_digits
from dae_edge.data.noise import corrupt
from dae_edge.data.pictures import pictures_in, read_picture
from dae_edge.export.picture_model import PictureModel, Tensors
from dae_edge.opencv import cv2
from dae_edge.scenes import draw_clip
from dae_edge.sensor import PRESETS, Sensor, SimulatedCamera

Frames = NDArray[np.uint8]  # (frames, H, W, C)

CALIBRATION_SEED, CHECK_SEED = 11, 12  # never the same clips
_PATCHES = 200  # of a card
_CAMERAS = (*PRESETS.values(), Sensor(exposure=1.0, electrons=4000))  # the dark ones and daylight


@dataclass(frozen=True)
class Pair:
    """A clip as a camera shows it and as it should be."""

    noisy: Frames
    clean: Frames


def drawn_pairs(
    channels: int, height: int, width: int, *, frames: int, seed: int, scenes: int = 1
) -> list[Pair]:
    """Colour: `scenes` drawn clips through each preset and in daylight; every second scene by sensors without
    a mosaic, whose noise is the finest there is. Grey: noisy digits, one a clip."""
    random = np.random.default_rng([seed, height, width])
    if channels == 1:
        digits, _ = draw_digits(32, seed=seed)
        clean = np.stack([cv2.resize(d, (width, height)) for d in digits])[..., None]
        noisy = np.rint(255 * corrupt(clean.astype(np.float32) / np.float32(255), 0.5, random))
        return [Pair(n[None].astype(np.uint8), c[None]) for n, c in zip(noisy, clean, strict=True)]
    pairs = []
    for index, sensor in enumerate(_cameras(scenes)):
        scene = draw_clip(random, frames, height, width)
        camera = SimulatedCamera(sensor, seed=seed + index)
        pairs.append(
            Pair(np.stack([camera.capture(f) for f in scene]), np.stack([camera.clean(f) for f in scene]))
        )
    return pairs


def _cameras(scenes: int) -> list[Sensor]:
    bare = tuple(replace(sensor, demosaic="binned") for sensor in _CAMERAS)
    return [sensor for index in range(scenes) for sensor in (bare if index % 2 else _CAMERAS)]


def contrast_card(height: int, width: int, seed: int) -> Frames:
    """One frame, (1, H, W, 3): black, white and colours, purest ones too, side by side, with no noise at all.

    Nothing a camera sees at night has such edges, so ranges calibrated on that alone may cut them off.
    """
    random = np.random.default_rng(seed)
    card = np.zeros((height, width, 3), np.uint8)
    for _ in range(_PATCHES):
        top, left = random.integers(0, (height, width))
        down, across = random.integers(3, max(4, width // 5), 2)
        colour = random.integers(0, 256, 3) if random.random() < 0.5 else random.choice([0, 255], 3)
        card[top : top + down, left : left + across] = colour
    return card[None]


def frames_in(folder: Path, channels: int, height: int, width: int) -> Frames:
    """The pictures of a folder, in order of name, as one clip of this size."""
    frames = []
    for path in pictures_in(folder):
        frame = read_picture(path, grey=channels == 1)
        resized = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        frames.append(resized.reshape(height, width, channels))
    return np.stack(frames).astype(np.uint8)


def with_states(model: PictureModel, clips: list[Frames]) -> Iterator[tuple[Frames, Tensors]]:
    """Every frame of every clip with the states it meets: ((1, H, W, C), NHWC states)."""
    for clip in clips:
        states = model.start(*clip.shape[1:3])
        for frame in clip:
            yield frame[None], states
            _, states = model.restore(frame, states)
