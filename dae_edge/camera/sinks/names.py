"""Names for the files that are begun while the loop runs."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path


def numbered(first: Path, *, force: bool = False) -> Iterator[Path]:
    """video.mp4, then video-2.mp4, video-3.mp4, ...; without `force` none of these that exists."""
    yield first
    for count in itertools.count(2):
        path = first.with_stem(f"{first.stem}-{count}")
        if force or not path.exists():
            yield path


def dated(suffix: str, folder: Path = Path()) -> Iterator[Path]:
    """dae-edge-20260131-235959.mp4, by the time when each is asked for; never one that exists."""
    while True:
        first = folder / time.strftime(f"dae-edge-%Y%m%d-%H%M%S{suffix}")
        yield first if not first.exists() else next(itertools.islice(numbered(first), 1, None))
