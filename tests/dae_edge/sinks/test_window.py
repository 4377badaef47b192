"""The window and its keys."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest

from dae_edge.camera import Controls, sinks
from dae_edge.camera.overlay import Compose
from dae_edge.camera.sinks import (
    Window,
)
from tests.dae_edge.sinks.support import view


@pytest.mark.skipif(sys.platform != "linux", reason="displays are named in the environment on Linux only")
@pytest.mark.parametrize("display", [None, ":4077"])
def test_no_window_where_no_display_answers(monkeypatch: pytest.MonkeyPatch, display: str | None) -> None:
    """Qt aborts the process over a display that is named but gone: it must be found out before."""
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if display:
        monkeypatch.setenv("DISPLAY", display)
    assert sinks.window_missing() is not None


class Screen:
    """OpenCV's windows, without a display: what is shown, and which keys come."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: list[np.ndarray] = []
        self.keys: list[str] = []
        self.visible = 1.0
        for name in ("namedWindow", "resizeWindow", "destroyAllWindows"):
            monkeypatch.setattr(cv2, name, lambda *a: None, raising=False)
        monkeypatch.setattr(cv2, "imshow", lambda title, frame: self.shown.append(frame), raising=False)
        monkeypatch.setattr(
            cv2, "waitKey", lambda wait: ord(self.keys.pop(0)) if self.keys else -1, raising=False
        )
        monkeypatch.setattr(cv2, "getWindowProperty", lambda *a: self.visible, raising=False)


def test_keys_change_the_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(monkeypatch)
    controls = Controls(models=("a", "b"), model="a", compare="off")
    window = Window(controls, Compose(controls))

    def press(*keys: str) -> dict[str, object]:
        screen.keys = list(keys)
        for number in range(len(keys)):
            window.show(view(number))
        return controls.snapshot_state()

    assert press("c")["compare"] == "split"
    assert press("c", "c")["compare"] == "before"
    assert press("c")["compare"] == "off"
    assert press("-", "-", "-", "+")["strength"] == 0.8
    assert press("]", "]", "[")["brighten"] == 0.1
    assert press(*"[[[")["brighten"] == 0
    assert press("m")["model"] == "b"
    assert press(" ")["frozen"] is True
    assert press("r")["recording"] is True
    press("s", "?", "\x00")
    assert controls.take_snapshots() == 1
    window.show(view())
    plain = screen.shown[-1]
    press("h")
    window.show(view())
    assert (screen.shown[-1] != plain).mean() > 0.05, "the keys are on the picture"
    assert not controls.stopping
    press("q")
    assert controls.stopping


def test_closing_the_window_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(monkeypatch)
    controls = Controls()
    window = Window(controls, Compose(controls))
    window.show(view())
    assert not controls.stopping
    screen.visible = 0.0
    window.show(view(1))
    assert controls.stopping
