"""What is asked of the converter's process, and what it answers: JSON, one object a line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Job:
    """One file to make; paths as text, sizes (height, width)."""

    source: str
    format: str
    output: str
    size: tuple[int, int] | None = None
    calibration: str | None = None
    max_loss: float | None = None
    sensitivity: bool = False
    force: bool = False


@dataclass(frozen=True)
class Result:
    """How a job ended: its figures, or the name of an error class of ours and its sentence."""

    figures: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    message: str = ""
