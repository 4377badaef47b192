"""What the export tests share: the shipped model in one session, and files that take any size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dae_edge.export import drift, export
from dae_edge.export.picture_model import PictureModel
from dae_edge.formats import by_name


@pytest.fixture(scope="session", autouse=True)
def short_drift() -> Iterator[None]:
    """The drift check over 60 frames instead of 300; the slow tests run all of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drift, "FRAMES", 60)
        yield


@pytest.fixture(scope="session")
def lowlight() -> PictureModel:
    return export.open_model("lowlight")


@pytest.fixture(scope="session")
def session(lowlight: PictureModel) -> export.Session:
    return export.Session(lowlight, export.model_path("lowlight"))


@pytest.fixture(scope="session")
def any_int8(session: export.Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return session.export(by_name("onnx-int8"), tmp_path_factory.mktemp("int8") / "any.onnx").path


@pytest.fixture(scope="session")
def any_fp32(session: export.Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return session.export(by_name("onnx-fp32"), tmp_path_factory.mktemp("fp32") / "any.onnx").path
