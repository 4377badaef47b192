"""How far a file may be from Keras."""

from __future__ import annotations

import numpy as np
import pytest

import dae_edge
from dae_edge.export import check
from dae_edge.manifest import Manifest

Tensors = dict[str, np.ndarray]


class Answers:
    """An engine that gives the same answer to everything."""

    def __init__(self, manifest: Manifest, answer: Tensors) -> None:
        self.manifest, self._answer = manifest, answer

    def run(self, feeds: Tensors) -> Tensors:
        return self._answer


@pytest.mark.parametrize(("count", "found"), [(32.0, 1e-3 / 32), (0.5, 1e-3)])
def test_what_goes_beyond_1_is_held_against_its_own_size(count: float, found: float) -> None:
    """A thousandth of 32 frames is near to how floats are rounded."""
    manifest = dae_edge.load("lowlight-fp32").manifest
    frame = np.zeros((1, 1, 3), np.uint8)
    states = {state.name: np.full((1, 1, 1, 1), count, np.float32) for state in manifest.states}
    answer = {f"{name}_next": value - np.float32(1e-3) for name, value in states.items()}
    engine = Answers(manifest, {**answer, manifest.denoised.name: frame[None]})
    assert check._difference(engine, frame, states, frame, states) == pytest.approx(found, rel=1e-2)
