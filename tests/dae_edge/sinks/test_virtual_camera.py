"""A camera for video calls."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

from dae_edge.camera.sinks import (
    VirtualCamera,
)
from dae_edge.errors import MissingExtraError, OutputError
from tests.dae_edge.sinks.support import view
from tests.support import wait_for


@pytest.fixture
def pyvirtualcam(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """A pyvirtualcam that keeps what it is sent."""
    sent: list[np.ndarray] = []

    class Camera:
        device = "/dev/video9"

        def __init__(self, **options: object) -> None:
            if options["width"] == 2:
                raise RuntimeError("'v4l2loopback' backend: No v4l2 loopback device found.")

        def send(self, frame: np.ndarray) -> None:
            sent.append(frame)

        def close(self) -> None:
            pass

    module = types.SimpleNamespace(Camera=Camera, PixelFormat=types.SimpleNamespace(BGR="BGR"))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    return sent


def test_a_virtual_camera_gets_the_denoised_picture_in_one_size(pyvirtualcam: list[np.ndarray]) -> None:
    sink = VirtualCamera((64, 48), rate=30)
    assert sink.device == "/dev/video9"
    sink.show(view(0, 100))
    assert wait_for(lambda: len(pyvirtualcam) == 1)
    sink.show(view(1, 100, size=(96, 128)))
    sink.close()
    assert [frame.shape for frame in pyvirtualcam] == [(48, 64, 3)] * 2
    assert (pyvirtualcam[0] == 100).all()


def test_no_virtual_camera_says_how_to_get_one(
    pyvirtualcam: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OutputError, match="No v4l2 loopback device found"):
        VirtualCamera((2, 2), rate=30)
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(MissingExtraError, match=r"dae-edge\[virtual-camera\]"):
        VirtualCamera((64, 48), rate=30)
