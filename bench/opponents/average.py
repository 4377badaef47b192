"""The best that is fast without a network: a running average where nothing moves."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dae_edge.bench.method import Frame, Knob, Memory, Output, Setting
from dae_edge.opencv import cv2

_LONGEST = 31.0  # frames that the average stands on at most


@dataclass(frozen=True)
class MotionAverage:
    """A running average gated by blurred differences, then a bilateral filter.

    Knobs: the levels of blurred difference that count as motion, and the sigma of the bilateral
    filter in levels.
    """

    name: str = "motion-gated average + bilateral"
    kind: str = "opponent"
    memory: Memory = "past"
    knobs: tuple[Knob, ...] = (
        Knob("threshold", (3, 5, 7, 10, 14, 18, 24, 32, 42)),
        Knob("sigma", (5, 8, 12, 17, 24, 33, 45, 60, 80, 110)),
    )
    tries: int = 0
    most: int = 0
    note: str = ""
    identity: str = f"2 {cv2.__version__}"

    def run(
        self, frames: Sequence[Frame], wanted: Sequence[int], setting: Setting, *, timed: bool = False
    ) -> Output:
        threshold, sigma = setting
        average: NDArray[np.float32] | None = None
        count = np.ones(frames[0].shape[:2], np.float32)
        denoised, ms = [], []
        for index, frame in enumerate(frames[: max(wanted) + 1]):
            began = time.perf_counter()
            picture = frame.astype(np.float32)
            if average is None:
                average = picture
            else:
                change = cv2.subtract(picture, average)
                grey = cv2.transform(change, np.full((1, 3), 1 / 3, np.float32))
                moved = np.clip(np.abs(cv2.GaussianBlur(grey, (0, 0), 2)) / np.float32(threshold) - 0.5, 0, 1)
                count = (1 + (1 - moved) * np.minimum(count, _LONGEST)).astype(np.float32, copy=False)
                share = 1 / count
                step = cv2.multiply(change, cv2.merge([share, share, share]))
                average = cv2.add(average, step).astype(np.float32, copy=False)
            if timed or index in wanted:  # the filter keeps no memory
                rounded = cv2.convertScaleAbs(average)
                denoised.append(
                    (index, cv2.bilateralFilter(rounded, 9, sigma, 3).astype(np.uint8, copy=False))
                )
            ms.append(1000 * (time.perf_counter() - began))
        kept = dict(denoised)
        return Output([kept[index] for index in wanted], ms[1:] if timed else [])
