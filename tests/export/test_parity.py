"""Every pixel of the float files against Keras, at sizes that people use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dae_edge
from dae_edge.export import export
from dae_edge.formats import FORMATS
from dae_edge.scenes import Room
from dae_edge.sensor import PRESETS, SimulatedCamera

FLOATS = [format for format in FORMATS if format.max_difference is not None]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(480, 640), (363, 641), (1080, 1920)], ids=str)
def test_float_files_are_within_a_grey_level_of_keras(tmp_path: Path, size: tuple[int, int]) -> None:
    """30 frames, each file carrying its own memory."""
    height, width = size
    model = export.open_model("lowlight")
    session = export.Session(model, export.model_path("lowlight"))
    files = []
    for format in FLOATS:
        path = tmp_path / f"{format.name}{format.suffix}"
        session.export(format, path, size=size)
        files.append((format.name, dae_edge.load(path)))
    room = Room(width // 2 * 2, height // 2 * 2)
    camera = SimulatedCamera(PRESETS["dark"], seed=1)
    states = model.start(height, width)
    for index in range(30):
        captured = camera.capture(room.frame(index / 30))
        frame = np.pad(captured, [(0, height % 2), (0, width % 2), (0, 0)], mode="edge")
        expected, states = model.restore(frame, states)
        for name, denoise in files:
            difference = np.abs(denoise(frame).astype(int) - np.rint(expected).astype(int)).max()
            assert difference <= 1, f"{name}, frame {index + 1}"
