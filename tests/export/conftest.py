"""What the export tests share: the shipped model in one session, and files that take any size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dae_edge.export import drift, export
from dae_edge.export.picture_model import PictureModel
from dae_edge.formats import by_name

SIZE = (60, 84)  # no multiple of the stride: the padding is in the file


@pytest.fixture(scope="session", autouse=True)
def short_checks() -> Iterator[None]:
    """The drift check over 180 frames instead of 300, on files of `SIZE` themselves instead of a twin of
    another size, and a tenth of the time to measure speed for; the slow tests run all of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drift, "FRAMES", 180)
        patch.setattr(drift, "SIZE", SIZE)
        patch.setattr(export, "TIMED", 0.15)
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
