"""What photographs of the world have beyond leaves: ragged outlines, fine grain of things, growth, depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.scenes import textures
from dae_edge.scenes.develop import develop

Picture = NDArray[np.uint8]


def photograph(
    picture: Picture, random: np.random.Generator, *, bank: int = 0, rough: bool = False
) -> Picture:
    """(H, W, 3) uint8 BGR drawn of leaves -> the same as a photograph might show it.

    `rough` ones have texture all over.
    """
    for _ in range(random.choice([0, 1, 2, 3], p=[0.3, 0.3, 0.2, 0.2])):
        picture = _mingle(picture, random, bank)
    if random.random() < 0.6:
        picture = _fray(picture, random)
    if rough or random.random() < 0.6:
        picture = weather(picture, random, bank)
    if random.random() < 0.5:  # a lens, and the filter before a sensor
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.3, 0.6)).astype(np.uint8, copy=False)
    if random.random() < 0.3:
        picture = _focus(picture, random)
    return develop(picture, random)


def weather(picture: Picture, random: np.random.Generator, bank: int) -> Picture:
    """Light and dark as fine as pixels, the same in all colours: bark, plaster, cloth, grass."""
    height, width = picture.shape[:2]
    piece = textures.piece(random, bank, max(height, width), smallest=0.5)
    shape = cv2.resize(piece, (width, height), interpolation=cv2.INTER_CUBIC)
    contrast = np.exp(random.uniform(np.log(0.1), np.log(1.2)))
    light = 1 + contrast * (shape - 0.5)
    return np.clip(picture * light[..., None], 0, 255).astype(np.uint8)


def _mingle(picture: Picture, random: np.random.Generator, bank: int) -> Picture:
    """Another part of the picture, in other light, seen through a texture's shapes: foliage, rust, snow."""
    height, width = picture.shape[:2]
    other = np.roll(picture, random.integers(0, (height, width)), axis=(0, 1))
    if random.random() < 0.5:
        other = other[::-1, ::-1]
    other = np.clip(other * np.float32(random.uniform(0.4, 1.5)), 0, 255)
    piece = textures.piece(random, bank, max(height, width), smallest=0.7)
    shape = cv2.resize(piece, (width, height), interpolation=cv2.INTER_CUBIC)
    level, hard = random.uniform(0.3, 0.7), np.exp(random.uniform(np.log(2), np.log(20)))
    cover = np.clip(0.5 + hard * (shape - level), 0, 1)[..., None] * random.uniform(0.4, 1.0)
    return (picture + cover * (other - picture) + 0.5).astype(np.uint8)


def _fray(picture: Picture, random: np.random.Generator) -> Picture:
    """Moved about by noise of every scale: outlines and stripes as rough as coasts and bark."""
    height, width = picture.shape[:2]
    reach = np.float32(np.exp(random.uniform(np.log(0.7), np.log(12))))
    slope = random.uniform(1.2, 2.0)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    moves = []
    for _ in range(2):
        noise = textures.spectral_noise(random, slope)
        moves.append(reach * (2 * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) - 1))
    return cv2.remap(
        picture, x + moves[0], y + moves[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    ).astype(np.uint8, copy=False)


def _focus(picture: Picture, random: np.random.Generator) -> Picture:
    """Sharp in one place, out of focus in another, with the edge of what stands in front between them."""
    height, width = picture.shape[:2]
    noise = textures.spectral_noise(random, random.uniform(1.8, 2.5))
    depth = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    far = np.clip(0.5 + random.uniform(3, 30) * (depth - random.uniform(0.3, 0.7)), 0, 1)[..., None]
    blurred = cv2.GaussianBlur(picture, (0, 0), np.exp(random.uniform(np.log(1), np.log(6))))
    return (picture + far * (blurred.astype(np.float32) - picture) + 0.5).astype(np.uint8)
