"""Find the simulated camera whose frames read as the real one's do.

Gamma, clipping at black, the mosaic, JPEG: each bends what a difference of frames shows, and
formulas that undo them one by one do not undo them together. So the ruler is laid on two cameras:
on the real one, and on a simulated one that looks at the same still scene. What bends one reading
bends the other. Where they differ, the scene's light and the simulated noise are corrected level by
level, a straight line through the corrected noise gives new parameters, and they are read again:
photon transfer by comparison, or the method of simulated moments (McFadden, Econometrica 1989).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import CalibrationError
from dae_edge.sensor import isp
from dae_edge.sensor.camera import SimulatedCamera
from dae_edge.sensor.curves import LINEAR, linear_to_srgb
from dae_edge.sensor.demosaic import WHOLE
from dae_edge.sensor.measure.bent import unbend
from dae_edge.sensor.measure.readings import BLOCK, Readings, read
from dae_edge.sensor.sensor import Sensor

Stack = NDArray[np.uint8]
Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]
Values = NDArray[np.float64]

FITTED = ("electrons", "read_noise", "blue_gain", "red_gain")
BIN = 8  # grey levels
FEW = 16  # blocks that a bin must have
LEAST = 0.05  # electrons: less read noise than this is none
_BINS = 256 // BIN


@dataclass(frozen=True)
class Points:
    """The photon transfer of a camera: one entry for each colour and bin of grey levels.

    channel:  0, 1, 2 for blue, green, red
    code:     mean grey level of the scene without noise, as it was assumed
    rise:     by how many grey levels it should have been brighter
    light:    corrected mean linear light, 1 = white
    variance: corrected variance of one photosite, in linear light squared
    blocks:   how many 8x8 blocks it stands on
    """

    channel: NDArray[np.int64]
    code: Values
    rise: Values
    light: Values
    variance: Values
    blocks: Values


def simulate(sensor: Sensor, scene: Plane, frames: int, *, seed: int) -> Stack:
    """(F, H, W, 3) what a sensor shows of a scene in 8-bit grey levels, as colourful as it shows it."""
    camera = SimulatedCamera(sensor, seed=seed)
    codes = np.clip(np.rint(scene), 0, 255).astype(np.uint8)
    if sensor.saturation:
        codes = isp.desaturate(codes, 1 / sensor.saturation)
    return np.stack([camera.capture(codes) for _ in range(frames)])


def law(sensor: Sensor, channel: NDArray[np.int64], light: Values) -> Values:
    """Variance of one photosite in linear light squared, from shot and read noise.

    A photosite of a colour with white-balance gain g collects electrons / g at white, so
    var = g * light / electrons + (g * read_noise / electrons)**2.
    """
    gain = np.array(sensor.balance)[channel]
    return gain * light / sensor.electrons + np.square(gain * sensor.read_noise / sensor.electrons)


def compare(
    real: Readings, drawn: Readings, sensor: Sensor, scene: Plane, weight: Values, side: int
) -> Points:
    """The real camera's photon transfer, from what a simulated one shows of the same scene.

    weight: (rows, columns, 3) how often each block counts
    side:   of the means whose noise is compared, one of `readings.SCALES`
    """
    code, light = block_means(scene), block_means(LINEAR[np.clip(np.rint(scene), 0, 255).astype(np.uint8)])
    found = []
    for channel in range(3):
        mine = weight[..., channel] > 0
        share = weight[..., channel][mine]
        bins = np.minimum(real.level[..., channel][mine] / BIN, _BINS - 1).astype(int)
        blocks = np.bincount(bins, share, minlength=_BINS)
        enough = blocks >= FEW
        planes = (code, light, real.level, drawn.level, real.power[side], drawn.power[side])
        means = [
            np.bincount(bins, share * plane[..., channel][mine], minlength=_BINS)[enough] / blocks[enough]
            for plane in planes
        ]
        found.append((np.full(int(enough.sum()), channel), *means, blocks[enough]))
    channels, codes, lights, is_seen, was_seen, power, drawn_power, counts = (
        np.concatenate(column) for column in zip(*found, strict=True)
    )
    if len(channels) < 2:
        raise CalibrationError(
            "too little of the picture can be used; light the scene so that dark and bright parts show."
        )
    spread = np.full(len(channels), 1.0 if sensor.demosaic in WHOLE else 0.6)  # what a demosaic leaves
    new_light, variance = unbend(
        lights,
        law(sensor, channels, lights),
        spread,
        is_seen - was_seen,
        np.maximum(power, 1e-6) / np.maximum(drawn_power, 1e-6),
    )
    rise = 255 * (linear_to_srgb(new_light) - linear_to_srgb(lights))
    return Points(channels, codes, rise, new_light, variance, counts)


def block_means(plane: NDArray[np.floating]) -> Values:
    """(H, W, 3) -> (rows, columns, 3) means of 8x8 blocks."""
    rows, columns = plane.shape[0] // BLOCK, plane.shape[1] // BLOCK
    return plane.astype(np.float64).reshape(rows, BLOCK, columns, BLOCK, 3).mean(axis=(1, 3))


def straight_line(sensor: Sensor, points: Points) -> Sensor:
    """The sensor whose `law` runs through the points: weighted least squares on logarithms."""
    target = np.log(points.variance)
    weight = np.sqrt(points.blocks / points.blocks.sum())
    at = np.log([getattr(sensor, name) for name in FITTED])

    def model(logs: Values) -> Values:
        return np.log(law(with_fitted(sensor, logs), points.channel, points.light))

    for _ in range(12):
        here = model(at)
        slope = np.stack([(model(at + 1e-4 * unit) - here) / 1e-4 for unit in np.eye(len(FITTED))], axis=1)
        weighed = slope * weight[:, None]
        # The small ridge holds what the points say nothing of where it was.
        curvature = weighed.T @ weighed + 1e-5 * np.eye(len(FITTED))
        move = np.linalg.solve(curvature, weighed.T @ ((target - here) * weight))
        at = at + np.clip(move, -0.7, 0.7)
        at[1] = max(at[1], np.log(LEAST))
    return with_fitted(sensor, at)


def with_fitted(sensor: Sensor, logs: Values) -> Sensor:
    """The sensor with the logarithms of `FITTED` taken in."""
    values = np.exp(np.clip(logs, -7, 14))
    return changed(sensor, dict(zip(FITTED, map(float, values), strict=True)))


def changed(sensor: Sensor, values: Mapping[str, float]) -> Sensor:
    """The sensor with other values of its numbers."""
    return replace(sensor, **values)  # type: ignore[arg-type]


def correct_scene(scene: Plane, points: Points) -> Plane:
    """The scene, moved level by level so that the simulated camera's mean becomes the real one's."""
    corrected = scene.copy()
    for channel in range(3):
        mine = points.channel == channel
        if mine.any():
            order = np.argsort(points.code[mine])
            known, rise = points.code[mine][order], points.rise[mine][order]
            corrected[..., channel] += np.interp(scene[..., channel], known, rise)
    return np.clip(corrected, 0, 255)


def line_ratio(real: Plane, drawn: Plane) -> float:
    """The noise that rows have in common, real against simulated, all colours together."""
    scale = np.maximum(drawn.mean(axis=0), 1e-6)
    return float(np.mean(real.mean(axis=0) / scale))


class Fit:
    """Improves a sensor and a scene until the simulated camera reads as the real one does.

    real:   what the real camera read
    still:  (rows, columns) of the blocks that hold still
    usable: (rows, columns, 3) of the blocks and colours to compare by
    """

    def __init__(self, real: Readings, still: Mask, usable: Mask, sensor: Sensor, scene: Plane) -> None:
        self.real, self.still, self.usable = real, still, usable
        self.sensor, self.scene = sensor, scene
        self.drawn = real
        self.points: Points | None = None
        self.before = (sensor, scene)  # that `drawn` was read of

    def step(self, frames: int, side: int) -> Sensor:
        """One reading of the simulated camera, and what follows from it."""
        self.drawn = read(simulate(self.sensor, self.scene, frames, seed=11), self.still)
        weight = self.usable.astype(np.float64)
        self.points = compare(self.real, self.drawn, self.sensor, self.scene, weight, side)
        rows = np.sqrt(np.clip(line_ratio(self.real.rows, self.drawn.rows), 0.01, 25))
        before = self.sensor
        self.sensor = straight_line(before, self.points)
        # In the units of the picture, of which an electron is a part that may just have changed.
        unit = self.sensor.electrons / before.electrons
        row_noise = float(np.clip(before.row_noise * rows * unit, 1e-3, self.sensor.electrons))
        self.sensor = replace(self.sensor, row_noise=row_noise)
        self.before = (before, self.scene)
        self.scene = correct_scene(self.scene, self.points)
        return self.sensor
