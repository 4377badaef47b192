"""A model in a process of its own: load, first frame and memory are its own there, and a crash is survived.

The parent keeps a `Child`; the child runs `serve`. They speak in lines of JSON: the child loads the
model and says what it is, the parent answers with a clip, the child runs it and says what that took.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import DaeEdgeError, ModelLoadError

Frame = NDArray[np.uint8]
Operators = list[dict[str, Any]]

PATIENCE = 300.0  # seconds that a child may take for one answer
FRAMES = 4  # of the clip that a child runs, twice


@dataclass(frozen=True)
class Facts:
    """What a file says of itself.

    size: (width, height) where it is made for one; precision: of the limit that it is held against,
    "fp32", "int8" or "" for none.
    """

    name: str
    format: str
    precision: str
    channels: int
    size: tuple[int, int] | None
    mac_per_pixel: float | None


class Model(Protocol):
    """A loaded model. `stages`: (convert, infer, hand over) of the last frame in seconds."""

    facts: Facts

    @property
    def stages(self) -> tuple[float, float, float]: ...

    def begin(self) -> None:
        """A new clip."""
        ...

    def __call__(self, frame: Frame) -> Frame: ...


Open = Callable[[Path, str, int], Model]  # file, engine, threads
Profile = Callable[[Path, str, int, list[Frame]], Operators]


@dataclass(frozen=True)
class Loaded:
    load_ms: float
    base_mib: float
    facts: Facts


@dataclass(frozen=True)
class Ran:
    first_ms: float
    peak_mib: float


class Child:
    """The parent's end. Its methods raise `ModelLoadError` with a reason where the child fails or dies."""

    def __init__(self, command: Sequence[str], path: Path, engine: str, threads: int) -> None:
        asked = json.dumps({"path": str(path), "engine": engine, "threads": threads})
        self._process = subprocess.Popen(
            [*command, asked],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def loaded(self) -> Loaded:
        answer = self._answer()
        facts = answer["facts"]
        facts["size"] = tuple(facts["size"]) if facts["size"] else None
        return Loaded(answer["load_ms"], answer["base_mib"], Facts(**facts))

    def run(self, clip: Path) -> Ran:
        """`clip`: an .npy file of frames."""
        self._ask({"clip": str(clip)})
        return Ran(**self._answer())

    def profile(self, clip: Path) -> Operators:
        """Time by operator, as `record.Operator` has it."""
        self._ask({"profile": str(clip)})
        found: Operators = self._answer()["operators"]
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                assert pipe is not None
                pipe.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, request: dict[str, str]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError as failure:
            raise ModelLoadError(self._death()) from failure

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        late = threading.Timer(PATIENCE, self._process.kill)
        late.start()
        line = self._process.stdout.readline()
        in_time = late.is_alive()
        late.cancel()
        if not line:
            raise ModelLoadError(self._death() if in_time else f"it did not answer within {PATIENCE:g} s")
        answer = json.loads(line)
        if "problem" in answer:
            raise ModelLoadError(answer["problem"])
        return answer

    def _death(self) -> str:
        code = self._process.wait(10)
        if code >= 0:
            return f"its process ended with exit code {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"it crashed its process ({name})" + (", out of memory?" if name == "SIGKILL" else "")


def serve(asked: str, open: Open, profile: Profile | None = None) -> None:
    """The child's end: load, then answer until the parent is gone."""
    # Native libraries may print where the answers go.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def tell(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    request = json.loads(asked)
    path, engine, threads = Path(request["path"]), request["engine"], request["threads"]
    try:
        base = peak_mib()
        began = time.perf_counter()
        model = open(path, engine, threads)
        load_ms = 1000 * (time.perf_counter() - began)
        tell({"load_ms": load_ms, "base_mib": base, "facts": asdict(model.facts)})
        for line in sys.stdin:
            request = json.loads(line)
            if "clip" in request:
                first_ms = _first_and_rest(model, _frames(request["clip"]))
                tell({"first_ms": first_ms, "peak_mib": peak_mib()})
            elif profile is not None:
                tell({"operators": profile(path, engine, threads, _frames(request["profile"]))})
    except Exception as failure:  # engines raise a dozen unrelated kinds
        tell({"problem": reason(failure)})


def reason(failure: Exception) -> str:
    """One line that says what went wrong."""
    if isinstance(failure, DaeEdgeError):
        return str(failure)
    if isinstance(failure, OSError) and failure.strerror:
        return f"{failure.filename} cannot be read: {failure.strerror}."
    return (str(failure).strip().splitlines() or [type(failure).__name__])[0]


def peak_mib() -> float:
    """The most memory this process has held, in MiB."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource  # not on Windows; it counts a parent's memory too, so it is the second choice

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 1024)


def _first_and_rest(model: Model, frames: list[Frame]) -> float:
    began = time.perf_counter()
    model(frames[0])
    first_ms = 1000 * (time.perf_counter() - began)
    for frame in frames * 2:
        model(frame)
    return first_ms


def _frames(path: str) -> list[Frame]:
    return list(np.load(path)[:FRAMES])
