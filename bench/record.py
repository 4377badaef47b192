"""What a run of `dae-edge bench` found, as dataclasses and as JSON: the one schema that reports read.

    Record ─ machine      what it ran on
           ─ settings     what was asked for
           ─ conditions   whether the machine was quiet meanwhile, and if not, why
           ─ limits       what each engine can do at most here, and the memory
           ─ rows         one for each model, format, engine, size and thread count

JSON has the same names in the same nesting. A field that does not apply is null. Times are in
milliseconds a frame, whole uint8 frame in to whole uint8 frame out, shares from 0 to 1, memory in
MiB, quality in dB. `schema` grows when a field is renamed, removed or means something else; a new field does
not change it, and readers pass over fields they do not know.
"""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dae_edge.errors import MediaError

SCHEMA = 2
KIND = "dae-edge bench"

Key = tuple[str, str, str, int, int, int]


@dataclass
class Machine:
    """features: of the CPU, those that matter to an engine; affinity: the CPUs this process may use;
    governor: of the clock, "" where unknown; mhz: the clock's highest rate, None where unknown."""

    cpu: str
    features: list[str]
    cores: int
    affinity: list[int]
    governor: str
    mhz: float | None
    memory_mib: float | None
    system: str
    python: str
    packages: dict[str, str]


@dataclass
class Settings:
    """seconds: measured for each row, in `turns` turns; warm_up_*: before each turn, both at least;
    fps: the rate that makes the deadline; clip: what was shown to the models."""

    fps: float = 30.0
    seconds: float = 5.0
    turns: int = 5
    warm_up_frames: int = 5
    warm_up_seconds: float = 0.5
    sustained_seconds: float = 0.0
    clip: str = ""


@dataclass
class Conditions:
    """noisy: one sentence for each reason to doubt the figures, empty when the machine was quiet;
    others: share of the processors that other programs used while models were timed; steal: share
    that the hypervisor gave to other machines; throttled: whether the board lowered its clock."""

    noisy: list[str]
    load_before: float | None
    load_after: float | None
    others: float | None
    steal: float | None
    celsius_before: float | None
    celsius_after: float | None
    throttled: bool | None


@dataclass
class Limit:
    """The most an engine does here: 10^9 multiply-adds a second, a chain of 3x3 convolutions.

    precision: "fp32" or "int8"; spread: between turns, as in `Times`.
    """

    engine: str
    precision: str
    threads: int
    gmacs: float
    spread: float


@dataclass
class Bandwidth:
    """gb_per_s: 10^9 bytes read and written a second, copying arrays larger than the caches."""

    threads: int
    gb_per_s: float


@dataclass
class Times:
    """Milliseconds a frame over all frames timed, nothing left out.

    medians: of each turn; median: of the medians, the figure to quote; spread: (largest - smallest) / median
    of the medians; late: share of frames over the deadline; samples: every frame, turn by turn.
    """

    n: int
    mean: float
    min: float
    p50: float
    p90: float
    p95: float
    p99: float
    max: float
    median: float
    medians: list[float]
    spread: float
    late: float
    samples: list[list[float]]


@dataclass
class Stages:
    """Where a frame's time goes, medians in ms; convert: the frame to tensors; infer: the engine;
    hand_over: tensors to the frame, and the memory kept."""

    convert: float
    infer: float
    hand_over: float


@dataclass
class Quality:
    """PSNR in dB against the clean clip, its second half: the noisy frames' and the denoised ones'."""

    noisy_psnr: float
    psnr: float


@dataclass
class Sustained:
    """Frames a second without a pause: over the first and the last `window` seconds; retention:
    last / first, below 1 where the machine throttles; rates: of each window of 5 s or less."""

    seconds: float
    window: float
    first_fps: float
    last_fps: float
    retention: float
    rates: list[float]


@dataclass
class Operator:
    """Time in one kind of operator: ms a frame, share of the whole, calls a frame."""

    name: str
    ms: float
    share: float
    calls: float


@dataclass
class Row:
    """One model in one format, engine, size and thread count.

    status:       "ok", "noisy" (measured, see `noisy`), "failed" (see `problem`) or "skipped"
    load_ms:      file to ready engine, first_ms: first frame after it; in a process of its own
    cpu_ms:       processor time a frame, all threads
    peak_mib:     most memory in that process, base_mib: before the model was loaded
    mac_per_pixel: multiply-adds of convolutions and matrix products for each pixel of the frame
    gmacs:        10^9 of them a second; of_limit: share of `limits` for the engine and precision
    operators:    with `--profile`, slowest first
    """

    model: str
    format: str
    engine: str
    width: int
    height: int
    threads: int
    status: str = "ok"
    problem: str = ""
    noisy: list[str] = field(default_factory=list)
    file: str = ""
    file_bytes: int | None = None
    sha256: str = ""
    precision: str = ""
    load_ms: float | None = None
    first_ms: float | None = None
    times: Times | None = None
    stages: Stages | None = None
    cpu_ms: float | None = None
    peak_mib: float | None = None
    base_mib: float | None = None
    mac_per_pixel: float | None = None
    gmacs: float | None = None
    of_limit: float | None = None
    quality: Quality | None = None
    sustained: Sustained | None = None
    operators: list[Operator] = field(default_factory=list)
    unprofiled: str = ""  # why there are no operators, where they were asked for

    @property
    def key(self) -> Key:
        """What makes it the same row in another record."""
        return self.model, self.format, self.engine, self.width, self.height, self.threads


@dataclass
class Record:
    """A whole run; `created` in ISO 8601, UTC."""

    created: str
    version: str
    machine: Machine
    settings: Settings
    conditions: Conditions
    limits: list[Limit]
    bandwidth: list[Bandwidth]
    rows: list[Row]
    kind: str = KIND
    schema: int = SCHEMA

    def to_json(self) -> str:
        """Lists of numbers on one line each, so that people can read the rest."""
        text = json.dumps(dataclasses.asdict(self), indent=2, allow_nan=False)
        return re.sub(r"\[([-\d.,e\s]+)\]", lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Record:
        """The inverse of `to_json`; `ValueError` where the text is no record of this schema."""
        raw = json.loads(text)
        if not isinstance(raw, dict) or raw.get("kind") != KIND:
            raise ValueError("it is no record of `dae-edge bench`")
        if raw.get("schema") != SCHEMA:
            raise ValueError(f"its schema is {raw.get('schema')}; this package reads {SCHEMA}")
        found = _build(cls, raw)
        assert isinstance(found, cls)
        return found


def read(path: Path) -> Record:
    """The record in a file; `MediaError` where it cannot be read or is no record."""
    try:
        return Record.from_json(path.read_text())
    except OSError as failure:
        raise MediaError(f"{path} cannot be read: {failure.strerror}.") from failure
    except (ValueError, TypeError, KeyError) as failure:
        raise MediaError(f"{path} cannot be read as a bench record: {failure}.") from failure


def _build(kind: Any, raw: Any) -> Any:
    """`raw` as the annotation `kind` says: a dataclass, a list, a dict, one of several, or itself."""
    if dataclasses.is_dataclass(kind):
        if not isinstance(raw, dict):
            raise TypeError(f"{getattr(kind, '__name__', kind)} must be an object")
        hints = typing.get_type_hints(kind)
        known = {f.name for f in dataclasses.fields(kind)}
        return kind(**{n: _build(hints[n], v) for n, v in raw.items() if n in known})  # type: ignore[operator]
    inner = typing.get_args(kind)
    if typing.get_origin(kind) is types.UnionType:
        return None if raw is None and type(None) in inner else _build(inner[0], raw)
    if typing.get_origin(kind) is list:
        if not isinstance(raw, list):
            raise TypeError(f"{raw!r} must be a list")
        return [_build(inner[0], one) for one in raw]
    plain = (int, float) if kind is float else kind
    if isinstance(kind, type) and not isinstance(raw, plain):
        raise TypeError(f"{raw!r} must be of type {kind.__name__}")
    return raw
