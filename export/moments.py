"""What a convolution sees on average: the means and spread that its weights are rounded against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_PLACES = 500  # a frame


@dataclass(frozen=True)
class Moments:
    """Of the values under a kernel's (h, w, C) weights, in that order.

    mean:   (h * w * C,)
    spread: (h * w * C, h * w * C) covariance
    """

    mean: Array
    spread: Array

    def through(self, matrix: Array) -> Moments:
        """Of matrix @ x instead of x, for a `matrix` (D, C) at each of the kernel's places."""
        whole = np.kron(np.eye(len(self.mean) // matrix.shape[1]), matrix)
        return Moments(whole @ self.mean, whole @ self.spread @ whole.T)

    def joined(self, other: Moments, channels: int, others: int) -> Moments:
        """Of x's `channels` followed by the `others` of y at each of the kernel's places, as if x and y had
        nothing to do with each other."""
        places = len(self.mean) // channels
        indices = np.arange(places * (channels + others)).reshape(places, -1)
        mean, spread = np.zeros(indices.size), np.zeros((indices.size, indices.size))
        for part, own in ((self, indices[:, :channels].ravel()), (other, indices[:, channels:].ravel())):
            mean[own] = part.mean
            spread[np.ix_(own, own)] = part.spread
        return Moments(mean, spread)


class Gather:
    """Collects moments of a layer's input, frame by frame."""

    def __init__(self, kernel: tuple[int, int], strides: tuple[int, int], dilation: int = 1) -> None:
        self._kernel, self._strides, self._dilation = kernel, strides, dilation
        self._random = np.random.default_rng(0)
        self._count, self._sum, self._products = 0, np.zeros(()), np.zeros(())

    def add(self, values: NDArray[np.float32]) -> None:
        """`values` (h, w, C), padded with zeros as Keras does for "same"."""
        outputs = [-(-n // s) for n, s in zip(values.shape, self._strides, strict=False)]
        spans = [(size - 1) * self._dilation + 1 for size in self._kernel]
        sizes = zip(outputs, values.shape, spans, self._strides, strict=False)
        margins = [max((o - 1) * s + span - n, 0) for o, n, span, s in sizes]
        padded = np.pad(values, [*((m // 2, m - m // 2) for m in margins), (0, 0)])
        rows, columns = (
            (self._random.integers(o, size=_PLACES) * s)[:, None, None]
            for o, s in zip(outputs, self._strides, strict=True)
        )
        down, across = self._dilation * np.indices(self._kernel)
        seen = padded[rows + down, columns + across].reshape(_PLACES, -1)
        self._count += _PLACES
        self._sum = self._sum + seen.sum(axis=0, dtype=np.float64)
        self._products = self._products + seen.T @ seen

    def moments(self) -> Moments:
        mean = self._sum / self._count
        return Moments(mean, self._products / self._count - np.outer(mean, mean))
