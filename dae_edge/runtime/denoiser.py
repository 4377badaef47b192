"""The public face of a loaded model: frame in, frame out, with the clip remembered between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import BadValueError, FrameError
from dae_edge.manifest import Manifest
from dae_edge.runtime.engine import Engine

if TYPE_CHECKING:
    from dae_edge.motion.follow import Follower

Frame = NDArray[np.uint8]


class Denoiser:
    """A model that cleans one clip, frame by frame.

    `denoise(frame)` takes and gives (H, W, 3) uint8 BGR (a grey model (H, W) uint8) and remembers
    the frames before. `reset()`, or a frame of another size, starts a new clip.

    With `follow` memory goes along with what moves: under a moving camera most of it would be lost otherwise.
    """

    def __init__(self, engine: Engine, *, strength: float = 1.0, follow: bool | None = None) -> None:
        self._engine = engine
        self._state: dict[str, NDArray[Any]] = {}
        self._follower: Follower | None = None
        self._size: tuple[int, int] | None = None
        self.strength = strength
        self.follow = engine.manifest.follows if follow is None else follow

    @property
    def manifest(self) -> Manifest:
        """What the file says of itself."""
        return self._engine.manifest

    @property
    def engine(self) -> str:
        """The runtime behind it: "onnxruntime" or "litert"."""
        return self._engine.name

    @property
    def strength(self) -> float:
        """From 0, the frame untouched, to 1, fully denoised."""
        return self._strength

    @strength.setter
    def strength(self, value: float) -> None:
        if not 0 <= value <= 1:
            raise BadValueError(f"`strength` (={value}) must be from 0 to 1.")
        self._strength = float(value)

    @property
    def follow(self) -> bool:
        """Whether memory goes along with what moves."""
        return self._follower is not None

    @follow.setter
    def follow(self, value: bool) -> None:
        if value and not self.manifest.memory:
            rule = f"must be False: {self.manifest.name} cannot carry its memory along with motion"
            raise BadValueError(f"`follow` (={value}) {rule}.")
        self._follower = None
        if value:
            from dae_edge.motion.follow import Follower  # here, so that loading a model does not need OpenCV

            self._follower = Follower(self.manifest)

    def follow_if_able(self, value: bool | None) -> None:
        """As `follow`, but no error where the file cannot; None leaves it as it is."""
        if value is not None:
            self.follow = value and bool(self.manifest.memory)

    def reset(self) -> None:
        """Forget the clip: the next frame is the first of a new one."""
        self._state, self._size = {}, None

    def __call__(self, frame: Frame) -> Frame:
        """Denoise the clip's next frame; shape and type stay.

        Raises `FrameError` (a ValueError) for anything that is no frame of this model.
        """
        self._check(frame)
        if frame.shape[:2] != self._size:
            self._begin(frame.shape[0], frame.shape[1])
        if self._follower is not None:
            self._state = self._follower.carry(self._state, frame)
        picture = self.manifest.frame
        channels = self.manifest.channels
        batch = np.ascontiguousarray(frame).reshape(1, *frame.shape[:2], channels)
        inside = self.manifest.strength  # the file blends by itself
        knob = {inside: np.array(self._strength, np.float32)} if inside else {}
        out = self._engine.run({picture.name: batch, **knob, **self._state})
        self._state = {state.name: out[state.next] for state in self.manifest.states}
        denoised = out[self.manifest.denoised.name].reshape(frame.shape)
        if not inside and self._strength != 1:
            denoised = _blend(frame, denoised, self._strength)
        if self._follower is not None:
            self._follower.saw(frame, denoised, self._strength)
        return denoised

    def _begin(self, height: int, width: int) -> None:
        self._size = (height, width)
        if self._follower is not None:
            self._follower.forget()
        self._state = {
            state.name: np.full(self.manifest.state_shape(state, height, width), state.start, state.dtype)
            for state in self.manifest.states
        }

    def _check(self, frame: object) -> None:
        channels = self.manifest.channels
        expected = "(H, W, 3) uint8 BGR" if channels == 3 else "(H, W) or (H, W, 1) uint8 grey"
        if not isinstance(frame, np.ndarray):
            raise FrameError(f"`frame` must be an array {expected}; got {type(frame).__name__}.")
        shapes = {3: frame.ndim == 3 and frame.shape[2] == 3}
        fits = shapes.get(channels, frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] == 1))
        if frame.dtype != np.uint8 or not fits:
            raise FrameError(f"`frame` must be {expected}; got {frame.shape} {frame.dtype}.")
        height, width = frame.shape[:2]
        size = self.manifest.size
        if size is not None and (height, width) != size:
            raise FrameError(
                f"`frame` is {width}x{height}, but this file was exported for {size[1]}x{size[0]}."
            )
        minimum = self.manifest.minimum
        if min(height, width) < minimum:
            raise FrameError(
                f"`frame` is {width}x{height}; this model needs {minimum} pixels a side at least."
            )


def _blend(frame: Frame, denoised: Frame, strength: float) -> Frame:
    from dae_edge.opencv import cv2  # here, so that loading a model does not need OpenCV

    mixed = cv2.addWeighted(denoised, strength, frame, 1 - strength, 0)
    return mixed.astype(np.uint8, copy=False).reshape(frame.shape)
