"""Folders of pictures."""

from __future__ import annotations

from pathlib import Path

from dae_edge.errors import MediaError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder in order of name; `MediaError` where there are none."""
    if not folder.is_dir():
        raise MediaError(f"{folder} is not a folder.")
    found = tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES))
    if not found:
        raise MediaError(f"{folder} holds no pictures ({', '.join(SUFFIXES)}).")
    return found
