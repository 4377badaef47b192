"""The composed picture, and frames at a steady rate."""

from __future__ import annotations

import numpy as np
import pytest

from dae_edge.camera import Controls
from dae_edge.camera.overlay import Compose, fit
from dae_edge.camera.sinks.steady import Steady
from tests.dae_edge.sinks.support import view


@pytest.mark.parametrize(("compare", "width"), [("off", 64), ("before", 64), ("split", 64), ("side", 128)])
@pytest.mark.parametrize("figures", [True, False])
def test_every_comparison_has_its_size_and_leaves_the_view_alone(
    compare: str, width: int, figures: bool
) -> None:
    shown = view(status="camera lost, trying again in 4 s")
    kept = shown.before.copy(), shown.after.copy()
    picture = Compose(Controls(compare=compare), figures=figures)(shown)
    assert picture.shape == (48, width, 3)
    assert np.array_equal(shown.before, kept[0])
    assert np.array_equal(shown.after, kept[1])
    if not figures and compare in ("off", "before"):
        assert picture is (shown.after if compare == "off" else shown.before)


def test_a_picture_is_composed_once_for_all_sinks() -> None:
    controls = Controls(compare="side")
    compose, shown = Compose(controls), view()
    assert compose(shown) is compose(shown)
    controls.compare = "split"
    assert compose(shown).shape == (48, 64, 3)


def test_a_frame_is_fitted_with_its_shape_kept() -> None:
    fitted = fit(np.full((50, 100, 3), 200, np.uint8), (60, 60))
    assert fitted.shape == (60, 60, 3)
    assert (fitted[30] == 200).all()
    assert not fitted[:14].any()
    assert not fitted[46:].any()


def test_five_frames_a_second_become_thirty() -> None:
    steady = Steady(30)
    frames = []
    for index in range(6):
        frames += ["old"] * steady.missing(index / 5) + ["new"] * steady.due(index / 5)
    assert len(frames) == 31
    assert frames.count("new") == 6
    assert frames[::6] == ["new"] * 6


def test_sixty_frames_a_second_become_thirty() -> None:
    steady = Steady(30)
    written = sum(steady.missing(index / 60) + steady.due(index / 60) for index in range(61))
    assert written == 31
