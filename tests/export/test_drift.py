"""What the drift check lets pass, moment by moment."""

from __future__ import annotations

import pytest

from dae_edge.errors import ParityError
from dae_edge.export.drift import Drift, require


def test_a_loss_at_any_moment_is_refused_with_its_frame() -> None:
    fine = {30: 0.09, 270: 0.08}, {60: 0.05, 300: 0.06}
    require(Drift(*fine), "m", 0.1, 0.1)
    require(Drift(fine[0], {60: 0.5, 300: 0.5}), "m", 0.1, 0.6)
    for frame in (30, 60, 270, 300):
        losses = [{at: 0.7 if at == frame else loss for at, loss in part.items()} for part in fine]
        with pytest.raises(ParityError, match=rf"m loses 0\.70 dB to Keras at frame {frame} of a clip"):
            require(Drift(*losses), "m", 0.1, 0.1)


def test_a_loss_that_grows_from_rest_to_rest_is_drift() -> None:
    require(Drift({30: 0.0}, {60: 0.03, 300: 0.12}), "m", 0.1, 0.6)
    with pytest.raises(ParityError, match=r"m drifts: it loses 0\.03 dB at frame 60, 0\.14 at frame 300"):
        require(Drift({30: 0.0}, {60: 0.03, 300: 0.14}), "m", 0.1, 0.6)


@pytest.mark.parametrize("frame", [30, 60, 270, 300])
def test_a_loss_that_is_no_number_is_refused(frame: int) -> None:
    losses = {30: 0.0, 270: 0.0}, {60: 0.0, 300: 0.0}
    spoilt = [{at: float("nan") if at == frame else loss for at, loss in part.items()} for part in losses]
    with pytest.raises(ParityError):
        require(Drift(*spoilt), "m", 0.1, 0.1)
