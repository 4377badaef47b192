"""After each export: does the file still do what the Keras model does, and still denoise?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import ParityError
from dae_edge.export.clips import Pair
from dae_edge.export.picture_model import NEXT, Frame, PictureModel, Tensors
from dae_edge.formats import Format
from dae_edge.metrics import finite, psnr
from dae_edge.runtime import Denoiser
from dae_edge.runtime.engine import Engine

CONTRAST = 50  # dB of a clean card of black, white and colours: nobody sees the difference


@dataclass(frozen=True)
class Parity:
    """How close a file is to Keras on clips it was not calibrated on.

    max_difference: the largest anywhere, frames and states, in units of [0, 1]; a frame's 8-bit
                    rounding is not counted, only what goes beyond it; None where it was not asked for
    agreement:      PSNR in dB of the file's frames against Keras'
    noisy:          PSNR in dB of the noisy frames against clean
    keras, file:    the same of the two denoised ones, each carrying its own memory
    """

    max_difference: float | None
    agreement: float
    noisy: float
    keras: float
    file: float

    @property
    def loss(self) -> float:
        """dB of PSNR against clean that the file loses to Keras."""
        return self.keras - self.file

    def figures(self) -> dict[str, float | None]:
        """For the manifest, rounded to what the measurement is worth; None for infinite."""
        known = {k: v for k, v in {**asdict(self), "loss": self.loss}.items() if v is not None}
        return finite({k: float(f"{v:.4g}") for k, v in known.items()})


class Reference:
    """Clips, and what the Keras model makes of them; made once, held against every file."""

    def __init__(self, model: PictureModel, pairs: list[Pair]) -> None:
        self.model, self.pairs = model, pairs
        self.noisy = [frame for pair in pairs for frame in pair.noisy]
        self.clean = [frame for pair in pairs for frame in pair.clean]
        self.frames = [np.rint(expected).astype(np.uint8) for _, _, expected, _ in self.steps()]

    def steps(self) -> Iterator[tuple[Frame, Tensors, NDArray[np.float32], Tensors]]:
        """Each frame with the states it meets, Keras' answer in 0..255, unrounded, and the next states."""
        for pair in self.pairs:
            states = self.model.start(*pair.noisy.shape[1:3])
            for frame in pair.noisy:
                expected, following = self.model.restore(frame, states)
                yield frame, states, expected, following
                states = following

    def run(self, engine: Engine) -> list[Frame]:
        """What a file makes of the clips, with the memory it carries itself."""
        denoise, frames = Denoiser(engine, follow=False), []
        for pair in self.pairs:
            denoise.reset()
            frames += [denoise(frame) for frame in pair.noisy]
        return frames


def measure(reference: Reference, engine: Engine, *, stepwise: bool = True) -> Parity:
    """Hold a file against the Keras model.

    stepwise: compare single steps too, from the very same states; for files that keep them as Keras does
    """
    frames = reference.run(engine)
    return Parity(
        max_difference=max(_difference(engine, *step) for step in reference.steps()) if stepwise else None,
        agreement=psnr(frames, reference.frames),
        noisy=psnr(reference.noisy, reference.clean),
        keras=psnr(reference.frames, reference.clean),
        file=psnr(frames, reference.clean),
    )


def require(parity: Parity, format: Format, max_loss: float | None = None) -> None:
    """Raise `ParityError` where the file is too far from Keras for its format."""
    limit = format.max_difference
    most = format.max_loss if max_loss is None else max_loss
    if limit is not None and not (parity.max_difference is not None and parity.max_difference <= limit):
        raise ParityError(
            f"{format.name} differs from Keras by {parity.max_difference or 0:.2g} at most; "
            f"the limit is {limit:.2g}."
        )
    if not parity.loss <= most:
        raise ParityError(
            f"{format.name} loses {parity.loss:.2f} dB to Keras ({parity.file:.2f} against "
            f"{parity.keras:.2f} dB); the limit is {most:g} dB."
        )


def require_contrast(parity: Parity, format: Format, max_loss: float | None = None) -> None:
    """Raise `ParityError` where a card of hard edges comes out worse than from Keras and `CONTRAST`."""
    most = format.max_loss if max_loss is None else max_loss
    if not parity.file > min(parity.keras - most, CONTRAST):
        raise ParityError(
            f"{format.name} makes {parity.file:.1f} dB of black beside white, Keras {parity.keras:.1f}; "
            f"the limit is {CONTRAST:g} dB."
        )


def _difference(
    engine: Engine,
    frame: Frame,
    states: Tensors,
    expected: NDArray[np.float32],
    following: Tensors,
) -> float:
    """One step from the very same states: the largest difference, in units of [0, 1].

    What goes beyond 1, as frames stood on, against its own size: that is how floats are rounded.
    """
    layouts = {state.name: state.layout for state in engine.manifest.states}
    feeds = {name: _to(layouts[name], value) for name, value in states.items()}
    out = engine.run({engine.manifest.frame.name: frame[None], **feeds})
    levels = np.abs(out[engine.manifest.denoised.name][0] - expected)
    beyond_rounding = max(float(levels.max()) - 0.5, 0.0) / 255
    others = []
    for name, value in following.items():
        state = _to(layouts[name], value)
        others.append(float((np.abs(out[name + NEXT] - state) / np.maximum(np.abs(state), 1)).max()))
    return max([beyond_rounding, *others])


def _to(layout: str, state: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(state.transpose(0, 3, 1, 2)) if layout == "NCHW" else state
