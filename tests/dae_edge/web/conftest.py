"""Pages to ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from dae_edge.camera.controls import Controls
from dae_edge.camera.web import WebPage


@pytest.fixture
def controls() -> Controls:
    return Controls(models=("lowlight", "lowlight-fp32"))


@pytest.fixture
def page(controls: Controls) -> Iterator[WebPage]:
    with closing(WebPage(controls, port=0, source="a camera")) as page:
        yield page


@pytest.fixture(scope="module")
def standing() -> Iterator[WebPage]:
    """One page for the requests that change nothing."""
    with closing(WebPage(Controls(), port=0)) as page:
        yield page
