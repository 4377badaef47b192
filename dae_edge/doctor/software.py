"""What is installed: Python, the runtimes, the extras, ffmpeg."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from importlib import metadata

from dae_edge.doctor.finding import Finding

_RUNTIMES = {"onnxruntime": "", "ai-edge-litert": "[litert]"}
_META = ("all", "dev")  # extras made of others, or for those who work on the package


def check() -> list[Finding]:
    """Python and dae-edge, the runtimes, each extra, ffmpeg."""
    python = Finding(
        "Python", f"{platform.python_version()}, dae-edge {_version('dae-edge') or 'uninstalled'}"
    )
    return [python, *(_runtime(name) for name in _RUNTIMES), *extras(), ffmpeg()]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _runtime(name: str) -> Finding:
    version = _version(name)
    if version is None and _RUNTIMES[name]:
        return Finding(
            name, "not installed", "plain", f'to run .tflite files: pip install "dae-edge{_RUNTIMES[name]}"'
        )
    if version is None:
        return Finding(name, "not installed", "missing", f"no model runs without it: pip install {name}")
    if name == "onnxruntime":
        try:
            import onnxruntime

            providers = [p.removesuffix("ExecutionProvider") for p in onnxruntime.get_available_providers()]
            return Finding(name, f"{version} ({', '.join(providers)})", "fine")
        except Exception as failure:  # a broken native library fails in its own ways
            return Finding(
                name,
                f"{version} does not start: {failure}",
                "missing",
                f"pip install --force-reinstall {name}",
            )
    return Finding(name, version, "fine")


def extras(requires: list[str] | None = None) -> list[Finding]:
    """Each extra the package names, installed or with the command that gets it."""
    if requires is None:
        try:
            requires = metadata.requires("dae-edge") or []
        except metadata.PackageNotFoundError:
            return []
    needs: dict[str, list[str]] = {}
    for line in requires:
        extra = re.search(r"extra == [\"'](.+?)[\"']", line)
        name = re.match(r"[A-Za-z0-9._-]+", line)
        if extra and name and extra[1] not in _META:
            needs.setdefault(extra[1], []).append(name[0])
    found = []
    for extra_name, packages in needs.items():
        absent = [package for package in packages if _version(package) is None]
        if absent:
            found.append(
                Finding(
                    f"[{extra_name}]",
                    f"without {', '.join(absent)}",
                    "plain",
                    f'pip install "dae-edge[{extra_name}]"',
                )
            )
        else:
            found.append(Finding(f"[{extra_name}]", "installed", "fine"))
    return found


def ffmpeg() -> Finding:
    """The ffmpeg program, which writes H.264 and copies sound."""
    program = shutil.which("ffmpeg")
    advice = "videos are written as MPEG-4 without sound: sudo apt-get install ffmpeg"
    if program is None:
        return Finding("ffmpeg", "not found", "limited", advice)
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return Finding("ffmpeg", f"{program} does not start", "limited", advice)
    words = said.stdout.split()
    return Finding("ffmpeg", words[2] if len(words) > 2 else program, "fine")
