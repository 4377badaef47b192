"""Folders of pictures."""

from __future__ import annotations

from pathlib import Path

from dae_edge.errors import MediaError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder in order of name; `MediaError` where there are none."""
    found = loose_pictures(folder)
    if not found:
        raise MediaError(f"{folder} holds no pictures ({', '.join(SUFFIXES)}).")
    return found


def loose_pictures(folder: Path) -> tuple[Path, ...]:
    """The same, and none is no mistake."""
    if not folder.is_dir():
        raise MediaError(f"{folder} is not a folder.")
    return tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES))
