"""The machine a figure was measured on, and whether it was quiet meanwhile."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dae_edge.bench.record import Conditions, Machine

OTHERS = 0.05  # share of all processors that other programs may use before a run counts as noisy
STEAL = 0.01  # share that the hypervisor may take

_PACKAGES = (
    "dae-edge",
    "numpy",
    "onnxruntime",
    "ai-edge-litert",
    "openvino",
    "opencv-python",
    "opencv-python-headless",
)
# What decides which kernels an engine takes, in the kernel's words: x86, then Arm.
_FEATURES = (
    "sse4_1", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16",
    "avx512_fp16", "amx_int8", "neon", "asimd", "fphp", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2",
)  # fmt: skip
_CPU = Path("/sys/devices/system/cpu/cpu0/cpufreq")
_THERMAL = Path("/sys/class/thermal")
_THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")  # of a Raspberry Pi


def machine() -> Machine:
    """What stays the same while the benchmark runs."""
    info = _cpuinfo()
    flags = set((info.get("flags") or info.get("Features") or "").split())
    return Machine(
        cpu=info.get("Model") or info.get("model name") or platform.processor() or platform.machine(),
        features=[feature for feature in _FEATURES if feature in flags],
        cores=os.cpu_count() or 1,
        affinity=sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [],
        governor=_text(_CPU / "scaling_governor"),
        mhz=kilohertz / 1000 if (kilohertz := _number(_CPU / "cpuinfo_max_freq")) else None,
        memory_mib=_memory(),
        system=platform.platform(),
        python=platform.python_version(),
        packages={name: found for name in _PACKAGES if (found := _version(name))},
    )


def celsius() -> float | None:
    """The hottest sensor, None where none can be read."""
    found = [_number(zone / "temp") for zone in _THERMAL.glob("thermal_zone*")]
    return max((value / 1000 for value in found if value), default=None)


def throttled() -> bool | None:
    """Whether a Raspberry Pi has lowered its clock since it started; None on other boards."""
    flags = _text(_THROTTLED)
    try:
        return bool(int(flags, 16) & 0x60006) if flags else None  # capped or throttled, now or before
    except ValueError:
        return None


def load() -> float | None:
    """Programs that wanted a processor, mean over the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


class Watch:
    """Adds up who used the processors while it was on: this process, others, the hypervisor.

    `others` and `steal` are shares of all processors' time, None where the system does not say.
    """

    def __init__(self) -> None:
        self._total = self._busy = self._steal = self._own = 0.0

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        before, own = _ticks(), time.process_time()
        yield
        after = _ticks()
        if before and after:
            self._total += after[0] - before[0]
            self._busy += after[1] - before[1]
            self._steal += after[2] - before[2]
            self._own += time.process_time() - own

    def add(self, other: Watch) -> None:
        self._total += other._total
        self._busy += other._busy
        self._steal += other._steal
        self._own += other._own

    @property
    def others(self) -> float | None:
        return max(self._busy - self._own, 0.0) / self._total if self._total else None

    @property
    def steal(self) -> float | None:
        return self._steal / self._total if self._total else None

    def doubts(self) -> list[str]:
        """A sentence for each reason to doubt what was timed meanwhile."""
        found = []
        if (self.others or 0) > OTHERS:
            found.append(f"other programs used {self.others:.0%} of the processors")
        if (self.steal or 0) > STEAL:
            found.append(f"the hypervisor gave {self.steal:.0%} of the processors to other machines")
        return found


class Surroundings:
    """The machine before the run; `conditions` compares with after it."""

    def __init__(self) -> None:
        self._load, self._celsius = load(), celsius()

    def conditions(self, watch: Watch, doubts: list[str]) -> Conditions:
        """`doubts` are those about single rows, in words for the whole run."""
        noisy, lowered = watch.doubts() + doubts, throttled()
        if lowered:
            noisy.append("the board has lowered its clock (heat or voltage)")
        return Conditions(
            noisy, self._load, load(), watch.others, watch.steal, self._celsius, celsius(), lowered
        )


def _ticks() -> tuple[float, float, float] | None:
    """Seconds of all processors since the start: all, busy, stolen."""
    line = _text(Path("/proc/stat")).partition("\n")[0].split()
    if len(line) < 9 or line[0] != "cpu":
        return None
    second = os.sysconf("SC_CLK_TCK")
    user, nice, system, idle, wait, irq, softirq, steal = (int(number) / second for number in line[1:9])
    busy = user + nice + system + irq + softirq
    return busy + idle + wait + steal, busy, steal


def _cpuinfo() -> dict[str, str]:
    """The first mention of each entry."""
    found: dict[str, str] = {}
    for line in _text(Path("/proc/cpuinfo")).splitlines():
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    return found


def _memory() -> float | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20
    except (ValueError, OSError, AttributeError):
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text().strip("\0\n ")
    except (OSError, UnicodeDecodeError):
        return ""


def _number(path: Path) -> float | None:
    try:
        return float(_text(path))
    except ValueError:
        return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
