"""Whether an extra is installed, asked before the work begins."""

from __future__ import annotations

import importlib.util

from dae_edge.errors import MissingExtraError

_MODULES = {
    "train": ("keras", "matplotlib"),
    "export": ("keras", "tensorflow", "tf2onnx", "onnx", "ai_edge_litert"),
    "openvino": ("openvino",),
    "h264": ("av",),
    "virtual-camera": ("pyvirtualcam",),
    "web": ("starlette", "uvicorn", "websockets"),
}


def need(extra: str, what: str) -> None:
    """Raise `MissingExtraError` where a package of the extra is not installed."""
    if not installed(extra):
        raise MissingExtraError(what, extra)


def installed(extra: str) -> bool:
    """Whether all packages of the extra are there."""
    return all(importlib.util.find_spec(module) for module in _MODULES[extra])
