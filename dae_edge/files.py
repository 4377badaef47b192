"""Writing files: whole or not at all, and never over another without being told to."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from dae_edge.errors import OutputError


@contextlib.contextmanager
def writing(path: Path, *, force: bool = False) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends well.

    The temporary name keeps the suffix, by which OpenCV and others choose the format.
    Raises `OutputError` where `path` exists without `force` or cannot be written.
    """
    with writing_together([path], force=force) as (temporary,):
        yield temporary


@contextlib.contextmanager
def writing_together(paths: Sequence[Path], *, force: bool = False) -> Iterator[list[Path]]:
    """As `writing`, for files that belong together: all take their names, or none does."""
    temporaries: list[Path] = []
    path = paths[0]
    try:
        for path in paths:
            check_output(path, force=force)
            temporaries.append(_temporary(path))
        yield temporaries
        mode = 0o666 & ~_umask()
        for path, temporary in zip(paths, temporaries, strict=True):
            os.chmod(temporary, mode)
            os.replace(temporary, path)
    except OSError as failure:
        raise OutputError(f"{path} cannot be written: {failure.strerror}.") from failure
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    return Path(name)


def check_output(path: Path, *, force: bool = False) -> None:
    """Raise `OutputError` where `path` is a folder, or exists and must not be replaced."""
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file in it.")
    if path.exists() and not force:
        raise OutputError(f"{path} exists; add --force to replace it.")


def fresh_folder(path: Path, *, force: bool = False) -> Path:
    """Make the folder `path`; one that holds something is refused, or emptied with `force`."""
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is a file; name a folder.")
    if path.is_dir() and any(path.iterdir()):
        if not force:
            raise OutputError(f"{path} exists and is not empty; add --force to replace it.")
        shutil.rmtree(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise OutputError(f"{path} cannot be made: {failure.strerror}.") from failure
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
