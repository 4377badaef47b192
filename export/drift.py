"""Whether what a file loses stays the same when its memory has gone round hundreds of times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dae_edge.errors import ParityError
from dae_edge.export.check import Reference
from dae_edge.export.clips import Pair
from dae_edge.export.picture_model import PictureModel
from dae_edge.metrics import psnr
from dae_edge.runtime.engine import Engine
from dae_edge.scenes import draw_clip
from dae_edge.sensor import PRESETS, SimulatedCamera

FRAMES = 300
EARLY = 30  # frames to the first moment that is looked at
SIZE = (96, 128)  # (height, width); memory drifts alike at every size
_SEED = 13  # clips of neither calibration nor check
_WINDOW = 20  # frames averaged at either moment
_SLACK = 0.03  # dB by which two such averages differ on their own


@dataclass(frozen=True)
class Drift:
    """dB of PSNR against clean lost to Keras: over the 20 frames to the 30th, and to the last."""

    early: float
    late: float

    def figures(self) -> dict[str, float]:
        return {f"loss_frame_{EARLY}": round(self.early, 4), f"loss_frame_{FRAMES}": round(self.late, 4)}


def reference(model: PictureModel, frames: int) -> Reference:
    """A drawn clip in the dark, there and back again until it is long enough."""
    random = np.random.default_rng(_SEED)
    scene = draw_clip(random, EARLY, *SIZE)
    there_and_back = [*scene, *scene[::-1]]
    camera = SimulatedCamera(PRESETS["dark"], seed=_SEED)
    shown = [there_and_back[index % len(there_and_back)] for index in range(frames)]
    noisy = np.stack([camera.capture(frame) for frame in shown])
    return Reference(model, [Pair(noisy, np.stack([camera.clean(frame) for frame in shown]))])


def measure(reference: Reference, engine: Engine) -> Drift:
    frames = reference.run(engine)

    def loss(end: int) -> float:
        part = slice(end - _WINDOW, end)
        clean = reference.clean[part]
        return psnr(reference.frames[part], clean) - psnr(frames[part], clean)

    return Drift(loss(EARLY), loss(FRAMES))


def require(drift: Drift, name: str, max_loss: float) -> None:
    """Raise `ParityError` where the loss is too large at either moment, or grows."""
    worst = max(drift.early, drift.late)
    if not worst <= max_loss:
        frame = EARLY if drift.early >= drift.late else FRAMES
        raise ParityError(
            f"{name} loses {worst:.2f} dB to Keras at frame {frame} of a clip; the limit is {max_loss:g} dB."
        )
    if not drift.late <= max(drift.early, 0) + _SLACK:
        raise ParityError(
            f"{name} drifts: it loses {drift.early:.2f} dB at frame {EARLY}, "
            f"{drift.late:.2f} at frame {FRAMES}."
        )
