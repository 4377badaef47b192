"""Cameras: which there are, whether this user may open them, who else has them, what they grant."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dae_edge.doctor.finding import Finding

LIMIT = 8.0  # seconds that a camera gets to answer: a broken one never does


@dataclass(frozen=True)
class Device:
    """A video device as the system lists it.

    path: /dev/video0
    name: what the driver calls it
    link: its name under /dev/v4l/by-id, which stays when the numbers change; "" without
    """

    path: Path
    name: str
    link: str


def devices(dev: Path = Path("/dev"), sys_class: Path = Path("/sys/class/video4linux")) -> list[Device]:
    """The video devices, in order of number."""
    links = {}
    by_id = dev / "v4l" / "by-id"
    if by_id.is_dir():
        links = {link.resolve().name: link.name for link in sorted(by_id.iterdir(), reverse=True)}
    found = []
    for path in dev.glob("video*"):
        if re.fullmatch(r"video\d+", path.name):
            try:
                name = (sys_class / path.name / "name").read_text().strip()
            except OSError:
                name = "unnamed"
            found.append(Device(path, name, links.get(path.name, "")))
    return sorted(found, key=lambda device: int(device.path.name[5:]))


def holders(path: Path, proc: Path = Path("/proc")) -> list[str]:
    """Programs that have a device open, as "name (pid 12)", as far as this user may see."""
    found = []
    for process in proc.glob("[0-9]*"):
        try:
            handles = list((process / "fd").iterdir())
        except OSError:
            continue  # another user's
        for handle in handles:
            try:
                held = os.readlink(handle) == str(path)
            except OSError:
                continue
            if held:
                try:
                    name = (process / "comm").read_text().strip()
                except OSError:
                    name = "a program"
                found.append(f"{name} (pid {process.name})")
                break
    return sorted(found)


def ask(path: Path, limit: float = LIMIT, program: tuple[str, ...] | None = None) -> dict[str, Any]:
    """What a camera says and grants, asked in a process of its own that is ended at the limit.

    {"error": why} where it does not answer; see `probe` for the rest.
    """
    command = program or (sys.executable, "-m", "dae_edge.doctor.probe", str(path))
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"did not answer within {limit:g} seconds"}
    except OSError as failure:
        return {"error": f"could not be asked: {failure.strerror}"}
    try:
        answer = json.loads(asked.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return {"error": f"made the process that asked it end with {asked.returncode}"}
    return answer if isinstance(answer, dict) else {"error": "gave no sensible answer"}


def check(
    dev: Path = Path("/dev"), sys_class: Path = Path("/sys/class/video4linux")
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Findings for the screen, and all that each camera said for the JSON."""
    found, answers = [], []
    listed = devices(dev, sys_class)
    if not listed:
        advice = "plug one in; until then --source demo, a video file or a URL"
        return [Finding("camera", "none (no /dev/video*)", "limited", advice)], []
    for device in listed:
        finding, answer = _look(device)
        answers.append({"path": str(device.path), "name": device.name, "link": device.link, **answer})
        if finding is not None:
            found.append(finding)
    return found, answers


def _look(device: Device) -> tuple[Finding | None, dict[str, Any]]:
    """None for a device that is not a camera: many give a second one for metadata."""
    label = device.path.name
    if not os.access(device.path, os.R_OK | os.W_OK):
        advice = "sudo usermod -aG video $USER, then log in again"
        return Finding(label, f"{device.name}: no permission", "missing", advice), {"error": "no permission"}
    answer = ask(device.path)
    if answer.get("capture") is False:
        return None, answer
    where = f"; --source /dev/v4l/by-id/{device.link}" if device.link else ""
    busy = holders(device.path)
    if answer.get("errno") == errno.EBUSY or (not answer.get("granted") and busy):
        by = f" by {', '.join(busy)}" if busy else ""
        return Finding(label, f"{device.name}: in use{by}", "limited", "end that program"), answer
    if not answer.get("granted"):
        why = answer.get("error", "opens, but gives no frame")
        return Finding(label, f"{device.name}: {why}", "missing", "unplug it and plug it in again"), answer
    granted = answer["granted"]
    text = f"{device.name}: {granted['width']}x{granted['height']} at {granted['rate']:g} fps"
    return Finding(label, text, "fine", modes(answer.get("formats", [])) + where), answer


def modes(formats: list[dict[str, Any]]) -> str:
    """ "MJPG to 1920x1080 at 30, YUYV to 640x480 at 30": the largest size of each format and its rate."""
    said = []
    for format in formats:
        sizes = format.get("sizes", [])
        if sizes:
            largest = max(sizes, key=lambda size: size["width"] * size["height"])
            rate = f" at {max(largest['rates']):g}" if largest["rates"] else ""
            said.append(f"{format['code']} to {largest['width']}x{largest['height']}{rate}")
    return ", ".join(said)
