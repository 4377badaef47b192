"""What people could use instead, each with the settings worth trying."""

from __future__ import annotations

from dataclasses import dataclass

from dae_edge.bench.method import Method
from dae_edge.bench.opponents import bm3d, ffmpeg
from dae_edge.bench.opponents.average import MotionAverage
from dae_edge.bench.opponents.opencv import Bilateral, NonLocalMeans, NonLocalMeansMulti


@dataclass(frozen=True)
class Opponent:
    """key: what `--opponent` takes; missing: why it cannot run here; asked: it runs only if asked for."""

    key: str
    method: Method
    missing: str = ""
    asked: bool = False


def opponents(threads: int) -> list[Opponent]:
    """All of them, those that cannot run here included."""
    program = "" if ffmpeg.installed() else "the ffmpeg program is not installed"
    package = "" if bm3d.installed() else "the package bm3d is not installed: pip install bm3d"
    return [
        Opponent("nlm", NonLocalMeans()),
        Opponent("nlm-multi", NonLocalMeansMulti()),
        Opponent("bilateral", Bilateral()),
        Opponent("average", MotionAverage()),
        *(Opponent(f.name.split()[1], f, missing=program) for f in ffmpeg.filters(threads)),
        Opponent("bm3d", bm3d.BM3D(), missing=package, asked=True),
    ]
