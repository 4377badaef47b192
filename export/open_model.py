"""A Keras model by path, by name, or out of a run's folder; refused with the reason where it cannot be."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from dae_edge.errors import ModelLoadError
from dae_edge.export.picture_model import PictureModel
from dae_edge.runtime.load import FAMILY, model_path


def open_model(source: str | Path) -> PictureModel:
    """A Keras model by path, or a shipped one by name.

    Raises `ModelLoadError` where there is none or it cannot be read safely, `ExportError` where it
    is not one picture in and one picture out.
    """
    path = model_path(source)
    if not path.is_file():
        raise ModelLoadError(f"{source} is neither a .keras file nor a shipped model ({', '.join(FAMILY)}).")
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as failure:  # Keras says "file not found" of every broken file
        raise ModelLoadError(f"{path} {_why(path)}") from failure
    return PictureModel(model)


def _why(path: Path) -> str:
    """Why Keras would not load it, as far as its own description tells."""
    try:
        with zipfile.ZipFile(path) as members:
            described = json.loads(members.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError, OSError):
        return "is not a Keras model, or a damaged one."
    parts = list(_classes(described))
    if any(name == "Lambda" for _, name, _ in parts):
        return "has a Lambda layer, which could run any code; write it as operations or a layer class."
    kerass_own = ("keras", "builtins")
    own = sorted({name for module, name, _ in parts if module and not module.startswith(kerass_own)})
    own += sorted({name for module, name, registered in parts if registered and not module})
    if own:
        return f"is built of its own program's classes ({', '.join(own)}); save a Functional model."
    return "is a damaged Keras model, or one of another version of Keras."


def _classes(part: Any) -> Iterator[tuple[str, str, str]]:
    """(module, class, registered name) of everything in a model's description."""
    if isinstance(part, dict):
        if isinstance(part.get("class_name"), str):
            yield part.get("module") or "", part["class_name"], part.get("registered_name") or ""
        for inner in part.values():
            yield from _classes(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _classes(inner)
