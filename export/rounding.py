"""Real weights to whole numbers of steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.export.moments import Moments

Kernel = NDArray[np.float32]  # (h, w, C, F)

_MOST = 127  # of a weight
# Of two neighbours under a kernel, where both have one sign: CPUs without 8-bit dot products add their
# products to bytes of up to 255 in 16 bits, and what does not fit there is cut off silently.
_TOGETHER = 128
_DAMPING = 0.01  # of the mean spread: what calibration saw too little of to be sure


def finest(kernel: Kernel) -> NDArray[np.float32]:
    """(F,): the step of each filter that rounds it best; its largest weight, or two neighbours that are too
    large together, become 100 to 127 of them."""
    candidates = _largest(kernel) / np.arange(100, 128, dtype=np.float32)[:, None]  # (28, F)
    errors = [np.square(np.rint(kernel / s) * s - kernel).sum(axis=(0, 1, 2)) for s in candidates]
    return np.take_along_axis(candidates, np.argmin(errors, axis=0)[None], axis=0)[0]


def dividing(kernel: Kernel, exact: NDArray[np.float32]) -> NDArray[np.float32]:
    """(F,): of each filter the finest step that divides `exact` (F,)."""
    return exact / np.maximum(np.floor(127 * exact / _largest(kernel)), 1)


def _largest(kernel: Kernel) -> NDArray[np.float32]:
    """(F,): what has to fit into `_MOST` steps."""
    one, two = _neighbours(kernel)
    together = np.maximum(one.clip(0) + two.clip(0), -(one.clip(max=0) + two.clip(max=0)))
    alone = np.abs(kernel).max(axis=(0, 1, 2))
    return np.maximum(np.maximum(alone, together.max(axis=0) * (_MOST / _TOGETHER)), 1e-9)


def _neighbours(kernel: Kernel) -> tuple[Kernel, Kernel]:
    """Each (n, F): the weights that CPUs multiply and add two by two, in the order of (h, w, C)."""
    flat = kernel.reshape(-1, kernel.shape[3])
    flat = np.pad(flat, ((0, len(flat) % 2), (0, 0)))
    return flat[::2], flat[1::2]


def round_each(kernel: Kernel) -> Kernel:
    """To the nearest, but so that each filter's sum over a channel's weights stays right.

    Neighbouring values of a picture are alike, so what a filter gives is its sum of weights first of
    all; the weights nearest to the next number go there where that is off.
    """
    rounded = np.rint(kernel)
    left = kernel - rounded
    missing = np.rint(left.sum(axis=(0, 1)))
    for channel, filter in np.argwhere(missing):
        few = missing[channel, filter]
        nearest = np.argsort(-np.sign(few) * left[:, :, channel, filter].ravel())[: abs(int(few))]
        rows, columns = np.unravel_index(nearest, kernel.shape[:2])
        rounded[rows, columns, channel, filter] += np.sign(few)
    return _fitting(np.clip(rounded, -_MOST, _MOST))


def _fitting(whole: Kernel) -> Kernel:
    """Of two neighbours that are too large together, the larger one made smaller."""
    one, two = _neighbours(whole)
    one, two = one.copy(), two.copy()
    for sign in (1, -1):
        over = (sign * (one + two) - _TOGETHER).clip(0)
        first = sign * one > sign * two
        one -= sign * over * first
        two -= sign * over * ~first
    flat = np.stack([one, two], axis=1).reshape(-1, whole.shape[3])
    return flat[: whole.size // whole.shape[3]].reshape(whole.shape)


def round_together(kernel: Kernel, seen: Moments) -> Kernel:
    """One weight after the other, what each is off being made up for by those that follow.

    So that what the filter gives on what it sees is off least, not each weight: Frantar et al., "GPTQ:
    accurate post-training quantization for generative pre-trained transformers" (ICLR 2023).
    """
    weights = kernel.reshape(-1, kernel.shape[3]).astype(np.float64)
    power = seen.spread.diagonal()
    order = np.argsort(-power, kind="stable")
    spread = seen.spread[np.ix_(order, order)]
    spread = spread + np.eye(len(order)) * (_DAMPING * power.mean() + 1e-12)
    shares = np.linalg.cholesky(np.linalg.inv(spread)).T  # upper: row k is what weight k passes on
    left, whole = weights[order], np.zeros_like(weights)
    for index, place in enumerate(order):
        beside = whole[place ^ 1] if place ^ 1 < len(order) else 0  # nothing yet, or done
        lowest = np.maximum(-_MOST, -_TOGETHER - np.minimum(beside, 0))
        highest = np.minimum(_MOST, _TOGETHER - np.maximum(beside, 0))
        whole[place] = np.clip(np.rint(left[index]), lowest, highest)
        off = (left[index] - whole[place]) / shares[index, index]
        left[index + 1 :] -= np.outer(shares[index, index + 1 :], off)
    return whole.reshape(kernel.shape).astype(np.float32)
