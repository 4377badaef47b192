"""What can be changed while the loop runs, by keys, by the page, or by a program."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

from dae_edge.errors import BadValueError

COMPARE = ("off", "split", "side", "before")

_SETTINGS = ("strength", "brighten", "compare", "frozen", "model", "recording")


class Controls:
    """The loop's settings; safe to read and to change from any thread.

    The loop reads them before every frame, so a change shows at the next one and the camera goes on.

    strength:  0 (the camera's picture) to 1 (fully denoised)
    brighten:  0 (as it is) to 1: lift of the dark tones after denoising
    compare:   "off" (denoised), "split" (half and half), "side" (beside each other), "before" (camera)
    frozen:    hold the picture; a live camera is read on behind it, a file waits
    model:     one of `models`, the names on offer
    recording: write a video

    Setting a value that breaks its rule raises `BadValueError` and changes nothing.
    """

    def __init__(
        self,
        *,
        strength: float = 1.0,
        brighten: float = 0.0,
        compare: str = "off",
        model: str = "lowlight",
        models: Sequence[str] = (),
        recording: bool = False,
    ) -> None:
        self._lock = threading.Lock()
        self._models = tuple(dict.fromkeys((*models, model)))
        self._values: dict[str, Any] = {"frozen": False}
        self._snapshots = 0
        self._notice = ""
        self._stopping = False
        self.update(strength=strength, brighten=brighten, compare=compare, model=model, recording=recording)

    def update(self, **values: object) -> None:
        """Change several settings at once, all or, where one is bad, none.

        Raises `BadValueError` naming the setting, its value and the rule.
        """
        checked = {name: self._check(name, value) for name, value in values.items()}
        with self._lock:
            self._values.update(checked)

    @property
    def models(self) -> tuple[str, ...]:
        """The names that `model` may take."""
        return self._models

    @property
    def strength(self) -> float:
        return float(self._values["strength"])

    @strength.setter
    def strength(self, value: float) -> None:
        self.update(strength=value)

    @property
    def brighten(self) -> float:
        return float(self._values["brighten"])

    @brighten.setter
    def brighten(self, value: float) -> None:
        self.update(brighten=value)

    @property
    def compare(self) -> str:
        return str(self._values["compare"])

    @compare.setter
    def compare(self, value: str) -> None:
        self.update(compare=value)

    @property
    def frozen(self) -> bool:
        return bool(self._values["frozen"])

    @frozen.setter
    def frozen(self, value: bool) -> None:
        self.update(frozen=value)

    @property
    def model(self) -> str:
        return str(self._values["model"])

    @model.setter
    def model(self, value: str) -> None:
        self.update(model=value)

    @property
    def recording(self) -> bool:
        return bool(self._values["recording"])

    @recording.setter
    def recording(self, value: bool) -> None:
        self.update(recording=value)

    def snapshot(self) -> None:
        """Ask for a picture of the next view, before and after, as a file."""
        with self._lock:
            self._snapshots += 1

    def take_snapshots(self) -> int:
        """For whoever writes them: how many were asked for since the last call."""
        with self._lock:
            asked, self._snapshots = self._snapshots, 0
        return asked

    def stop(self) -> None:
        """Ask the loop to end; safe in a signal handler, so it takes no lock."""
        self._stopping = True

    @property
    def stopping(self) -> bool:
        return self._stopping

    def say(self, notice: str) -> None:
        """Tell whoever looks what was just done, such as "wrote snapshot.png"."""
        with self._lock:
            self._notice = notice

    @property
    def notice(self) -> str:
        """The last thing that was said, or ""."""
        return self._notice

    def snapshot_state(self) -> dict[str, Any]:
        """All settings at one moment, with `models` and `notice`; plain values, ready for JSON."""
        with self._lock:
            values = {name: self._values[name] for name in _SETTINGS}
            return {**values, "models": list(self._models), "notice": self._notice}

    def _check(self, name: str, value: object) -> object:
        if name in ("strength", "brighten"):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or not 0 <= value <= 1:  # type: ignore[arg-type, operator]
                raise BadValueError(f"`{name}` (={value}) must be a number from 0 to 1.")
            return float(value)  # type: ignore[arg-type]
        if name in ("frozen", "recording"):
            if not isinstance(value, bool):
                raise BadValueError(f"`{name}` (={value!r}) must be true or false.")
            return value
        known = {"compare": COMPARE, "model": self._models}.get(name)
        if known is None:
            raise BadValueError(f"`{name}` is no setting; there are {', '.join(_SETTINGS)}.")
        if value not in known:
            raise BadValueError(f"`{name}` (={value!r}) must be one of {', '.join(known)}.")
        return value
