"""Open a model file and its sidecar without being led to any other file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dae_edge import manifest_rules
from dae_edge.errors import ModelLoadError
from dae_edge.manifest import sidecar

LARGEST = 2 << 30  # bytes; neither protobuf nor flatbuffers can address more


def read_model(path: Path) -> bytes:
    """The file's bytes; `ModelLoadError` where it is no regular file, is too large or cannot be read."""
    try:
        if not path.is_file():
            raise ModelLoadError(f"{path} is not a file.")
        if path.stat().st_size > LARGEST:
            raise ModelLoadError(f"{path} has more than 2 GiB, more than any model here.")
        return path.read_bytes()
    except OSError as failure:
        raise ModelLoadError(f"{path} cannot be read: {failure.strerror}.") from failure


def read_sidecar(path: Path) -> dict[str, Any] | None:
    """What `<file>.json` beside the model at `path` says; None where there is none."""
    beside = sidecar(path)
    if not os.path.lexists(beside):
        return None
    try:
        with resolved(path, beside).open("rb") as file:
            return manifest_rules.parse(file.read(manifest_rules.LARGEST + 1))
    except OSError as failure:
        raise ModelLoadError(f"its {beside.name} cannot be read: {failure.strerror}.") from failure
    except ValueError as failure:
        raise ModelLoadError(f"its {beside.name} is not readable JSON: {failure}.") from failure


def resolved(path: Path, beside: Path) -> Path:
    """The file that `beside`, which belongs to the model at `path`, really is.

    A link may lead to a file in the same folder as the model, or as what the model's own path
    links to, and nowhere else: a model folder from an unknown hand must not have us read others.
    """
    try:
        real = beside.resolve(strict=True)
    except (OSError, RuntimeError) as failure:  # RuntimeError: links in a circle, before Python 3.13
        raise ModelLoadError(f"its {beside.name} is a link that leads nowhere.") from failure
    if real.parent not in (path.parent.resolve(), path.resolve().parent):
        raise ModelLoadError(f"its {beside.name} is a link that leaves the folder.")
    if not real.is_file():
        raise ModelLoadError(f"its {beside.name} is not a file.")
    return real
