"""What the loop asks of a capture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dae_edge.camera.sources import Shot


@dataclass(frozen=True)
class Captured:
    """A shot on its way to the loop.

    taken:  time.monotonic() when the source gave it
    number: 0, 1, 2, ... of what the source gave, those that were dropped included
    clip:   rises by one whenever the source was opened anew: what came before is past
    """

    shot: Shot
    taken: float
    number: int
    clip: int = 0


class Capture(Protocol):
    """A source being read: `FileCapture` or `LiveCapture`."""

    @property
    def ended(self) -> bool:
        """Whether the source is through; a live one never is."""
        ...

    @property
    def dropped(self) -> int:
        """Frames that were read and never taken."""
        ...

    @property
    def status(self) -> str:
        """ "" where frames come, else a sentence about what is being waited for."""
        ...

    @property
    def period(self) -> float:
        """Seconds between two frames as they come; before the second one, as the source says."""
        ...

    @property
    def reopened(self) -> int:
        """How often the source was opened anew."""
        ...

    def take(self, timeout: float) -> Captured | None:
        """The next shot to show, or None where none came for `timeout` seconds or at the end."""
        ...

    def close(self) -> None:
        """Stop reading; returns within about a second, even where a read() never does."""
        ...
