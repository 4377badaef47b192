"""The processor: its name, what of it this process may use, and the instructions that matter."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from dae_edge.bench import machine
from dae_edge.doctor.finding import Finding

# /proc/cpuinfo's word -> ours, in the order of what 8-bit inference gains.
_X86 = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx_vnni": "AVX-VNNI",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "bfloat16",
    "amx_int8": "AMX int8",
    "amx_bf16": "AMX bfloat16",
}
_ARM = {"asimd": "NEON", "asimddp": "dot product", "i8mm": "i8mm", "bf16": "bfloat16", "sve": "SVE"}
_X86_DOT, _ARM_DOT = {"avx_vnni", "avx512_vnni", "amx_int8"}, {"asimddp", "i8mm"}


def check(proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> list[Finding]:
    """Name, cores, limits and instructions."""
    return [
        Finding("processor", machine.machine().cpu),
        _cores(proc, cgroup),
        _instructions(proc / "cpuinfo"),
    ]


def features(cpuinfo: Path) -> set[str]:
    """The words after `flags` (x86) or `Features` (Arm) of the first core."""
    try:
        lines = cpuinfo.read_text(errors="replace").splitlines()
    except OSError:
        return set()
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return set(value.split())
    return set()


def cgroup_cores(proc: Path, cgroup: Path) -> float | None:
    """How many cores' time the container grants, None without a limit; cgroup v2 and v1."""
    own = _own_group(proc)
    for folder in (cgroup / own, cgroup):
        try:
            quota, period = (folder / "cpu.max").read_text().split()[:2]
        except (OSError, ValueError):
            continue
        if quota != "max":
            return int(quota) / int(period)
    try:
        quota_us, period_us = (
            int((cgroup / "cpu" / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period")
        )
    except (OSError, ValueError):
        return None
    return quota_us / period_us if quota_us > 0 else None


def _own_group(proc: Path) -> str:
    try:
        for line in (proc / "self" / "cgroup").read_text().splitlines():
            if line.startswith("0::"):
                return line[3:].lstrip("/")
    except OSError:
        pass
    return ""


def _cores(proc: Path, cgroup: Path) -> Finding:
    there = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else there
    said = f"{there}" if usable == there else f"{there}, of which this process may use {usable}"
    granted = cgroup_cores(proc, cgroup)
    if granted is not None and granted < usable:
        return Finding(
            "cores",
            f"{said}; the container grants {granted:.3g}",
            "limited",
            f"more --threads than {max(int(granted), 1)} only make each other wait.",
        )
    return Finding("cores", said, "fine" if usable > 1 else "limited")


def _instructions(cpuinfo: Path) -> Finding:
    there = features(cpuinfo)
    if not there:
        return Finding("instructions", f"not told by this system ({platform.machine()})")
    known, dot = (_ARM, _ARM_DOT) if "asimd" in there else (_X86, _X86_DOT)
    names = [ours for theirs, ours in known.items() if theirs in there]
    if dot & there:
        return Finding("instructions", ", ".join(names), "fine")
    return Finding(
        "instructions",
        ", ".join(names) or "none that help",
        "limited",
        "without 8-bit dot products the int8 models gain less over the fp32 ones.",
    )
