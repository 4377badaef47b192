"""How bright a camera shows each frame: exposure, the flicker of mains light, drift of the gain."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dae_edge.sensor.sensor import Sensor

# A lamp on 50 Hz mains flickers at 100 Hz; sampled 30 times a second that beats at 10 Hz.
_BEAT = 2 * np.pi * 10 / 30  # radians a frame
_STREAM = 7  # apart from the noise, so that two of the same seed run in step


class Brightness(Iterator[float]):
    """Displayed brightness against the scene's, in linear light, frame after frame."""

    def __init__(self, sensor: Sensor, seed: int) -> None:
        self._sensor = sensor
        self._random = np.random.default_rng([seed, _STREAM])
        self._phase = self._random.uniform(0, 2 * np.pi)
        self._drift = 0.0

    def __next__(self) -> float:
        self._phase += _BEAT
        self._drift += self._random.normal(0, self._sensor.gain_drift)
        flicker = 1 + self._sensor.flicker * np.sin(self._phase)
        return float(self._sensor.exposure * flicker * np.exp(self._drift))
