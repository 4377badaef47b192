"""Find a model by name or path and load it with the engine that runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from dae_edge.errors import BadValueError, ModelLoadError
from dae_edge.manifest import digest, sidecar
from dae_edge.runtime.denoiser import Denoiser
from dae_edge.runtime.engine import Engine
from dae_edge.runtime.litert import LiteRTEngine
from dae_edge.runtime.onnx import OnnxEngine
from dae_edge.runtime.openvino import OpenVINOEngine

WEIGHTS = Path(__file__).parent.parent / "weights"

FAMILY = ("lowlight",)  # the trained models that come with the package

# Ready to run at any frame size: each in 8 bits and, for reference, in floats.
SHIPPED = {name: WEIGHTS / f"{name}-int8.onnx" for name in FAMILY} | {
    f"{name}-fp32": WEIGHTS / f"{name}-fp32.onnx" for name in FAMILY
}

_ENGINES: dict[str, tuple[str, Callable[..., Engine]]] = {
    "onnxruntime": (".onnx", OnnxEngine),
    "litert": (".tflite", LiteRTEngine),
    "openvino": (".xml", OpenVINOEngine),
}

# What lies beside a file of this suffix and is part of it, by its own suffix.
COMPANIONS = {".xml": (".bin",)}


def load(
    model: str | Path,
    *,
    engine: Literal["onnxruntime", "litert", "openvino"] | None = None,
    threads: int = 2,
    strength: float = 1.0,
) -> Denoiser:
    """Load a shipped model by name, or an exported .onnx, .tflite or .xml file by path.

    model:    "lowlight", "lowlight-fp32", or a path
    engine:   "onnxruntime" runs .onnx, "litert" .tflite, "openvino" .xml; None chooses by the suffix
    threads:  CPU threads, 1 or more
    strength: 0 (frames untouched) to 1 (fully denoised)

    Raises `ModelLoadError` where the file is missing or is no model, `BadValueError` for an
    argument out of range, `MissingExtraError` where the engine is needed and not installed.
    """
    if threads < 1:
        raise BadValueError(f"`threads` (={threads}) must be 1 or more.")
    path = SHIPPED.get(str(model)) or Path(model)
    chosen = _engine_for(path, engine)
    if not path.is_file():
        raise ModelLoadError(f"{model} is neither a file nor a shipped model ({', '.join(SHIPPED)}).")
    try:
        content = path.read_bytes()
        _check_digest(path, content)
        beside = [path.with_suffix(suffix).read_bytes() for suffix in COMPANIONS.get(path.suffix, ())]
        return Denoiser(chosen(content, *beside, threads=threads), strength=strength)
    except ModelLoadError as failure:
        raise ModelLoadError(f"{path} cannot be loaded: {failure}") from failure
    except OSError as failure:
        raise ModelLoadError(f"{path} cannot be read: {failure.strerror}.") from failure


def engine_of(name: str, *contents: bytes, threads: int) -> Engine:
    """The engine called `name` on a file's bytes, and on those of its companions."""
    return _ENGINES[name][1](*contents, threads=threads)


def _engine_for(path: Path, engine: str | None) -> Callable[..., Engine]:
    if engine is not None and engine not in _ENGINES:
        raise BadValueError(f"`engine` (={engine!r}) must be one of {', '.join(_ENGINES)}.")
    for name, (suffix, build) in _ENGINES.items():
        if engine in (None, name) and path.suffix == suffix:
            return build
    if engine is None:
        if path.is_file():
            raise ModelLoadError(f"{path} is neither an .onnx nor a .tflite nor an .xml file.")
        raise ModelLoadError(f"{path} is neither a file nor a shipped model ({', '.join(SHIPPED)}).")
    raise BadValueError(f"`engine` (={engine!r}) runs {_ENGINES[engine][0]} files, not {path.name}.")


def _check_digest(path: Path, content: bytes) -> None:
    """A sidecar's sha256 must be the file's: a flipped bit often loads and runs silently."""
    beside = sidecar(path)
    if not beside.is_file():
        return
    try:
        expected = json.loads(beside.read_text()).get("sha256")
    except (ValueError, AttributeError) as failure:
        raise ModelLoadError(f"its sidecar {beside.name} is not readable JSON.") from failure
    if expected and expected != digest(content):
        raise ModelLoadError(f"its sha256 is not the one in {beside.name}; export or copy it again.")
