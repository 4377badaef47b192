"""What the two engines have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from dae_edge.manifest import Manifest

Tensors = dict[str, NDArray[Any]]


class Engine(Protocol):
    """A loaded model that maps named tensors to named tensors."""

    name: str
    manifest: Manifest

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> Tensors:
        """All inputs by name -> all outputs by name, fresh arrays."""
        ...
