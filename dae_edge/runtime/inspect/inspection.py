"""One file, its manifest and its sidecar, brought together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dae_edge.errors import ModelLoadError
from dae_edge.manifest import KEY, MEMBER, Manifest, digest
from dae_edge.runtime.inspect.contents import Contents
from dae_edge.runtime.inspect.onnx import read_onnx
from dae_edge.runtime.inspect.tflite import read_tflite
from dae_edge.runtime.opening import read_model, read_sidecar

_READERS = {".onnx": read_onnx, ".tflite": read_tflite}
SUFFIXES = tuple(_READERS)  # of the files that can be taken apart


@dataclass(frozen=True)
class Inspection:
    """What is known of the file at `path`.

    size:           bytes
    sha256:         of the file, in hex
    sha256_matches: whether the sidecar names the same; None where there is none, or it names none
    manifest:       None where the file was not made by `dae-edge export`
    """

    path: Path
    size: int
    sha256: str
    sha256_matches: bool | None
    manifest: Manifest | None
    contents: Contents

    def figures(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        contents = asdict(self.contents)
        return {
            "schema": 1,
            "path": str(self.path),
            "bytes": self.size,
            "sha256": self.sha256,
            "sha256_matches": self.sha256_matches,
            "manifest": None if self.manifest is None else asdict(self.manifest),
            "contents": contents
            | {
                "parameters": self.contents.parameters,
                "quantized_share": round(self.contents.quantized_share, 4),
                "metadata": {k: v for k, v in contents["metadata"].items() if k not in (KEY, MEMBER)},
            },
        }


def inspect(path: Path) -> Inspection:
    """Read the .onnx or .tflite file at `path`, whoever made it, without running it.

    Raises `ModelLoadError` where it is missing, is neither, is cut short or corrupt, or refers to
    data in other files.
    """
    content = read_model(path)
    try:
        contents = read_contents(path.suffix, content)
        text = manifest_in(contents)
        manifest = None if text is None else Manifest.from_json(text)
        expected = (read_sidecar(path) or {}).get("sha256")
    except ModelLoadError as failure:
        raise ModelLoadError(f"{path} cannot be inspected: {failure}") from failure
    actual = digest(content)
    matches = expected == actual if expected else None
    return Inspection(path, len(content), actual, matches, manifest, contents)


def read_contents(suffix: str, content: bytes) -> Contents:
    """Take apart the bytes of a file with this suffix; `ModelLoadError` as in `inspect`."""
    if suffix not in _READERS:
        raise ModelLoadError("it is neither an .onnx nor a .tflite file.")
    return _READERS[suffix](content)


def manifest_in(contents: Contents) -> str | None:
    """The manifest's text, where the file has one."""
    return contents.metadata.get(KEY if contents.kind == "ONNX" else MEMBER)
