"""The machine a figure was measured on: a latency without it says nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = (
    "dae-edge",
    "numpy",
    "onnxruntime",
    "ai-edge-litert",
    "opencv-python",
    "opencv-python-headless",
)


def record() -> dict[str, object]:
    """CPU, cores, load, operating system and package versions."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def busy() -> bool:
    """Whether something else is using the processor: more than half a core over the last minute."""
    return os.getloadavg()[0] > 0.5


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model"):  # x86 and Arm boards
                return value.strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
