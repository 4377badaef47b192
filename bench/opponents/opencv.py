"""OpenCV's denoisers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dae_edge.bench.method import Frame, Knob, Memory, Output, Setting, each
from dae_edge.opencv import cv2

_STRENGTHS = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0, 26.0, 34.0)
_PATCH, _SEARCHED = 7, 21  # pixels a side: OpenCV's own recommendation


@dataclass(frozen=True)
class NonLocalMeans:
    """fastNlMeansDenoisingColored, windows of 7 and 21 pixels."""

    name: str = "OpenCV NLM"
    kind: str = "opponent"
    memory: Memory = "none"
    knobs: tuple[Knob, ...] = (Knob("h", _STRENGTHS), Knob("hColor", _STRENGTHS))
    tries: int = 1
    most: int = 0
    note: str = ""
    identity: str = cv2.__version__

    def run(
        self, frames: Sequence[Frame], wanted: Sequence[int], setting: Setting, *, timed: bool = False
    ) -> Output:
        h, colour = setting
        return each(
            lambda f: cv2.fastNlMeansDenoisingColored(f, None, h, colour, _PATCH, _SEARCHED).astype(
                np.uint8, copy=False
            ),
            (frames[index] for index in wanted),
        )


@dataclass(frozen=True)
class NonLocalMeansMulti:
    """fastNlMeansDenoisingColoredMulti over three frames, windows of 7 and 21 pixels."""

    name: str = "OpenCV NLM, 3 frames"
    kind: str = "opponent"
    memory: Memory = "future"
    knobs: tuple[Knob, ...] = (
        Knob("h", (3.0, 5.0, 8.0, 13.0, 21.0, 34.0)),
        Knob("hColor", (7.0, 14.0, 28.0)),
    )
    tries: int = 1
    most: int = 5
    note: str = "waits for the next frame; measured on five frames of a clip"
    identity: str = cv2.__version__

    def run(
        self, frames: Sequence[Frame], wanted: Sequence[int], setting: Setting, *, timed: bool = False
    ) -> Output:
        h, colour = setting
        last = len(frames) - 1
        # At a clip's ends the frame stands in for the one that is missing.
        windows = [[frames[max(i - 1, 0)], frames[i], frames[min(i + 1, last)]] for i in wanted]
        return each(
            lambda window: cv2.fastNlMeansDenoisingColoredMulti(
                window, 1, 3, None, h, colour, _PATCH, _SEARCHED
            ).astype(np.uint8, copy=False),
            windows,
        )


@dataclass(frozen=True)
class Bilateral:
    """bilateralFilter over 9 pixels."""

    name: str = "OpenCV bilateral"
    kind: str = "opponent"
    memory: Memory = "none"
    knobs: tuple[Knob, ...] = (
        Knob("sigmaColor", (5, 8, 12, 17, 24, 33, 45, 60, 80, 105, 140, 190)),
        Knob("sigmaSpace", (1, 1.5, 2, 3, 5, 10)),
    )
    tries: int = 3
    most: int = 0
    note: str = ""
    identity: str = cv2.__version__

    def run(
        self, frames: Sequence[Frame], wanted: Sequence[int], setting: Setting, *, timed: bool = False
    ) -> Output:
        colour, space = setting
        return each(
            lambda f: cv2.bilateralFilter(f, 9, colour, space).astype(np.uint8, copy=False),
            (frames[index] for index in wanted),
        )
