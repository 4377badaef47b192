"""What a run of the loop was."""

from __future__ import annotations

from dataclasses import dataclass, field

from dae_edge.camera.spread import Spread
from dae_edge.metrics import MeanError, finite


@dataclass
class Summary:
    """The figures of a run.

    frames:    shown for the first time
    dropped:   frames of a live source too old to be shown
    reopened:  how often a live source was lost and opened anew
    raw:       frames shown as the camera gave them, because denoising failed
    times:     milliseconds of denoising, one frame each
    ages:      milliseconds from a frame's capture to its being handed to the sinks
    outside:   milliseconds of the loop's own work on a frame: everything but waiting and denoising
    noisy, denoised: against the clean picture, over the frames of which it is known
    """

    source: str
    model: str
    frames: int = 0
    dropped: int = 0
    reopened: int = 0
    raw: int = 0
    seconds: float = 0.0
    size: tuple[int, int] = (0, 0)  # width, height
    times: Spread = field(default_factory=Spread)
    ages: Spread = field(default_factory=Spread)
    outside: Spread = field(default_factory=Spread)
    noisy: MeanError = field(default_factory=MeanError)
    denoised: MeanError = field(default_factory=MeanError)

    @property
    def fps(self) -> float:
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    def figures(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "source": self.source,
            "model": self.model,
            "frames": self.frames,
            "dropped": self.dropped,
            "reopened": self.reopened,
            "raw": self.raw,
            "seconds": self.seconds,
            "size": list(self.size),
            **finite(
                {
                    "fps": self.fps,
                    "p50_ms": self.times.percentile(50),
                    "p90_ms": self.times.percentile(90),
                    "p99_ms": self.times.percentile(99),
                    "age_p50_ms": self.ages.percentile(50),
                    "age_p95_ms": self.ages.percentile(95),
                    "outside_p50_ms": self.outside.percentile(50),
                    "noisy_psnr_db": self.noisy.psnr,
                    "denoised_psnr_db": self.denoised.psnr,
                }
            ),
        }
