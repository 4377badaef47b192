"""What can be read off any .onnx or .tflite file, whoever made it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

_BITS = {"int2": 2, "uint2": 2, "int4": 4, "uint4": 4, "int8": 8, "uint8": 8, "int16": 16, "uint16": 16}


@dataclass(frozen=True)
class Port:
    """A tensor on its way in or out; an open side of `shape` is its name, or "?"."""

    name: str
    shape: tuple[int | str, ...]
    dtype: str
    optional: bool = False  # an input with a value of its own where it is left out


@dataclass(frozen=True)
class Contents:
    """A model file, taken apart.

    kind:         "ONNX" or "TFLite"
    producer:     what the file says made it, "" where it does not
    opsets:       operator set -> version
    operators:    name -> how often, the most frequent first
    convolutions: arithmetic ("8-bit", "32-bit floats" ...) -> how many convolutions use it
    stored:       dtype -> how many numbers of it the file stores, scales and shapes included
    metadata:     the file's own entries, as text
    """

    kind: str
    producer: str
    opsets: dict[str, int]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operators: dict[str, int]
    convolutions: dict[str, int]
    stored: dict[str, int]
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        """How many numbers the file stores."""
        return sum(self.stored.values())

    @property
    def quantized_share(self) -> float:
        """Of the numbers stored, those in integers of 8 bits or fewer; 0 to 1."""
        narrow = sum(count for dtype, count in self.stored.items() if _BITS.get(dtype, 32) <= 8)
        return narrow / self.parameters if self.parameters else 0.0


def counted(names: Iterable[str]) -> dict[str, int]:
    """Each name and how often it comes, the most frequent first, then by name."""
    return dict(sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))


def arithmetic(activation: str, weight: str) -> str:
    """In words, how a convolution of these two dtypes computes; dtypes as `Port.dtype`."""
    a, w = _BITS.get(activation), _BITS.get(weight)
    if a and w:
        return f"{w}-bit" if a == w else f"{a}-bit activations and {w}-bit weights"
    if w:
        return f"{w}-bit weights"
    if weight == "float16":
        return "16-bit floats" if activation == "float16" else "16-bit float weights"
    return "64-bit floats" if weight == "float64" else "32-bit floats"
