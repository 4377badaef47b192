"""What every source is and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]

DEFAULT_RATE = 30.0  # frames a second, where a source does not say


@dataclass(frozen=True)
class Shot:
    """One frame, (H, W, 3) uint8 BGR; `clean` is the same without noise, where it is known."""

    frame: Frame
    clean: Frame | None = None


class Source(Protocol):
    """A stream of shots.

    name:   for people, with no secrets in it
    detail: size, rate and the like, for people; of a camera what was asked for and what it granted
    size:   (width, height) of its frames, (0, 0) where it does not say
    rate:   frames a second, as it says itself
    live:   True where frames come when they come and an old one is worthless; False where every
            frame counts, as in a file
    """

    name: str
    detail: str
    size: tuple[int, int]
    rate: float
    live: bool

    def read(self) -> Shot | None:
        """The next shot, waiting for it; None at the end, or where a live source gives none."""
        ...

    def close(self) -> None: ...

    def again(self) -> Self:
        """The same source opened anew; raises what opening it raises."""
        ...


def describe(size: tuple[int, int], rate: float) -> str:
    """ "1280x720 at 30 fps"."""
    return f"{size[0]}x{size[1]} at {rate:.4g} fps"
