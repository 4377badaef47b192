"""One thing that a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["fine", "limited", "missing", "plain"]


@dataclass(frozen=True)
class Finding:
    """What was looked at, what was found, and what to do about it.

    state: "fine", "limited" (something works less well), "missing", or "plain" for a mere fact
    """

    name: str
    found: str
    state: State = "plain"
    advice: str = ""
