"""What all tests share: a way to run the command, small models, and the development data."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a shell's background; what tests start would too
    signal.signal(signal.SIGINT, signal.default_int_handler)

DATA = Path(__file__).parent.parent.parent / "shared" / "data"


@dataclass(frozen=True)
class Ended:
    """How a run of the command ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def dae_edge(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run `dae-edge ARGS` in this process, as the entry point would."""
    from dae_edge.cli.console import out
    from dae_edge.cli.main import main

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["dae-edge", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            out.quiet = False
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return run


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def data() -> Path:
    """The development data, which is not part of the project."""
    if not DATA.is_dir():
        pytest.skip("the development data is not on this machine")
    return DATA


@pytest.fixture(scope="session")
def tiny_tflite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model as tflite-fp32 for frames of 80x60."""
    from dae_edge.export import export as exporter
    from dae_edge.formats import by_name

    path = tmp_path_factory.mktemp("tflite") / "lowlight.tflite"
    model = exporter.open_model("lowlight")
    exporter.export(
        model, by_name("tflite-fp32"), path, source=exporter.model_path("lowlight"), size=(60, 80)
    )
    return path


@pytest.fixture
def frame(random: np.random.Generator) -> np.ndarray:
    """(48, 64, 3) uint8 BGR."""
    return random.integers(0, 256, size=(48, 64, 3), dtype=np.uint8)
