"""What the drift check lets pass, moment by moment."""

from __future__ import annotations

import pytest

from dae_edge.errors import ParityError
from dae_edge.export.drift import LEG, Drift, require


def test_a_loss_at_any_moment_is_refused_with_its_frame() -> None:
    require(Drift(0.09, 0.05, 0.06), "m", 0.1)
    require(Drift(0.09, 0.5, 0.5), "m", 0.1, at_rest=0.6)
    for moment, losses in ((LEG, (0.7, 0.0, 0.0)), (2 * LEG, (0.0, 0.7, 0.7))):
        with pytest.raises(ParityError, match=rf"m loses 0\.70 dB to Keras at frame {moment} of a clip"):
            require(Drift(*losses), "m", 0.1)


def test_a_loss_that_grows_from_rest_to_rest_is_drift() -> None:
    require(Drift(0.0, 0.03, 0.05), "m", 0.1)
    with pytest.raises(ParityError, match=r"m drifts: it loses 0\.03 dB at frame 60, 0\.07"):
        require(Drift(0.0, 0.03, 0.07), "m", 0.1)


@pytest.mark.parametrize("losses", [(float("nan"), 0.0, 0.0), (0.0, 0.0, float("nan"))])
def test_a_loss_that_is_no_number_is_refused(losses: tuple[float, ...]) -> None:
    with pytest.raises(ParityError):
        require(Drift(*losses), "m", 0.1)
