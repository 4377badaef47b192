"""Colours that look like a photograph's without being anyone's photograph."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray


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
