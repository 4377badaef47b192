"""How long a live source may be silent, and how long to wait before trying it again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """Limits in seconds.

    opening:   for opening and the first frame; a stream may have to wait for its next key frame
    silence:   without a frame, though at least `periods` of the camera's own frame time; longer than the
               drivers' own limits (`sources/`), as a device cannot be opened while a read() hangs in it
    refusal:   of reads that come back with nothing: a driver drops a frame now and then
    sameness:  of frames equal to the last bit, and `same_frames` of them at least: some backends go on
               giving the last frame of a camera that was unplugged, and a camera's noise never repeats
    first_wait, last_wait: before opening again; doubles from the one to the other, and begins anew after
               an opening that gave `frames` frames
    """

    opening: float = 20.0
    silence: float = 5.0
    periods: int = 5
    refusal: float = 0.5
    sameness: float = 4.0
    same_frames: int = 8
    first_wait: float = 0.5
    last_wait: float = 30.0
    frames: int = 10
