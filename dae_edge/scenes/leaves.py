"""Dead leaves: pictures made of shapes that cover one another.

Source of the model: Lee, Mumford and Huang, "Occlusion models for natural images" (IJCV 2001):
shapes with a power law of sizes, p(r) ~ r**-3, have the edges, occlusions and scale invariance
of photographs. Textured fills after Achddou et al., "VibrantLeaves" (arXiv 2504.10201).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.scenes import textures
from dae_edge.scenes.palette import Palette

Picture = NDArray[np.uint8]

SUPERSAMPLE = 2  # shapes are drawn this much larger, then shrunk: edges without staircase
SMALLEST = 3.0  # radius in drawn pixels; smaller leaves would shrink to noise
_GLYPHS = "ABCDEFGHKLMNPRSTUVXYZabdefghkmnrst0123456789&%?"


def draw_leaves(random: np.random.Generator, height: int, width: int, *, bank: int = 0) -> Picture:
    """A picture covered with leaves, (height, width, 3) uint8 BGR.

    `bank` chooses the set of textures (a seed). How much detail there is goes from walls and faces, as a
    webcam sees them, to grass and gravel.
    """
    canvas = np.empty((height * SUPERSAMPLE, width * SUPERSAMPLE, 3), np.uint8)
    palette = Palette(random)
    detail = random.random()
    canvas[:] = palette.draw(random).astype(np.uint8)
    largest = 0.6 * max(canvas.shape[:2])
    smallest = np.exp(random.uniform(np.log(SMALLEST), np.log(largest / 4)))
    ground = power_law_radii(random, 0.4 * largest, largest, 12)  # no bare canvas between
    leaves = power_law_radii(random, smallest, largest, int(np.exp(random.uniform(np.log(30), np.log(600)))))
    for radius in np.concatenate([ground, leaves]):
        centre = random.uniform(0, 1, size=2) * (canvas.shape[1], canvas.shape[0])
        paint_leaf(canvas, random, palette, centre, float(radius), bank=bank, detail=detail)
    if random.random() < 0.35:
        _write(canvas, random, palette)
    if random.random() < 0.1 + 0.8 * detail:
        canvas = _roughen(canvas, random, bank, detail)
    picture = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return _light(picture.astype(np.uint8, copy=False), random)


def power_law_radii(
    random: np.random.Generator, smallest: float, largest: float, count: int
) -> NDArray[np.float64]:
    """`count` radii between the bounds with density proportional to r**-3."""
    return 1 / np.sqrt(random.uniform(largest**-2, smallest**-2, size=count))


def outline(random: np.random.Generator, centre: NDArray[np.float64], radius: float) -> NDArray[np.int32]:
    """A closed outline, (n, 1, 2) int32 pixels: disk, polygon, rectangle or wobbly blob."""
    kind = random.random()
    if kind < 0.25:  # rectangle at any angle
        size = radius * random.uniform(0.3, 1.6, size=2)
        box = cv2.boxPoints(((float(centre[0]), float(centre[1])), tuple(size), random.uniform(0, 180)))
        return np.rint(box).astype(np.int32)[:, None]
    corners = int(random.integers(3, 8)) if kind < 0.5 else 32
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False) + random.uniform(0, np.pi)
    reach = np.full(corners, radius)
    if corners < 32:
        reach *= random.uniform(0.6, 1.2, size=corners)
    elif kind < 0.8:
        for wave in range(2, 6):
            reach *= 1 + random.normal(0, 0.35 / wave) * np.cos(wave * angle + random.uniform(0, 6.3))
    squeeze = random.uniform(0.4, 1.0) if kind > 0.65 else 1.0
    points = np.stack([np.cos(angle) * reach, np.sin(angle) * reach * squeeze], axis=1)
    turn = random.uniform(0, np.pi)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.rint(points @ rotation.T + centre).astype(np.int32)[:, None]


def paint_leaf(
    canvas: Picture,
    random: np.random.Generator,
    palette: Palette,
    centre: NDArray[np.float64],
    radius: float,
    *,
    bank: int = 0,
    detail: float = 0.5,
    alpha: NDArray[np.uint8] | None = None,
) -> None:
    """Paint one leaf onto `canvas` in place; `alpha`, where given, gets 255 under it.

    `detail` is the picture's, from 0 to 1.
    """
    points = outline(random, centre, radius)
    colour = palette.draw(random)
    if alpha is not None:
        cv2.fillPoly(alpha, [points], 255)
    if radius < 14:
        cv2.fillPoly(canvas, [points], colour.tolist())
        return
    left, top, width, height = cv2.boundingRect(points)
    right, bottom = min(left + width, canvas.shape[1]), min(top + height, canvas.shape[0])
    left, top = max(left, 0), max(top, 0)
    if right <= left or bottom <= top:
        return
    patch = canvas[top:bottom, left:right]
    mask = np.zeros(patch.shape[:2], np.uint8)
    cv2.fillPoly(mask, [points - (left, top)], 255)
    fill = _fill(random, palette, colour, patch.shape[0], patch.shape[1], bank, detail)
    cv2.copyTo(fill, mask, patch)


def _fill(
    random: np.random.Generator,
    palette: Palette,
    colour: NDArray[np.float32],
    height: int,
    width: int,
    bank: int,
    detail: float,
) -> Picture:
    """(height, width, 3) uint8: a flat, shaded or textured surface of about that colour."""
    kind = random.random()
    if kind < 0.2 - 0.15 * detail:
        return np.broadcast_to(colour.astype(np.uint8), (height, width, 3)).copy()
    if kind < 0.55 - 0.35 * detail:  # smooth shading, as on skin, walls and cars
        y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        angle = random.uniform(0, 2 * np.pi)
        ramp = (x * np.cos(angle) + y * np.sin(angle)).astype(np.float32)
        if random.random() < 0.4:
            ramp = 1 - (x * x + y * y)
        mix = 0.5 + 0.5 * ramp
        contrast = random.uniform(0.05, 0.6)
    else:
        piece = textures.piece(random, bank, max(height, width), smallest=0.7)
        mix = cv2.resize(piece, (width, height), interpolation=cv2.INTER_LINEAR)
        contrast = random.beta(1.5, 1.2) * (0.3 + 0.7 * detail)
    other = palette.draw(random)
    if random.random() < 0.85:  # mostly light and dark of one colour, sometimes two colours
        other = colour * random.uniform(0.0, 0.7)
        if random.random() < 0.5:
            other = 255 - (255 - colour) * random.uniform(0.2, 0.8)
    tinted = colour + (contrast * mix)[..., None] * (other - colour)
    return np.clip(tinted, 0, 255).astype(np.uint8)


def _roughen(canvas: Picture, random: np.random.Generator, bank: int, detail: float) -> Picture:
    """Light and dark at every scale over the whole picture, a little different in each colour."""
    height, width = canvas.shape[:2]
    planes = [
        cv2.resize(
            textures.piece(random, bank, max(height, width)), (width, height), interpolation=cv2.INTER_CUBIC
        )
        for _ in range(2)
    ]
    tint = random.uniform(-0.2, 0.2, size=3).astype(np.float32)
    contrast = random.uniform(0.2, 0.4 + 1.2 * detail)
    light = 1 + contrast * (planes[0][..., None] - 0.5 + tint * (planes[1][..., None] - 0.5))
    return np.clip(canvas * light, 0, 255).astype(np.uint8)


def _write(canvas: Picture, random: np.random.Generator, palette: Palette) -> None:
    """Letters and thin lines: what people look at first when a denoiser blurs."""
    height, width = canvas.shape[:2]
    for _ in range(random.integers(1, 5)):
        ink = palette.draw(random).tolist()
        thickness = int(random.integers(1, 5))
        if random.random() < 0.5:
            text = "".join(random.choice(list(_GLYPHS), size=random.integers(2, 9)))
            origin = (int(random.integers(0, width)) - 20, int(random.integers(0, height)))
            size = random.uniform(0.6, 3.0)
            cv2.putText(canvas, text, origin, int(random.integers(0, 5)), size, ink, thickness, cv2.LINE_AA)
        else:
            ends = random.uniform(-0.2, 1.2, size=(2, 2)) * (width, height)
            (x0, y0), (x1, y1) = ends.astype(int).tolist()
            cv2.line(canvas, (x0, y0), (x1, y1), ink, thickness, cv2.LINE_AA)


def _light(picture: Picture, random: np.random.Generator) -> Picture:
    """Uneven light over the whole picture and, sometimes, a lens out of focus."""
    height, width = picture.shape[:2]
    if random.random() < 0.35:
        corners = random.uniform(0.35, 1.0, size=(2, 2)).astype(np.float32)
        field = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
        picture = (picture * field[..., None]).astype(np.uint8)
    if random.random() < 0.2:
        sigma = 0.3 + 1.7 * random.random() ** 2
        picture = cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.uint8, copy=False)
    return picture
