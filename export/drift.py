"""Whether what a file loses stays the same when its memory has gone round hundreds of times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import ParityError
from dae_edge.export.check import Reference
from dae_edge.export.clips import Pair
from dae_edge.export.picture_model import PictureModel
from dae_edge.metrics import psnr
from dae_edge.opencv import cv2
from dae_edge.runtime.engine import Engine
from dae_edge.scenes import draw_clip
from dae_edge.sensor import PRESETS, SimulatedCamera

LEG = 30  # frames that it moves for, and rests for
FRAMES = 300  # half a round of four legs, and whole ones: its last rest shows what its first did
SIZE = (96, 128)  # (height, width); memory drifts alike at every size
_WHITE = 20.0  # standard deviation of the noise where nothing moves, in levels
FIXED = 6  # times the limit that may be lost there where no layer can be left in float instead
_SEED = 13  # clips of neither calibration nor check
_WINDOW = 20  # frames averaged at each moment


@dataclass(frozen=True)
class Drift:
    """dB of PSNR against clean lost to Keras, over the 20 frames to each frame named: where it first and last
    moves, and where it first and last rests."""

    moving: dict[int, float]
    resting: dict[int, float]

    def figures(self) -> dict[str, float]:
        losses = sorted((self.moving | self.resting).items())
        return {f"loss_frame_{frame}": round(loss, 4) for frame, loss in losses}


def reference(model: PictureModel, frames: int) -> Reference:
    """A drawn clip there and back again until it is long enough: it moves in the dark, and rests at either
    end in white noise as loud in bright places as in dark ones, which no camera of calibration has.

    What lets a memory go too early shows where nothing moves, noise is strange and the picture soft: 8 bits
    once lost 2 dB there and 0.03 in the dark, and 1 to 2 dB of soft areas where they lost 0.1 of a drawn
    scene. So the right half of what rests is soft areas.
    """
    random = np.random.default_rng(_SEED)
    scene = [*draw_clip(random, LEG, *SIZE)]
    camera = SimulatedCamera(PRESETS["dark"], seed=_SEED)
    noisy, clean = [], []
    soft = _soft_areas(SIZE[0], SIZE[1] // 2)
    for index in range(frames):
        turn, place = divmod(index, LEG)
        way = scene if turn % 4 < 2 else scene[::-1]
        if turn % 2 == 0:
            noisy.append(camera.capture(way[place]))
            clean.append(camera.clean(way[place]))
        else:
            still = np.hstack([way[-1][:, : -soft.shape[1]], soft])
            noise = random.normal(0, _WHITE, still.shape)
            noisy.append(np.rint(still + noise).clip(0, 255).astype(np.uint8))
            clean.append(still)
    return Reference(model, [Pair(np.stack(noisy), np.stack(clean))])


def _soft_areas(height: int, width: int) -> NDArray[np.uint8]:
    """(height, width, 3): a few colours that run into one another."""
    colours = np.random.default_rng([_SEED, 1]).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    return cv2.resize(colours, (width, height)).astype(np.uint8, copy=False)


def measure(reference: Reference, engine: Engine) -> Drift:
    frames = reference.run(engine)

    def loss(end: int) -> float:
        part = slice(end - _WINDOW, end)
        clean = reference.clean[part]
        return psnr(reference.frames[part], clean) - psnr(frames[part], clean)

    moving, resting = ((LEG, FRAMES - LEG), (2 * LEG, FRAMES))
    return Drift({end: loss(end) for end in moving}, {end: loss(end) for end in resting})


def require(drift: Drift, name: str, max_loss: float, at_rest: float) -> None:
    """Raise `ParityError` where the loss is too large, over `max_loss` while it moves or over `at_rest`, or
    grows by more than `max_loss` from the first rest to the last.

    Not by less: rests differ by up to 0.05 dB for their noise alone.
    """
    for losses, most in ((drift.moving, max_loss), (drift.resting, at_rest)):
        for frame, loss in losses.items():
            if not loss <= most:
                raise ParityError(
                    f"{name} loses {loss:.2f} dB to Keras at frame {frame} of a clip; "
                    f"the limit is {most:g} dB."
                )
    first, last = min(drift.resting), max(drift.resting)
    if not drift.resting[last] <= max(drift.resting[first], 0) + max_loss:
        raise ParityError(
            f"{name} drifts: it loses {drift.resting[first]:.2f} dB at frame {first}, "
            f"{drift.resting[last]:.2f} at frame {last}."
        )
