"""A window with the picture, and the keyboard."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from dae_edge.camera import overlay
from dae_edge.camera.controls import COMPARE, Controls
from dae_edge.camera.overlay import Compose
from dae_edge.camera.view import View
from dae_edge.opencv import cv2

_WIDEST, _HIGHEST = 1600, 900  # of a window when it opens; it can be drawn larger
_STEP = 0.1
_NOTICE = 60  # views for which a notice stays: two seconds

KEYS = (
    ("q  Esc", "quit"),
    ("c", "compare: off, split, side, before"),
    ("+  -", "strength"),
    ("]  [", "brighten"),
    ("m", "next model"),
    ("space", "freeze"),
    ("s", "snapshot"),
    ("r", "record"),
    ("h", "these keys"),
)


def window_missing() -> str | None:
    """Why no window can open here, or None where one can."""
    build = cv2.getBuildInformation()
    gui = build[build.find("GUI:") :].partition("\n")[0]
    if not hasattr(cv2, "imshow") or "NONE" in gui:
        return "this OpenCV is built without windows (opencv-python-headless)"
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return "there is no display"
    # A display that is named but does not answer (a stale DISPLAY, another user's) makes Qt abort
    # the whole process; so a child tries first.
    trial = subprocess.run(
        [sys.executable, "-c", "import cv2; cv2.namedWindow('dae-edge')"],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return None if trial.returncode == 0 else "the display does not answer"


class Window:
    """Shows every view; its keys change the controls, and closing it stops the loop."""

    def __init__(self, controls: Controls, compose: Compose, title: str = "dae-edge") -> None:
        # OpenCV's Qt would warn once a window that its wheel brings no fonts; it needs none here.
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
        self._controls, self._compose, self._title = controls, compose, title
        self._help = False
        self._shape: tuple[int, ...] | None = None
        self._notice, self._notice_left = "", 0
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)

    def show(self, view: View) -> None:
        picture = self._compose(view)
        if picture.shape != self._shape:
            self._shape = picture.shape
            height, width = picture.shape[:2]
            scale = min(1.0, _WIDEST / width, _HIGHEST / height)
            cv2.resizeWindow(self._title, round(width * scale), round(height * scale))
        notice = self._current_notice()
        if self._help or notice:
            picture = picture.copy()
            if self._help:
                overlay.table(picture, KEYS)
            if notice:
                overlay.notice(picture, notice)
        cv2.imshow(self._title, picture)
        key = cv2.waitKey(1)
        if cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            self._controls.stop()
        elif key >= 0:
            self.press(chr(key & 0xFF))

    def close(self) -> None:
        cv2.destroyAllWindows()

    def press(self, key: str) -> None:
        """What a key does."""
        controls = self._controls
        actions: dict[str, Callable[[], None]] = {
            "q": controls.stop,
            "\x1b": controls.stop,
            "h": self._toggle_help,
            "c": lambda: controls.update(compare=_next(COMPARE, controls.compare)),
            "m": lambda: controls.update(model=_next(controls.models, controls.model)),
            "+": lambda: controls.update(strength=_within(controls.strength + _STEP)),
            "=": lambda: controls.update(strength=_within(controls.strength + _STEP)),
            "-": lambda: controls.update(strength=_within(controls.strength - _STEP)),
            "]": lambda: controls.update(brighten=_within(controls.brighten + _STEP)),
            "[": lambda: controls.update(brighten=_within(controls.brighten - _STEP)),
            " ": lambda: controls.update(frozen=not controls.frozen),
            "s": controls.snapshot,
            "r": lambda: controls.update(recording=not controls.recording),
        }
        action = actions.get(key)
        if action is None:
            return
        action()
        said = {
            "m": f"model {controls.model}",
            " ": "frozen" if controls.frozen else "live",
            **dict.fromkeys("+=-", f"strength {controls.strength:.1f}"),
            **dict.fromkeys("[]", f"brighten {controls.brighten:.1f}"),
        }
        if key in said:
            controls.say(said[key])

    def _toggle_help(self) -> None:
        self._help = not self._help

    def _current_notice(self) -> str:
        """The controls' notice, for two seconds after it came."""
        if self._controls.notice != self._notice:
            self._notice, self._notice_left = self._controls.notice, _NOTICE
        self._notice_left -= 1
        return self._notice if self._notice_left >= 0 else ""


def _next(choices: tuple[str, ...], now: str) -> str:
    return choices[(choices.index(now) + 1) % len(choices)]


def _within(value: float) -> float:
    return min(1.0, max(0.0, round(value, 2)))
