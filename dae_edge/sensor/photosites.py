"""From light to raw numbers: shot noise, read-out, and what never changes from frame to frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.sensor.sensor import Sensor

Plane = NDArray[np.float32]

_GAUSSIAN_ABOVE = 1000.0  # electrons at white; beyond, Poisson and its Gaussian limit look the same


class Photosites:
    """The light-sensitive surface of one camera; every exposure draws new noise from its stream."""

    def __init__(self, sensor: Sensor, random: np.random.Generator) -> None:
        self._sensor = sensor
        self._random = random
        self._fixed: Plane | None = None

    def expose(self, electrons: Plane) -> Plane:
        """(H, W) or (H, W, 3) mean electrons -> what is read, in units of the electrons of white."""
        sensor, random = self._sensor, self._random
        if sensor.electrons > _GAUSSIAN_ABOVE:
            deviation = np.sqrt(electrons + np.float32(sensor.read_noise**2))
            read = electrons + random.standard_normal(electrons.shape, dtype=np.float32) * deviation
        else:
            read = random.poisson(electrons).astype(np.float32)
            read += random.standard_normal(read.shape, dtype=np.float32) * np.float32(sensor.read_noise)
        if sensor.row_noise:
            rows = random.standard_normal((read.shape[0], *(1 for _ in read.shape[1:])), dtype=np.float32)
            read += rows * np.float32(sensor.row_noise)
        if sensor.column_noise or sensor.fixed_pattern or sensor.hot_pixels:
            read += self._pattern(read.shape)
        steps = np.float32((1 << sensor.bit_depth) - 1)
        raw: Plane = np.rint(read * (steps / np.float32(sensor.electrons))) / steps
        return raw

    def _pattern(self, shape: tuple[int, ...]) -> Plane:
        """What every frame of this camera has on top, in electrons."""
        if self._fixed is None or self._fixed.shape != shape:
            sensor, random = self._sensor, self._random
            fixed = random.standard_normal(shape, dtype=np.float32) * np.float32(sensor.fixed_pattern)
            columns = random.standard_normal((1, *shape[1:]), dtype=np.float32)
            fixed += columns * np.float32(sensor.column_noise)
            hot = random.random(shape, dtype=np.float32) < sensor.hot_pixels
            fixed[hot] += random.uniform(0.2, 1.0, size=int(hot.sum())) * sensor.electrons
            self._fixed = fixed.astype(np.float32)
        return self._fixed
