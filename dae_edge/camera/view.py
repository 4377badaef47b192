"""What the loop hands out with every frame, and what takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Figures:
    """How the loop does at this moment.

    fps:      new frames shown a second, over the last second or so
    infer_ms: the denoising of this frame, milliseconds
    age_ms:   from its capture to its being handed to the sinks, milliseconds
    dropped:  frames of a live source that were too old to be shown, so far
    status:   "" where all is well, else a sentence such as "camera lost, trying again in 4 s"
    work:     what denoises at which size, such as "lowlight at 960x544"; `--auto` changes it
    """

    fps: float
    infer_ms: float
    age_ms: float
    dropped: int
    status: str
    work: str = ""


@dataclass(frozen=True)
class View:
    """One frame as the camera gave it and as it is after denoising; nobody may write into them.

    before, after: (H, W, 3) uint8 BGR of one size; strength and brightening are in `after`
    number:        counts the source's frames; a frame that is held, because the view is frozen or
                   the camera is lost, comes again with its number and newer figures
    taken:         time.monotonic() when it was captured
    """

    before: Frame
    after: Frame
    number: int
    taken: float
    figures: Figures


class Sink(Protocol):
    """Takes every view: a window, a file, a page.

    `show` is called in the loop's thread, so it must be quick; what takes time belongs in a thread of
    the sink's own. A sink that raises is closed and left out, and the loop goes on. A sink that hears
    keys or clicks hands them to the loop's `Controls`.
    """

    def show(self, view: View) -> None: ...

    def close(self) -> None: ...
