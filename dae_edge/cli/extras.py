"""Whether an extra is installed, asked before the work begins; and TensorFlow's noise, kept away."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator

from dae_edge.errors import MissingExtraError

_MODULES = {
    "train": ("keras", "matplotlib"),
    "export": ("keras", "tensorflow", "tf2onnx", "onnx", "ai_edge_litert"),
}


def need(extra: str, what: str) -> None:
    """Raise `MissingExtraError` where a package of the extra is not installed."""
    if not installed(extra):
        raise MissingExtraError(what, extra)


def installed(extra: str) -> bool:
    """Whether all packages of the extra are there."""
    return all(importlib.util.find_spec(module) for module in _MODULES[extra])


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Keep what native libraries print to standard error off the terminal.

    TensorFlow greets every import and every conversion with log lines that no setting turns off.
    Python's own errors are not touched: they are raised, not printed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as log:
        kept = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
