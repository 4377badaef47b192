"""BM3D, the classical yardstick of single pictures, where the package `bm3d` is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from dae_edge.bench.method import Frame, Knob, Memory, Output, Setting, each


def installed() -> bool:
    return importlib.util.find_spec("bm3d") is not None


@dataclass(frozen=True)
class BM3D:
    """bm3d_rgb with white noise; sigma in levels of 255. A minute a frame, so two frames a clip are scored.

    Dabov, Foi, Katkovnik, Egiazarian, "Image denoising by sparse 3-D transform-domain collaborative
    filtering" (IEEE TIP 2007).
    """

    name: str = "BM3D"
    kind: str = "opponent"
    memory: Memory = "none"
    knobs: tuple[Knob, ...] = (Knob("sigma", (4, 7, 11, 17, 26)),)
    tries: int = 1
    most: int = 2
    note: str = "measured on a clip's first and last frame alone"

    @property
    def identity(self) -> str:
        try:
            return version("bm3d")
        except PackageNotFoundError:
            return ""

    def run(
        self, frames: Sequence[Frame], wanted: Sequence[int], setting: Setting, *, timed: bool = False
    ) -> Output:
        from bm3d import bm3d_rgb

        def denoise(frame: Frame) -> Frame:
            rgb = frame[..., ::-1].astype(np.float64) / 255
            clean = bm3d_rgb(rgb, setting[0] / 255)[..., ::-1]
            return np.clip(np.rint(255 * clean), 0, 255).astype(np.uint8)

        return each(denoise, (frames[index] for index in wanted))
