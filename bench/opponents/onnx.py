"""Public denoisers as .onnx files: DnCNN, FFDNet and whatever follows their conventions."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from dae_edge.bench.method import Frame, Knob, Memory, Output, Setting, each
from dae_edge.errors import ModelLoadError
from dae_edge.manifest import digest
from dae_edge.opencv import cv2
from dae_edge.runtime.inspect import manifest_in, read_contents
from dae_edge.runtime.onnx import session_options
from dae_edge.runtime.opening import read_model

CONVENTIONS = (
    "one float picture, (1, 1 or 3, H, W) or (1, H, W, 1 or 3), RGB from 0 to 1, to which a noise level may "
    "come: as a second input, or as a fourth channel"
)
_SIGMAS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 11.0, 15.0, 20.0, 27.0, 36.0, 50.0, 75.0)  # levels of 255
_MULTIPLE = 8  # what sides are padded to where the file takes any size: networks halve them
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}


@dataclass(frozen=True)
class Foreign:
    """A file that this package did not make."""

    name: str
    path: Path
    threads: int
    kind: str = "opponent"
    memory: Memory = "none"
    tries: int = 2
    most: int = 0
    note: str = ""

    @property
    def knobs(self) -> tuple[Knob, ...]:
        return (Knob("sigma", _SIGMAS),) if _load(self.path, self.threads).sigma else ()

    @property
    def identity(self) -> str:
        return f"{_digest(self.path)} onnxruntime {onnxruntime.__version__} threads {self.threads}"

    def run(
        self, frames: Sequence[Frame], wanted: Sequence[int], setting: Setting, *, timed: bool = False
    ) -> Output:
        network = _load(self.path, self.threads)
        sigma = setting[0] if setting else 0.0
        done = each(lambda frame: network(frame, sigma), (frames[index] for index in wanted))
        return Output(done.frames, done.ms[1:] or done.ms)  # the first run makes room


def is_foreign(path: Path) -> bool:
    """Whether an .onnx file lacks the manifest of `dae-edge export`."""
    try:
        return manifest_in(read_contents(path.suffix, read_model(path))) is None
    except ModelLoadError:  # loading it says what is wrong
        return False


class Network:
    """One file, its convention read from the shapes of its inputs.

    Whether it gives the picture or the noise shows on the first frame: noise lies near zero.
    """

    def __init__(self, path: Path, threads: int) -> None:
        content = read_model(path)
        read_contents(path.suffix, content)  # refuses what would lead to other files
        try:
            self._session = onnxruntime.InferenceSession(
                content, session_options(threads), providers=["CPUExecutionProvider"]
            )
        except Exception as failure:  # onnxruntime raises a dozen unrelated kinds
            reason = (str(failure).strip().splitlines() or [type(failure).__name__])[0]
            raise ModelLoadError(f"{path} cannot be loaded: {reason}") from failure
        inputs = self._session.get_inputs()
        pictures = [i for i in inputs if len(i.shape) == 4 and _channels(i.shape) is not None]
        if not pictures or len(inputs) > 2 or inputs[0].type not in _TYPES:
            shapes = ", ".join(f"{i.name} {i.shape} {i.type}" for i in inputs)
            raise ModelLoadError(f"{path} takes {shapes}; an opponent takes {CONVENTIONS}.")
        self._picture = pictures[0]
        self._level = next((i for i in inputs if i is not self._picture), None)
        self._type = _TYPES[self._picture.type]
        axis, channels = _channels(self._picture.shape) or (1, 3)
        self._first, self._channels = axis == 1, channels
        self.sigma = self._level is not None or channels in (2, 4)
        self._residual: bool | None = None
        self._shrink = 1

    def __call__(self, frame: Frame, sigma: float) -> Frame:
        """(H, W, 3) uint8 BGR -> the same; `sigma` in levels of 255."""
        picture = frame[..., ::-1].astype(np.float32) / 255
        height, width = frame.shape[:2]
        shape = self._picture.shape
        fixed = shape[2:] if self._first else shape[1:3]
        if all(isinstance(side, int) for side in fixed):
            if tuple(fixed) != (height, width):
                raise ModelLoadError(f"made for {fixed[1]}x{fixed[0]}, and the clip is {width}x{height}")
            padded: NDArray[Any] = picture
        else:
            down, across = (-side % _MULTIPLE for side in (height, width))
            padded = cv2.copyMakeBorder(picture, 0, down, 0, across, cv2.BORDER_REFLECT_101)
        level = sigma / 255
        if self._channels in (1, 2):  # a grey network cleans one colour after the other
            planes = [self._one(padded[..., c : c + 1], level) for c in range(3)]
            out = np.concatenate(planes, axis=2)
        else:
            out = self._one(padded, level)
        clean = np.clip(np.rint(255 * out[:height, :width, ::-1]), 0, 255).astype(np.uint8)
        return np.ascontiguousarray(clean)

    def _one(self, picture: NDArray[Any], level: float) -> NDArray[np.float32]:
        """(H, W, 1 or 3) in [0, 1] -> the same without noise."""
        batch = picture
        if self._channels in (2, 4):
            batch = np.concatenate([picture, np.full((*picture.shape[:2], 1), level, np.float32)], axis=2)
        batch = (batch.transpose(2, 0, 1) if self._first else batch)[None]
        feeds: dict[str, NDArray[Any]] = {self._picture.name: np.ascontiguousarray(batch, self._type)}
        out = self._run(feeds, level, picture.shape[:2])[0].astype(np.float32)
        out = out.transpose(1, 2, 0) if self._first else out
        if out.shape != picture.shape:
            raise ModelLoadError(f"it gives {out.shape} for a picture of {picture.shape}")
        if self._residual is None:
            self._residual = bool(np.abs(out).mean() < np.abs(out - picture).mean())
        return picture - out if self._residual else out

    def _run(
        self, feeds: dict[str, NDArray[Any]], level: float, size: tuple[int, ...]
    ) -> NDArray[np.floating]:
        if self._level is None:
            return self._session.run(None, feeds)[0]
        try:
            return self._session.run(None, feeds | {self._level.name: self._map(level, size)})[0]
        except Exception:
            if self._shrink == 2 or all(isinstance(side, int) for side in self._level.shape):
                raise
            self._shrink = 2  # FFDNet's own map has half of the picture's sides
            return self._run(feeds, level, size)

    def _map(self, level: float, size: tuple[int, ...]) -> NDArray[Any]:
        """The noise level in the shape that its input asks for: a number, or a map of the picture's size."""
        assert self._level is not None
        shape = list(self._level.shape)
        if len(shape) == 4:
            for axis, side in zip((2, 3) if self._first else (1, 2), size, strict=True):
                shape[axis] = shape[axis] if isinstance(shape[axis], int) else side // self._shrink
        filled = [side if isinstance(side, int) else 1 for side in shape]
        return np.full(filled, level, _TYPES.get(self._level.type, np.float32))


@functools.lru_cache(maxsize=2)
def _load(path: Path, threads: int) -> Network:
    return Network(path, threads)


@functools.lru_cache(maxsize=16)
def _digest(path: Path) -> str:
    return digest(read_model(path))


def _channels(shape: Sequence[Any]) -> tuple[int, int] | None:
    """(axis, count) of a picture's channels; 2 and 4 are grey and colour with a map of the noise level."""
    for axis in (1, 3):
        if shape[axis] in (1, 2, 3, 4):
            return axis, int(shape[axis])
    return None
