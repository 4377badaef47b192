"""Clips: layers of leaves, each with its own motion, seen by a camera that may move too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.scenes.leaves import draw_leaves, paint_leaf
from dae_edge.scenes.palette import Palette, mute
from dae_edge.scenes.photograph import photograph, weather
from dae_edge.scenes.sway import Sway
from dae_edge.sensor import isp

Picture = NDArray[np.uint8]
Clip = NDArray[np.uint8]

PHOTOGRAPHED = 0.4  # share of the backgrounds of lifelike clips that look like photographs
# Share of what moves in lifelike clips that has texture all over: on flat surfaces memory does no harm, and a
# gate that saw many kept it under moving cameras that look at grass, where each frame alone is better.
ROUGH = 0.85
WINDY = 0.15  # share of lifelike clips in which part of the background swings
SOFT = 0.6  # share of lifelike clips whose colours are softer than their brightness, as a video file's are
SMALLEST = 0.05  # radius of what moves against the frame's side, at least
LIFELIKE_SMALLEST = 0.02  # a car far away is a few pixels large
SLOWEST, FASTEST = 0.2, 20.0  # pixels a frame that a camera may pan
MARGIN = 0.25  # of the frame's side, drawn beyond each edge so that a moving layer has more to show


@dataclass(frozen=True)
class Motion:
    """A steady motion in pixels, radians and zoom a frame, with hand shake on top (pixels rms)."""

    velocity: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    zoom: float = 0.0
    shake: float = 0.0

    def matrix(
        self, time: float, centre: tuple[float, float], jitter: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(2, 3) map from layer to frame pixels at `time` frames."""
        angle, scale = self.turn * time, float(np.exp(self.zoom * time))
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        shift = np.array(self.velocity) * time + self.shake * jitter
        linear = np.array([[cos, -sin], [sin, cos]])
        offset = np.array(centre) - linear @ np.array(centre) + shift
        return np.column_stack([linear, offset])


def draw_clip(
    random: np.random.Generator,
    frames: int,
    height: int,
    width: int,
    *,
    bank: int = 0,
    background: Picture | None = None,
    lifelike: bool = False,
) -> Clip:
    """A clip of drawn things that move, (frames, height, width, 3) uint8 BGR.

    Six cameras in ten stand still, as webcams do; the others shake, pan, turn or zoom. In two clips of
    three up to three foreground layers cross the picture at their own speeds, with motion blur. `background`,
    (H, W, 3) of any size, stands in for the drawn one: a random piece of it is seen. `lifelike` clips are to
    train on: some of their drawn backgrounds look like photographs, half of the colours are muted, what
    moves has texture and may be a few pixels small, and in some part of the background sways.
    """
    margin = int(MARGIN * max(height, width))
    inner = (height + 2 * margin, width + 2 * margin)
    camera = draw_camera_motion(random)
    if background is None:
        background = draw_leaves(random, *inner, bank=bank)
        rough = lifelike and camera != Motion() and random.random() < ROUGH
        if lifelike and (rough or random.random() < PHOTOGRAPHED):
            background = photograph(background, random, bank=bank, rough=rough)
        if lifelike:
            background = mute(background, random)
    else:
        background = _cut(random, background, *inner)
    smallest = LIFELIKE_SMALLEST if lifelike else SMALLEST
    layers = [
        _draw_layer(random, *inner, bank, smallest)
        for _ in range(random.choice([0, 1, 2, 3], p=[0.35, 0.3, 0.2, 0.15]))
    ]
    if lifelike:
        layers = [(_lifelike(colour, random, bank), alpha) for colour, alpha in layers]
    soft = random.uniform(0.5, 1.5) if lifelike and random.random() < SOFT else 0.0
    sway = Sway(random, height, width) if lifelike and random.random() < WINDY else None
    motions = [_draw_object_motion(random) for _ in layers]
    moving = bool(layers) or camera != Motion() or sway is not None
    blur = 4 if moving and random.random() < 0.6 else 1  # sub-frames an exposure lasts
    flicker = random.uniform(0, 0.03) if random.random() < 0.2 else 0.0

    size = (width, height)
    clip = np.empty((frames, height, width, 3), np.uint8)
    centre = (inner[1] / 2, inner[0] / 2)
    for index in range(frames):
        jitter = random.normal(size=2)
        moments = index + np.arange(blur) / (2 * blur) - frames / 2
        seen = np.zeros((height, width, 3), np.float32)
        for time in moments:
            view = camera.matrix(time, centre, jitter)
            view[:, 2] -= margin
            behind = _warp(background, view, size)
            moment = (sway(behind, time) if sway else behind).astype(np.float32)
            for (colour, alpha), motion in zip(layers, motions, strict=True):
                moved = _compose(view, motion.matrix(time, centre, np.zeros(2)))
                mask = _warp(alpha, moved, size, cv2.BORDER_CONSTANT).astype(np.float32)[..., None]
                moment += mask / 255 * (_warp(colour, moved, size) - moment)
            seen += moment
        seen *= (1 + random.normal(0, flicker)) / blur
        clip[index] = isp.reduce_noise(np.clip(np.rint(seen), 0, 255).astype(np.uint8), 0, soft)
    return clip


def _lifelike(colour: Picture, random: np.random.Generator, bank: int) -> Picture:
    """What a layer is made of, muted, and with texture as fine as pixels more often than not."""
    if random.random() < ROUGH:
        colour = weather(colour, random, bank)
    return mute(colour, random)


def _cut(random: np.random.Generator, picture: Picture, height: int, width: int) -> Picture:
    """A random piece of a picture, (height, width, 3); a picture too small is enlarged."""
    enlarge = max(height / picture.shape[0], width / picture.shape[1], 1.0)
    if enlarge > 1:
        size = (
            max(int(picture.shape[1] * enlarge), width),
            max(int(picture.shape[0] * enlarge), height),
        )
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)
    top = random.integers(picture.shape[0] - height + 1)
    left = random.integers(picture.shape[1] - width + 1)
    return picture[top : top + height, left : left + width]


def draw_camera_motion(random: np.random.Generator) -> Motion:
    """A random camera: most stand still, the rest shake, pan, turn or zoom."""
    kind = random.random()
    if kind < 0.6:
        return Motion()
    if kind < 0.7:
        return Motion(shake=random.uniform(0.2, 2.0))
    speed = np.exp(random.uniform(np.log(SLOWEST), np.log(FASTEST)))
    angle = random.uniform(0, 2 * np.pi)
    velocity = (float(speed * np.cos(angle)), float(speed * np.sin(angle)))
    if kind < 0.92:
        return Motion(velocity=velocity, shake=random.uniform(0, 0.5))
    return Motion(velocity=velocity, turn=random.normal(0, 0.02), zoom=random.normal(0, 0.015))


def _draw_object_motion(random: np.random.Generator) -> Motion:
    speed = np.exp(random.uniform(np.log(0.3), np.log(16)))
    angle = random.uniform(0, 2 * np.pi)
    velocity = (float(speed * np.cos(angle)), float(speed * np.sin(angle)))
    return Motion(velocity=velocity, turn=random.normal(0, 0.03))


def _draw_layer(
    random: np.random.Generator, height: int, width: int, bank: int, smallest: float
) -> tuple[Picture, Picture]:
    """A few leaves on nothing: colour (height, width, 3) and alpha (height, width), uint8."""
    canvas = np.zeros((2 * height, 2 * width, 3), np.uint8)
    alpha = np.zeros((2 * height, 2 * width), np.uint8)
    palette = Palette(random)
    canvas[:] = palette.draw(random).astype(np.uint8)
    for _ in range(random.integers(1, 7)):
        centre = random.uniform(0.1, 0.9, size=2) * (2 * width, 2 * height)
        radius = min(height, width) * float(np.exp(random.uniform(np.log(smallest), np.log(0.5))))
        paint_leaf(canvas, random, palette, centre, radius, bank=bank, alpha=alpha)
    size = (width, height)
    return (
        cv2.resize(canvas, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False),
        cv2.resize(alpha, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False),
    )


def _compose(outer: NDArray[np.float64], inner: NDArray[np.float64]) -> NDArray[np.float64]:
    """The affine map that does `inner`, then `outer`."""
    linear = outer[:, :2] @ inner[:, :2]
    return np.column_stack([linear, outer[:, :2] @ inner[:, 2] + outer[:, 2]])


def _warp(
    layer: Picture, matrix: NDArray[np.float64], size: tuple[int, int], border: int = cv2.BORDER_REFLECT
) -> Picture:
    """`size` is (width, height) of what is seen."""
    return cv2.warpAffine(layer, matrix, size, flags=cv2.INTER_CUBIC, borderMode=border)  # type: ignore[return-value]
