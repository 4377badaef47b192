"""Colours that look like a photograph's without being anyone's photograph."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2

Picture = NDArray[np.uint8]

MUTED = 0.5  # share of the layers of lifelike clips whose colours are brought near a photograph's
LIT = 0.3  # share of those that are then of one colour, however vivid: under a lamp, or a coat
# Rows: brightness, green against magenta, red against blue; orthonormal, columns BGR.
_OPPONENTS = np.array([[1, 1, 1], [-1, 2, -1], [-1, 0, 1]]) / np.sqrt([[3], [6], [2]])


class Palette:
    """A handful of related colours, as one scene has under one light.

    Photographs are mostly muted, share one or two hues and spread widely in brightness, so
    saturation is drawn low, hue near a common one, and value broadly. But coats, signs and lamps are not
    muted, and a colour of which one channel is next to nothing is the hardest to clean: there are more
    of those than in photographs.
    """

    def __init__(self, random: np.random.Generator) -> None:
        hues = random.uniform(0, 1, size=2)
        if random.random() < 0.6:
            hues[1] = hues[0] + random.normal(0, 0.06)
        vivid = random.beta(1.2, 4.0) if random.random() < 0.75 else random.uniform(0.3, 1.0)
        colours = []
        for _ in range(random.integers(4, 9)):
            hue = (random.choice(hues) + random.normal(0, 0.04)) % 1
            saturation = np.clip(vivid * random.uniform(0.3, 2.2), 0, 1)
            if random.random() < 0.1:
                hue, saturation = random.random(), random.uniform(0.7, 1.0)
            value = random.beta(1.5, 1.1)
            red, green, blue = colorsys.hsv_to_rgb(hue, float(saturation), float(value))
            colours.append((blue, green, red))
        self._colours = 255 * np.array(colours, np.float32)

    def draw(self, random: np.random.Generator) -> NDArray[np.float32]:
        """One colour, (3,) float32 BGR in [0, 255]: a palette entry in slightly other light."""
        colour = self._colours[random.integers(len(self._colours))]
        shifted = colour * random.uniform(0.8, 1.2) + random.normal(0, 6, size=3)
        return np.clip(shifted, 0, 255).astype(np.float32)


def mute(picture: Picture, random: np.random.Generator) -> Picture:
    """(H, W, 3) uint8 BGR -> the same, half of the time with colours as things under one light have them.

    Light is warm or cold and things are brown, grey or blue: in photographs red against blue varies a tenth
    as much as brightness (in variance), green against magenta a fortieth. A palette's hues are all alike, so
    that a denoiser trained on them alone takes blotches of colour for something that is there. Some are
    then of one vivid colour as a whole, as under a street lamp or on a coat: muted is not grey.
    """
    if random.random() > MUTED:
        return picture
    red_blue = np.exp(random.uniform(np.log(0.35), 0))
    green_magenta = red_blue * np.exp(random.uniform(np.log(0.2), 0))
    matrix = _OPPONENTS.T @ np.diag([1, green_magenta, red_blue]) @ _OPPONENTS
    if random.random() < LIT:
        lamp = np.exp(-random.uniform(0, 3, size=3))
        matrix = np.diag(lamp / lamp.max()) @ matrix
    return cv2.transform(picture, matrix).astype(np.uint8, copy=False)
