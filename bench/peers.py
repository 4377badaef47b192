"""What people could use instead: classical denoisers, each with the settings worth trying.

An opponent is measured at the setting that is best for the very clip, which no user could know.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import MediaError
from dae_edge.opencv import cv2

Frame = NDArray[np.uint8]
Setting = tuple[float, ...]


class Peer(Protocol):
    """name: for people; settings: to try, in the peer's own units; streaming: whether it remembers frames."""

    @property
    def name(self) -> str: ...

    @property
    def settings(self) -> tuple[Setting, ...]: ...

    @property
    def streaming(self) -> bool: ...

    def run(self, frames: Sequence[Frame], setting: Setting) -> list[Frame]:
        """(H, W, 3) uint8 BGR frames in order -> the same, denoised."""
        ...


@dataclass(frozen=True)
class NonLocalMeans:
    """OpenCV's fastNlMeansDenoisingColored, windows 7 and 21; settings are (h, hColor)."""

    name: str = "OpenCV NLM"
    settings: tuple[Setting, ...] = tuple(itertools.product((3, 5, 8, 12), (8, 16)))
    streaming: bool = False

    def run(self, frames: Sequence[Frame], setting: Setting) -> list[Frame]:
        luma, colour = setting
        return [
            cv2.fastNlMeansDenoisingColored(f, None, luma, colour, 7, 21).astype(np.uint8, copy=False)
            for f in frames
        ]


@dataclass(frozen=True)
class MotionAverage:
    """A running average gated by blurred differences, then a bilateral filter.

    The best that is fast without a network. Settings are (levels of blurred difference that count
    as motion, sigma of the bilateral filter in levels).
    """

    name: str = "motion-gated average + bilateral"
    settings: tuple[Setting, ...] = tuple(itertools.product((5, 10, 18, 30), (8, 15, 25, 40)))
    streaming: bool = True

    def run(self, frames: Sequence[Frame], setting: Setting) -> list[Frame]:
        threshold, sigma = setting
        average = frames[0].astype(np.float32)
        count = np.ones(average.shape[:2], np.float32)
        denoised = []
        for index, frame in enumerate(frames):
            if index:
                change = frame - average
                grey = cv2.GaussianBlur(change.mean(axis=2), (0, 0), 2)
                moved = np.clip(np.abs(grey) / np.float32(threshold) - 0.5, 0, 1)
                count = 1 + (1 - moved) * np.minimum(count, 31)
                average += change / count[..., None]
            picture = np.clip(np.rint(average), 0, 255).astype(np.uint8)
            denoised.append(cv2.bilateralFilter(picture, 9, sigma, 3).astype(np.uint8, copy=False))
        return denoised


@dataclass(frozen=True)
class FFmpeg:
    """A filter of the `ffmpeg` program; `pattern` takes the setting's numbers."""

    name: str
    pattern: str
    settings: tuple[Setting, ...]
    streaming: bool

    def run(self, frames: Sequence[Frame], setting: Setting) -> list[Frame]:
        height, width = frames[0].shape[:2]
        raw = ["-f", "rawvideo", "-pix_fmt", "bgr24"]
        # Full colour resolution, so that no conversion is held against the filter.
        filters = f"format=yuv444p,{self.pattern.format(*setting)},format=bgr24"
        command = ["ffmpeg", "-v", "error", *raw, "-s", f"{width}x{height}", "-r", "30", "-i", "-"]
        done = subprocess.run(
            [*command, "-vf", filters, *raw, "-"],
            input=b"".join(np.ascontiguousarray(f).tobytes() for f in frames),
            capture_output=True,
            check=False,
        )
        if done.returncode or len(done.stdout) != len(frames) * frames[0].size:
            raise MediaError(f"ffmpeg's {filters} failed: {done.stderr.decode(errors='replace').strip()}")
        return list(np.frombuffer(done.stdout, np.uint8).reshape(len(frames), height, width, 3))


HQDN3D = FFmpeg(
    "ffmpeg hqdn3d",
    "hqdn3d={0}:{0}:{1}:{1}",
    tuple(itertools.product((3, 6, 10, 16, 25), (6, 12, 25))),
    streaming=True,
)
NLMEANS = FFmpeg(
    "ffmpeg nlmeans", "nlmeans=s={0}", tuple((s,) for s in (3, 5, 7, 10, 14, 20)), streaming=False
)


def peers() -> tuple[list[Peer], list[str]]:
    """The opponents that can run here, and one sentence for each that cannot."""
    found: list[Peer] = [NonLocalMeans(), MotionAverage()]
    if shutil.which("ffmpeg"):
        return [*found, HQDN3D, NLMEANS], []
    return found, [f"{p.name} needs the ffmpeg program, which is not installed." for p in (HQDN3D, NLMEANS)]
