"""What an exported file will say of itself."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dae_edge.errors import ExportError
from dae_edge.export import lowlight_int8, onnx, tflite
from dae_edge.export.framed import DENOISED, FRAME, Size
from dae_edge.export.macs import macs_per_pixel
from dae_edge.export.picture_model import NEXT, PictureModel
from dae_edge.export.ways import Way
from dae_edge.formats import Format
from dae_edge.manifest import Manifest, State, Tensor

_MOSTLY = 0.5  # of the clips it was trained on: then a file follows motion by itself
_TOOLS = ("dae-edge", "keras", "tensorflow", "tf2onnx", "onnx", "onnxruntime", "ai-edge-litert", "openvino")


def describe(model: PictureModel, format: Format, size: Size, source: Path, way: Way) -> Manifest:
    """The manifest of a file made in this way, but for its measured quality."""
    sides = size or ("H", "W")
    colour = "BGR" if model.channels == 3 else "grey"
    layout = way.layout or (tflite.LAYOUT if format.engine == "litert" else onnx.LAYOUT)
    digest, recipe = _recipe(source)
    memory = way.memory if lowlight_int8.fits(model) else ""
    return Manifest(
        name=model.model.name,
        format=format.name,
        frame=Tensor(FRAME, (1, *sides, model.channels), colour),
        denoised=Tensor(DENOISED, (1, *sides, model.channels), colour),
        states=tuple(_state(model, name, size, layout) for name in model.states),
        multiple=model.stride,
        minimum=1 if model.size else 2 * model.stride,
        memory=memory,
        follows=bool(memory) and recipe.get("followed", 0) > _MOSTLY,
        strength=way.strength,
        quantization=way.quantization,
        recipe=digest,
        seed=recipe.get("seed"),
        mac_per_pixel=round(macs_per_pixel(model), 1),
        tools=_versions(),
    )


def _state(model: PictureModel, name: str, size: Size, layout: str) -> State:
    channels = model.state_channels(name)
    if size is not None:
        _, *sides, _ = model.state_shape(name, *size)
    else:
        sides = [f"{side}/{model.state_divisors[name]}" for side in "HW"]  # type: ignore[misc]
    shape = (1, channels, *sides) if layout == "NCHW" else (1, *sides, channels)
    return State(name, name + NEXT, shape, layout=layout)


def _recipe(source: Path) -> tuple[str, dict[str, Any]]:
    """The recipe that lies beside the model, where one does, and its sha256."""
    for name in (f"{source.stem}.json", "config.json"):
        beside = source.with_name(name)
        if beside.is_file():
            text = beside.read_bytes()
            try:
                return hashlib.sha256(text).hexdigest(), dict(json.loads(text))
            except (ValueError, TypeError) as failure:
                raise ExportError(f"{beside} is not readable JSON.") from failure
    return "", {}


def _versions() -> dict[str, str]:
    known = {}
    for name in _TOOLS:
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            continue
    return known
