"""The files of the page: a fixed table, read once; no path a browser sends ever reaches the disk."""

from __future__ import annotations

from importlib.resources import files

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}

_NAMES = (
    "live.html", "live.css", "icon.svg",
    "live.js", "stream.js", "stage.js", "divider.js", "panel.js", "graph.js",
)  # fmt: skip


def load() -> dict[str, tuple[bytes, str]]:
    """Path on the server -> (content, media type)."""
    folder = files(__package__) / "page"
    table = {f"/{name}": ((folder / name).read_bytes(), _TYPES[name.rpartition(".")[2]]) for name in _NAMES}
    return {"/": table.pop("/live.html"), **table}
