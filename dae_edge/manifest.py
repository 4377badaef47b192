"""What an exported file says of itself: written by the exporter, all that the runtime reads.

It travels inside the file (ONNX metadata; a zip member of a .tflite) and beside it as
`<file>.json`, the sidecar, which adds the file's sha256.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dae_edge import manifest_rules
from dae_edge.errors import ModelLoadError

KEY = "dae_edge"  # of the ONNX metadata entry
MEMBER = "dae_edge.json"  # of the zip that ends a .tflite
VERSION = 1

Dimension = int | str


@dataclass(frozen=True)
class Tensor:
    """A picture on its way in or out: (1, H, W, channels) uint8, 0 to 255.

    `shape` holds numbers, or "H" and "W" where the file takes any size. `colour` is "BGR" or "grey".
    """

    name: str
    shape: tuple[Dimension, ...]
    colour: str
    dtype: str = "uint8"
    layout: str = "NHWC"
    range: tuple[int, int] = (0, 255)


@dataclass(frozen=True)
class State:
    """A memory that goes in as `name` and comes out as `next`; `start` everywhere at first.

    `shape` holds numbers, or fractions like "H/2" of the frame's side rounded up to a multiple of
    the manifest's `multiple`.
    """

    name: str
    next: str
    shape: tuple[Dimension, ...]
    dtype: str = "float32"
    layout: str = "NHWC"
    start: float = 0.0


@dataclass(frozen=True)
class Manifest:
    """Everything needed to run the file, and where it comes from.

    multiple:     the network's stride; frames are padded to it inside the file
    minimum:      pixels a side must have at least
    memory:       what the states hold: "bands" or "pixels" of 2 x 2 blocks, as `dae_edge.motion.carry` can
                  carry them along with what moves; "" for anything else
    follows:      whether they are carried, unless the user says otherwise
    strength:     name of a float input, 0 (frame untouched) to 1 (fully denoised); "" where there is none
    quantization: "none", "fp16 weights" or how the 8-bit numbers are laid out
    recipe:       sha256 of the training recipe, "" where unknown; `seed` is that run's
    mac_per_pixel: multiply-adds of the network for each pixel of a frame; None where unknown
    quality:      what the exporter measured: PSNR in dB, differences in [0, 1]; None for infinite
    tools:        package -> version
    """

    name: str
    format: str
    frame: Tensor
    denoised: Tensor
    states: tuple[State, ...] = ()
    multiple: int = 1
    minimum: int = 1
    memory: str = ""
    follows: bool = False
    strength: str = ""
    quantization: str = "none"
    recipe: str = ""
    seed: int | None = None
    mac_per_pixel: float | None = None
    quality: dict[str, float | None] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    version: int = VERSION

    @property
    def channels(self) -> int:
        return int(self.frame.shape[3])

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) where the file is made for one size, None where it takes any."""
        _, height, width, _ = self.frame.shape
        if isinstance(height, int) and isinstance(width, int):
            return height, width
        return None

    def state_shape(self, state: State, height: int, width: int) -> tuple[int, ...]:
        """The shape of `state` for frames of (height, width)."""
        padded = {"H": self._padded(height), "W": self._padded(width)}
        shape = []
        for dimension in state.shape:
            if isinstance(dimension, int):
                shape.append(dimension)
            else:
                side, _, divisor = dimension.partition("/")
                shape.append(padded[side] // int(divisor or 1))
        return tuple(shape)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """The inverse of `to_json`; `ModelLoadError` where the text is no manifest of ours."""
        try:
            raw = manifest_rules.parse(text)
            for ours in ("sha256", "beside"):  # of a sidecar
                raw.pop(ours, None)
            if raw.get("version") != VERSION:
                raise ModelLoadError(
                    f"its manifest has version {raw.get('version')}; this package reads {VERSION}."
                )
            manifest_rules.check(raw)
            raw["frame"] = _rebuild(Tensor, raw["frame"])
            raw["denoised"] = _rebuild(Tensor, raw["denoised"])
            raw["states"] = tuple(_rebuild(State, state) for state in raw["states"])
            return cls(**raw)
        except (ValueError, TypeError, KeyError, AttributeError) as failure:
            raise ModelLoadError(f"its manifest cannot be read ({failure}).") from failure

    def _padded(self, side: int) -> int:
        return -(-side // self.multiple) * self.multiple


def sidecar(path: Path) -> Path:
    """Where the manifest beside `path` lies: model.onnx -> model.onnx.json."""
    return path.with_name(path.name + ".json")


def sidecar_json(manifest: Manifest, content: bytes, companions: Mapping[str, bytes] | None = None) -> str:
    """The sidecar's text: the manifest, the sha256 of the file's `content`, and of each companion."""
    digests: dict[str, Any] = {"sha256": digest(content)}
    if companions:
        digests["beside"] = {suffix: digest(part) for suffix, part in companions.items()}
    return json.dumps({**asdict(manifest), **digests}, indent=2, allow_nan=False) + "\n"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _rebuild(kind: type, raw: dict[str, Any]) -> Any:
    lists_to_tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
    return kind(**lists_to_tuples)
