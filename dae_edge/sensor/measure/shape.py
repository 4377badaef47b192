"""Which demosaic, which wire, which touch-up: told by how the noise of neighbours hangs together.

Noise is white where light becomes electrons. What each later step does to it is its signature,
whatever the amount of noise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dae_edge.sensor.demosaic import DEMOSAICS, WHOLE
from dae_edge.sensor.measure.fit import simulate
from dae_edge.sensor.measure.readings import BLOCK, SCALES, Readings, read
from dae_edge.sensor.sensor import Sensor

Stack = NDArray[np.uint8]
Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

FITS = 0.06  # rms difference of two signatures up to which they are of the same kind of camera
_HEIGHT, _WIDTH = 192, 256  # pixels of the middle are enough, and keep the search short
_FRAMES = 7
_TOUCH_UPS = {
    "saturation": (1.0, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2),
    "luma_blur": (0.0, 0.35, 0.5, 0.65, 0.9),
    "chroma_blur": (0.0, 0.6, 0.9, 1.3, 1.8),
    "sharpening": (0.0, 0.2, 0.4, 0.6),
}


def signature(readings: Readings, usable: Mask) -> NDArray[np.float64]:
    """How noise hangs together: power of small means against large, neighbours, colours; no units."""
    chosen = usable.all(axis=-1)
    if not chosen.any():
        chosen = np.ones_like(chosen)
    power = {side: np.maximum(readings.power[side][chosen].mean(axis=0), 1e-6) for side in SCALES}
    coarse = SCALES[-1]
    falls = [np.log(power[side] * side**2 / (power[coarse] * coarse**2)) for side in SCALES[:-1]]
    return np.concatenate([*falls, readings.neighbours.ravel(), readings.colours]).astype(np.float64)


def like(sensor: Sensor, demosaic: str) -> Sensor:
    """A sensor with another demosaic and the same coarse noise.

    A mosaic sees green at half of its photosites and red and blue at a quarter, so that coarse
    means have 2 and 4 times the noise of one photosite of each pixel.
    """
    was, is_ = sensor.demosaic in WHOLE, demosaic in WHOLE
    times = 0.5 if is_ and not was else 2.0 if was and not is_ else 1.0
    return replace(
        sensor,
        demosaic=demosaic,
        electrons=sensor.electrons * times,
        read_noise=sensor.read_noise * np.sqrt(times),
        red_gain=sensor.red_gain / times,
        blue_gain=sensor.blue_gain / times,
    )


class Search:
    """Looks for the camera with the signature of a real one.

    stack:  (F, H, W, 3) frames of the real camera
    scene:  (H, W, 3) the scene without noise
    usable: (rows, columns, 3) of the blocks to compare by
    """

    def __init__(self, stack: Stack, scene: Plane, usable: Mask) -> None:
        self._cut = middle(stack.shape[1], stack.shape[2])
        rows, columns = (slice(part.start // BLOCK, part.stop // BLOCK) for part in self._cut)
        self._usable = usable[rows, columns]
        self._goal = signature(read(stack[(slice(None, 40), *self._cut)]), self._usable)
        self.see(scene)

    def see(self, scene: Plane) -> None:
        """Go on with a better estimate of the scene."""
        self._scene = scene[self._cut]
        self._known: dict[Sensor, float] = {}

    def misfit(self, sensor: Sensor) -> float:
        """Root mean square difference of the two signatures."""
        if sensor not in self._known:
            found = signature(read(simulate(sensor, self._scene, _FRAMES, seed=5)), self._usable)
            self._known[sensor] = float(np.sqrt(np.mean(np.square(found - self._goal))))
        return self._known[sensor]

    def kind(self, sensor: Sensor) -> Sensor:
        """The best of all demosaics and wires, without touch-ups."""
        bare = replace(sensor, luma_blur=0.0, chroma_blur=0.0, sharpening=0.0)
        return self._best(wire for demosaic in DEMOSAICS for wire in _wires(like(bare, demosaic)))

    def touched_up(self, sensor: Sensor) -> Sensor:
        """The best of all with noise reduction and sharpening too: a coarse grid, then finer."""
        grid = [
            replace(wire, saturation=saturation, luma_blur=luma, chroma_blur=chroma, sharpening=0.0)
            for demosaic in ("bilinear", "malvar", *WHOLE)
            for wire in _wires(like(sensor, demosaic))
            for saturation in (1.0, 0.5)
            for luma in (0.0, 0.5, 0.9)
            for chroma in (0.0, 1.1)
        ]
        starts = sorted([sensor, *grid], key=self.misfit)[:3]
        return min((self._touch_up(start) for start in starts), key=self.misfit)

    def _touch_up(self, sensor: Sensor) -> Sensor:
        """One knob after another, until none helps."""
        for _ in range(2):
            before = sensor
            for name, values in _TOUCH_UPS.items():
                sensor = self._best(replace(sensor, **{name: value}) for value in values)  # type: ignore[arg-type]
            sensor = self._best(_wires(sensor))
            if sensor == before or self.misfit(sensor) < FITS / 2:
                break
        return sensor

    def _best(self, candidates: Iterable[Sensor]) -> Sensor:
        return min(candidates, key=self.misfit)


def middle(height: int, width: int) -> tuple[slice, slice]:
    """The part of a frame that is searched by, on the grid of 16x16 blocks."""
    parts = []
    for side, wanted in ((height, _HEIGHT), (width, _WIDTH)):
        wanted = min(wanted, side // 16 * 16)
        first = (side - wanted) // 32 * 16
        parts.append(slice(first, first + wanted))
    return parts[0], parts[1]


def _wires(sensor: Sensor) -> Iterator[Sensor]:
    """JPEG has no full colour on a webcam."""
    for chroma in ("4:4:4", "4:2:2", "4:2:0") if sensor.jpeg_quality is None else ("4:2:2", "4:2:0"):
        yield replace(sensor, chroma=chroma)
