"""The loop: newest frame in, denoised frame out, figures kept."""

from __future__ import annotations

import time
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dae_edge.camera import overlay
from dae_edge.camera.capture import Capture
from dae_edge.camera.sources import Shot, Source
from dae_edge.errors import BadValueError
from dae_edge.metrics import MeanError, finite
from dae_edge.runtime import Denoiser

Frame = NDArray[np.uint8]
Show = Callable[[Frame], str]  # a sink: takes a picture, gives the key pressed or ""

_PATIENCE = 10.0  # seconds without a frame before a source counts as dead


@dataclass
class Summary:
    """What a run of the loop was.

    Times in milliseconds, one frame's denoising each; PSNR in dB over all frames whose clean
    picture is known, None elsewhere.
    """

    source: str
    model: str
    frames: int = 0
    dropped: int = 0
    seconds: float = 0.0
    size: tuple[int, int] = (0, 0)  # width, height
    times: array[float] = field(default_factory=lambda: array("d"))
    noisy: MeanError = field(default_factory=MeanError)
    denoised: MeanError = field(default_factory=MeanError)

    @property
    def fps(self) -> float:
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    def percentile(self, share: float) -> float:
        """The `share` percentile of the times, in milliseconds."""
        return float(np.percentile(self.times, share)) if self.times else 0.0

    def figures(self) -> dict[str, object]:
        """For `--json`: everything but the single times."""
        return {
            "source": self.source,
            "model": self.model,
            "frames": self.frames,
            "dropped": self.dropped,
            "seconds": self.seconds,
            "size": list(self.size),
            **finite(
                {
                    "fps": self.fps,
                    "p50_ms": self.percentile(50),
                    "p90_ms": self.percentile(90),
                    "p99_ms": self.percentile(99),
                    "noisy_psnr_db": self.noisy.psnr,
                    "denoised_psnr_db": self.denoised.psnr,
                }
            ),
        }


class Loop:
    """Denoise a source until it ends, a sink says "q", or `seconds` have passed.

    compare: "off" shows the denoised frame, "split" half and half, "side" both beside each other.
    A file keeps its own pace unless `fast`; a live source gives its newest frame.
    """

    def __init__(
        self,
        source: Source,
        denoise: Denoiser,
        *,
        compare: str = "off",
        figures: bool = True,
        fast: bool = False,
        seconds: float | None = None,
    ) -> None:
        self._source, self._denoise = source, denoise
        self._compare, self._figures = compare, figures
        if fast and source.live:
            raise BadValueError(f"`--fast` is for a file; {source.name} has its own pace.")
        self._fast, self._seconds = fast, seconds
        self._recent: deque[float] = deque(maxlen=30)  # when the last frames were done
        self.summary = Summary(source.name, denoise.manifest.name)
        self.last: tuple[Shot, Frame] | None = None

    def run(self, sinks: list[Show]) -> Summary:
        """Run to the end; Ctrl-C ends it too and the summary is as far as it came."""
        capture = Capture(self._source)
        summary = self.summary
        begun = time.perf_counter()
        try:
            while self._seconds is None or time.perf_counter() - begun < self._seconds:
                shot = capture.take(_PATIENCE)
                if shot is None:
                    break
                if not self._source.live and not self._fast:
                    _wait_until(begun + summary.frames / self._source.rate)
                picture = self._step(shot)
                keys = [sink(picture) for sink in sinks]
                if "q" in keys:
                    break
        except KeyboardInterrupt:
            pass
        finally:
            summary.seconds = time.perf_counter() - begun
            summary.dropped = capture.dropped
            capture.close()
        return summary

    def _step(self, shot: Shot) -> Frame:
        """Denoise one shot, keep the figures, and give the picture to show."""
        began = time.perf_counter()
        denoised = self._denoise(shot.frame)
        done = time.perf_counter()
        summary = self.summary
        summary.frames += 1
        summary.size = (shot.frame.shape[1], shot.frame.shape[0])
        summary.times.append(1000 * (done - began))
        self._recent.append(done)
        self.last = (shot, denoised)
        if shot.clean is not None:
            summary.noisy.add(shot.frame, shot.clean)
            summary.denoised.add(denoised, shot.clean)
        return self._picture(shot.frame, denoised)

    def _picture(self, noisy: Frame, denoised: Frame) -> Frame:
        if self._compare == "side":
            picture = overlay.side_by_side(noisy, denoised)
        elif self._compare == "split":
            picture = overlay.split(noisy, denoised)
        else:
            picture = denoised.copy() if self._figures else denoised
        if self._figures:
            overlay.figures(picture, f"{self._rate():.0f} fps   {self.summary.times[-1]:.0f} ms")
        return picture

    def _rate(self) -> float:
        if len(self._recent) < 2:
            return 0.0
        return (len(self._recent) - 1) / (self._recent[-1] - self._recent[0])


def _wait_until(due: float) -> None:
    left = due - time.perf_counter()
    if left > 0:
        time.sleep(left)
