"""Lanes: the channels of bytes in which a picture's bands are compared with the average's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dae_edge.export.calibrated import Array
from dae_edge.export.ranges import Samples


@dataclass(frozen=True)
class Whole:
    """A band that goes from end to end of what a frame can hold, cut in `lanes` equal pieces."""

    lowest: float
    highest: float
    lanes: int


@dataclass(frozen=True)
class Lanes:
    """How many bands travel, in units of the bands.

    bands:          (lanes,) the band that each lane carries
    centres, steps: (lanes,) value of byte 128, and of one step
    """

    bands: Array
    centres: Array
    steps: Array


def lanes(picture: Samples, average: Samples, share: Samples, wholes: Mapping[int, Whole]) -> Lanes:
    """Choose lanes for share * (picture - average), all (examples, places, bands).

    A band in `wholes` takes several lanes: what saturates in one goes on in the next, so the
    difference of two values is the sum over its lanes, and finer. Another takes one, as wide as
    calibration says; what both the picture and the average have beyond it cancels, so strong edges
    pass as they are.
    """
    bands, centres, steps = [], [], []
    for band, whole in wholes.items():
        # A picture that the mask dilutes may have to go beyond black or white.
        lowest = min(whole.lowest, float(picture[..., band].min()))
        highest = max(whole.highest, float(picture[..., band].max()))
        step = (highest - lowest) / whole.lanes / 255
        for lane in range(whole.lanes):
            bands.append(band)
            centres.append(lowest + (255 * lane + 128) * step)
            steps.append(step)
    for band in sorted({*range(picture.shape[-1])} - {*wholes}):
        samples = picture[..., band], average[..., band], share[..., band]
        largest = float(np.abs(np.concatenate(samples[:2])).max()) + 1e-6
        candidates = largest / 127 * np.geomspace(0.02, 1, 40)
        errors = [_rounding_error(*samples, step) for step in candidates]
        bands.append(band)
        centres.append(0.0)
        steps.append(float(candidates[int(np.argmin(errors))]))
    return Lanes(np.array(bands), np.array(centres, np.float32), np.array(steps, np.float32))


def _rounding_error(picture: Array, average: Array, share: Array, step: float) -> float:
    """Mean squared error that bytes of `step` leave in share * (picture - average)."""
    c, m = (np.clip(np.rint(v / step), -128, 127) for v in (picture, average))
    difference = np.clip(c - m, -128, 127) * step
    return float(np.square(share * (difference - (picture - average))).mean())
