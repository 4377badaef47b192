"""One method on one take: how near to the clean picture, at once and over time, in how many milliseconds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dae_edge.bench import motion
from dae_edge.bench.method import Frame, Method, Setting
from dae_edge.bench.search import at_the_end, best_setting
from dae_edge.bench.takes import SHOWN, Frames
from dae_edge.metrics import decibels, psnr, ssim

PERFECT = 100.0  # dB, what stands for no error at all


@dataclass
class Score:
    """The figures of one method on one take.

    setting:      of its knobs, the best for this very take
    at_end:       knobs that were best at an end of the values tried
    first:        PSNR in dB of the clip's first frame; 100 stands for no error, here and below
    later:        PSNR in dB of the scored frames from the ninth on; of the last frame of a shorter clip
    ssim:         SSIM, mean over the same frames
    convergence:  PSNR in dB at frame 1, 2, 4, 8, 16 and 32, as far as there are
    flicker:      temporal standard deviation in levels of 255 over the last four frames, where nothing moves
    ghost:        dB by which what was just uncovered is worse than without memory; below 0 it is better
    ms:           milliseconds a frame, median
    times:        milliseconds of every frame timed
    problem:      why there are no figures
    """

    setting: dict[str, float] = field(default_factory=dict)
    at_end: list[str] = field(default_factory=list)
    first: float | None = None
    later: float | None = None
    ssim: float | None = None
    convergence: dict[str, float] = field(default_factory=dict)
    flicker: float | None = None
    ghost: float | None = None
    ms: float | None = None
    times: list[float] = field(default_factory=list)
    problem: str = ""


@dataclass(frozen=True)
class Measured:
    """A score, and the frames it is of: by their index in the take."""

    score: Score
    frames: dict[int, Frame]


def measure(frames: Frames, method: Method) -> Measured:
    """Find the method's best setting for this take, run it from a fresh start, and score it."""
    setting = _sweep(frames, method)
    scored = _scored(frames, method)
    output = method.run(frames.noisy, scored, setting, timed=True)
    denoised = dict(zip(scored, output.frames, strict=True))
    later = [index for index in frames.later if index in denoised]
    score = Score(
        setting={knob.name: value for knob, value in zip(method.knobs, setting, strict=True)},
        at_end=at_the_end(method.knobs, setting),
        first=_psnr(frames, denoised, [0]),
        later=_psnr(frames, denoised, later),
        ssim=statistics.fmean(ssim(denoised[index], frames.clean[index]) for index in later),
        convergence={str(n): _psnr(frames, denoised, [n - 1]) for n in SHOWN if n - 1 in denoised},
        flicker=_flicker(frames, denoised),
        ghost=_ghost(frames, method, setting, denoised),
        ms=statistics.median(output.ms) if output.ms else None,
        times=[round(ms, 3) for ms in output.ms],
    )
    return Measured(score, denoised)


def facts(frames: Frames) -> dict[str, Any]:
    """What the take is like: size, frames, the part that rests, and the flicker of the clean frames there."""
    height, width = frames.clean[0].shape[:2]
    rest = frames.rest
    clean = [frames.clean[index] for index in frames.last_run]
    return {
        "width": width,
        "height": height,
        "frames": len(frames),
        "scored": [index + 1 for index in frames.scored],
        "at_rest": None if rest is None else round(float(rest.mean()), 4),
        "clean_flicker": None if rest is None else motion.flicker(clean, rest),
        "uncovered_pixels": sum(int(mask.sum()) for mask in frames.uncovered.values()),
    }


def _sweep(frames: Frames, method: Method) -> Setting:
    later = frames.later
    if method.tries == 1:
        frames, later = _heart(frames), later[-1:]
    elif method.tries:
        last, count = len(later) - 1, min(method.tries, len(later))
        later = sorted({later[round(i * last / max(count - 1, 1))] for i in range(count)})
    clean = [frames.clean[index] for index in later]
    return best_setting(method.knobs, lambda s: psnr(method.run(frames.noisy, later, s).frames, clean))


def _heart(frames: Frames) -> Frames:
    """The middle half of the picture: what slow methods are tried on."""
    height, width = frames.clean[0].shape[:2]
    rows, columns = (slice(round(0.15 * side), round(0.85 * side)) for side in (height, width))
    return Frames([f[rows, columns] for f in frames.noisy], [f[rows, columns] for f in frames.clean])


def _scored(frames: Frames, method: Method) -> list[int]:
    """The frames a method is run on: without a memory, those of convergence would say nothing."""
    if method.memory == "none" and not method.most:
        return sorted({0, *frames.later, *frames.last_run})
    if method.most and len(frames.scored) > method.most:
        return [frames.scored[0], *frames.scored[1 - method.most :]]
    return frames.scored


def _psnr(frames: Frames, denoised: dict[int, Frame], indices: Sequence[int]) -> float:
    found = psnr([denoised[index] for index in indices], [frames.clean[index] for index in indices])
    return min(found, PERFECT)


def _flicker(frames: Frames, denoised: dict[int, Frame]) -> float | None:
    run = frames.last_run
    if frames.rest is None or any(index not in denoised for index in run):
        return None
    return motion.flicker([denoised[index] for index in run], frames.rest)


def _ghost(frames: Frames, method: Method, setting: Setting, denoised: dict[int, Frame]) -> float | None:
    """Error of the run against that of single frames, over all that was just uncovered."""
    if method.memory == "none" or method.most or not frames.uncovered:
        return None
    with_memory = without = 0.0
    for index, mask in frames.uncovered.items():
        (alone,) = method.run([frames.noisy[index]], [0], setting).frames
        pixels = int(mask.sum())
        with_memory += pixels * motion.error_in(denoised[index], frames.clean[index], mask)
        without += pixels * motion.error_in(alone, frames.clean[index], mask)
    return min(decibels(without), PERFECT) - min(decibels(with_memory), PERFECT)
