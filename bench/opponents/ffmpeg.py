"""Filters of the `ffmpeg` program."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dae_edge.bench.method import Frame, Knob, Memory, Output, Setting
from dae_edge.errors import MediaError

_TIMED = 0.6  # seconds that a filter runs for when it is timed, about
_RUNS = 3  # of which the median counts: a single one has been twice as long as all others
_PATIENCE = 300  # seconds
_RTIME = re.compile(rb"rtime=([\d.]+)s")


@dataclass(frozen=True)
class FFmpeg:
    """A filter; `pattern` takes the setting's numbers.

    before: frames it remembers, None for all; after: frames it waits for
    least:  frames below which it would wait for ever; shorter clips end in copies of their last frame
    """

    name: str
    pattern: str
    knobs: tuple[Knob, ...]
    memory: Memory
    before: int | None = 0
    after: int = 0
    least: int = 1
    tries: int = 0
    most: int = 0
    kind: str = "opponent"
    note: str = ""
    threads: int = 2

    @property
    def identity(self) -> str:
        return f"{self.pattern} {version()}"

    def run(
        self, frames: Sequence[Frame], wanted: Sequence[int], setting: Setting, *, timed: bool = False
    ) -> Output:
        # Only what the filter needs for the frames that are wanted.
        if self.memory == "none":
            needed = list(wanted)
        else:
            begin = 0 if self.before is None else max(min(wanted) - self.before, 0)
            needed = list(range(begin, min(max(wanted) + self.after + 1, len(frames))))
        clip, skip = [frames[index] for index in needed], needed.index(min(wanted))
        denoised = dict(zip(needed[skip:], self._filter(clip, setting, skip), strict=True))
        return Output([denoised[index] for index in wanted], self._times(clip, setting) if timed else [])

    def _filter(self, frames: Sequence[Frame], setting: Setting, skip: int) -> list[Frame]:
        """All frames but the first `skip`, denoised."""
        height, width = frames[0].shape[:2]
        given = len(frames) - skip
        padded = [*frames, *[frames[-1]] * (self.least - len(frames))]
        # Full colour resolution, so that no conversion is held against the filter.
        filters = f"format=yuv444p,{self.pattern.format(*setting)},trim=start_frame={skip},format=bgr24"
        out = self._ffmpeg(
            [*_raw("bgr24", width, height), "-i", "-"],
            ["-vf", filters, "-frames:v", str(given), "-f", "rawvideo", "-pix_fmt", "bgr24", "-"],
            b"".join(np.ascontiguousarray(f).tobytes() for f in padded),
        ).stdout
        if len(out) != given * frames[0].size:
            raise MediaError(f"ffmpeg's {filters} gave {len(out)} bytes for {given} frames.")
        return list(np.frombuffer(out, np.uint8).reshape(given, height, width, 3))

    def _times(self, frames: Sequence[Frame], setting: Setting) -> list[float]:
        """Milliseconds a frame of each run, by ffmpeg's own clock: the filter, no pipes, no conversions."""
        height, width = frames[0].shape[:2]
        few = frames[:8]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "clip.yuv"
            self._ffmpeg(
                [*_raw("bgr24", width, height), "-i", "-"],
                ["-f", "rawvideo", "-pix_fmt", "yuv444p", str(path)],
                b"".join(np.ascontiguousarray(f).tobytes() for f in few),
            )

            def run(count: int) -> float:
                done = self._ffmpeg(
                    ["-stream_loop", "-1", *_raw("yuv444p", width, height), "-i", str(path)],
                    ["-vf", self.pattern.format(*setting), "-frames:v", str(count), "-f", "null", "-"],
                    level="info",
                )
                found = _RTIME.search(done.stderr)
                if found is None:
                    raise MediaError("ffmpeg's -benchmark gave no time.")
                return float(found[1])

            few_enough = max(2, self.least)
            guess = max(run(few_enough) / few_enough, 1e-4)
            count = max(few_enough, min(int(_TIMED / guess), 200))
            return [1000 * run(count) / count for _ in range(_RUNS)]

    def _ffmpeg(
        self, source: list[str], target: list[str], content: bytes | None = None, *, level: str = "error"
    ) -> subprocess.CompletedProcess[bytes]:
        threads = ["-filter_threads", str(self.threads)]
        try:
            done = subprocess.run(
                ["ffmpeg", "-hide_banner", "-nostats", "-v", level, "-benchmark", *threads, *source, *target],
                input=content or b"",
                capture_output=True,
                check=False,
                timeout=_PATIENCE,
            )
        except subprocess.TimeoutExpired as failure:
            raise MediaError(
                f"ffmpeg {' '.join(target[:2])} did not end in {_PATIENCE} seconds."
            ) from failure
        if done.returncode:
            raise MediaError(f"ffmpeg {' '.join(target[:2])} failed: {_last_line(done.stderr)}")
        return done


def installed() -> bool:
    return shutil.which("ffmpeg") is not None


@functools.cache
def version() -> str:
    done = subprocess.run(["ffmpeg", "-version"], capture_output=True, check=False)
    return done.stdout.decode(errors="replace").partition(" Copyright")[0]


def filters(threads: int) -> list[FFmpeg]:
    """The filters people denoise video with."""
    strengths = (1.5, 3, 5, 8, 12, 18, 27, 40, 60, 90)
    return [
        FFmpeg(
            "ffmpeg hqdn3d",
            "hqdn3d={0}:{0}:{1}:{1}",
            (Knob("spatial", strengths), Knob("temporal", strengths)),
            "past",
            before=None,
            threads=threads,
        ),
        FFmpeg(
            "ffmpeg nlmeans",
            "nlmeans=s={0}",
            (Knob("s", (1, 2, 3, 4, 5, 6, 7.5, 9, 11, 13, 16, 20, 30)),),
            "none",
            tries=1,
            threads=threads,
        ),
        FFmpeg(
            "ffmpeg atadenoise",
            "atadenoise=0a={0}:0b={1}:1a={0}:1b={1}:2a={0}:2b={1}:s={2}",
            (
                Knob("a", (0.02, 0.05, 0.1, 0.2, 0.3)),
                Knob("b", (0.04, 0.15, 0.5, 1.5, 5)),
                Knob("s", (9, 33)),
            ),
            "future",
            before=None,
            after=16,
            least=18,
            note="waits for half of its window of s frames",
            threads=threads,
        ),
        FFmpeg(
            "ffmpeg vaguedenoiser",
            "vaguedenoiser=threshold={0}:percent={1}",
            (
                Knob("threshold", (1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90)),
                Knob("percent", (50, 70, 85, 100)),
            ),
            "none",
            tries=3,
            threads=threads,
        ),
        FFmpeg(
            "ffmpeg fftdnoiz",
            "fftdnoiz=sigma={0}:prev={1}",
            (
                Knob("sigma", (1, 2, 3, 5, 7, 10, 14, 20, 28, 40, 56, 80, 100)),
                Knob("prev", (0, 1)),
            ),
            "past",
            before=1,
            tries=1,
            threads=threads,
        ),
    ]


def _raw(pixels: str, width: int, height: int) -> list[str]:
    return ["-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{width}x{height}", "-r", "30"]


def _last_line(text: bytes) -> str:
    return (text.decode(errors="replace").strip().splitlines() or ["without a word"])[-1]
