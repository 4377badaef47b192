"""Named cameras in the dark, and random ones to train on."""

from __future__ import annotations

import math

import numpy as np

from dae_edge.errors import BadValueError
from dae_edge.sensor.sensor import Sensor

# Light falls from one preset to the next; the camera turns its gain up, so fewer electrons
# stand behind the same displayed white. On daylight video the noisy frames average about
# 24, 21 and 18 dB.
PRESETS = {
    "dim": Sensor(exposure=0.6, electrons=155, read_noise=2.5, row_noise=0.4),
    "dark": Sensor(exposure=0.35, electrons=75, read_noise=2.5, row_noise=0.4, jpeg_quality=80),
    "very-dark": Sensor(exposure=0.25, electrons=42, read_noise=2.5, row_noise=0.4, jpeg_quality=80),
}


def preset(name: str) -> Sensor:
    """The sensor called `name`: "dim", "dark" or "very-dark"."""
    if name not in PRESETS:
        raise BadValueError(f"`preset` (={name!r}) must be one of {', '.join(PRESETS)}.")
    return PRESETS[name]


def draw_sensor(random: np.random.Generator) -> Sensor:
    """A random sensor from bright to very dark, for training.

    White-balance gains cover those of Brooks et al., "Unprocessing images for learned raw
    denoising" (CVPR 2019); half of the cameras compress to JPEG, as webcams over USB do.
    """
    read_noise = random.uniform(1.0, 4.0)
    return Sensor(
        exposure=random.uniform(0.2, 1.0),
        electrons=math.exp(random.uniform(math.log(20), math.log(6000))),
        read_noise=read_noise,
        row_noise=random.uniform(0.0, 0.25) * read_noise,
        red_gain=random.uniform(1.4, 2.4),
        blue_gain=random.uniform(1.4, 2.2),
        bit_depth=int(random.choice([10, 12])),
        jpeg_quality=int(random.integers(60, 96)) if random.random() < 0.5 else None,
    )
