"""How gamma and clipping bend noise: Gaussian light of a mean and a variance, seen in 8-bit grey levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.sensor.curves import linear_to_srgb

Values = NDArray[np.float64]

_Z = np.linspace(-5, 5, 401)
_WEIGHT = np.exp(-np.square(_Z) / 2) / np.exp(-np.square(_Z) / 2).sum()


def seen(light: Values, variance: Values) -> tuple[Values, Values]:
    """Mean and gain, in grey levels, of pixels with `light` and `variance` in linear light (1 = white).

    The gain is what coarse noise is multiplied by on its way through the curve and the clipping: the first
    coefficient of the curve in Hermite polynomials. (Price, "A useful theorem for nonlinear devices
    having Gaussian inputs", 1958.)
    """
    deviation = np.sqrt(variance)[:, None]
    code = 255 * linear_to_srgb(np.clip(light[:, None] + deviation * _Z, 0, 1))
    return code @ _WEIGHT, (code * _Z) @ _WEIGHT / deviation[:, 0]


def unbend(
    light: Values, variance: Values, spread: Values, brighter: Values, noisier: Values
) -> tuple[Values, Values]:
    """The light and variance that would look `brighter` (levels) with `noisier` times the noise power.

    `spread` is the variance of single pixels where the curve bends them, in units of `variance`.
    """

    def look(at: Values) -> Values:
        mean, gain = seen(at[0], np.exp(at[1]) * spread)
        return np.stack([mean, 2 * np.log(gain) + at[1]])

    at = np.stack([light, np.log(variance)])
    goal = look(at) + np.stack([brighter, np.log(noisier)])
    for _ in range(8):
        here = look(at)
        step = np.stack([np.maximum(1e-3 * at[0], 1e-6), np.full(light.shape, 1e-3)])
        slope = np.empty((len(light), 2, 2))
        for index in range(2):
            nudged = at.copy()
            nudged[index] += step[index]
            slope[:, :, index] = ((look(nudged) - here) / step[index]).T
        slope[:, 0, 0] += 1e-3  # where all is black, nothing is known: stay
        move = np.linalg.solve(slope, (goal - here).T[..., None])[..., 0].T
        at[0] = np.clip(at[0] + np.clip(move[0], -0.5 * at[0] - 0.01, 0.5 * at[0] + 0.01), 0, 1)
        at[1] += np.clip(move[1], -0.7, 0.7)
    return at[0], np.exp(at[1])
