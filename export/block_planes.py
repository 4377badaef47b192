"""Between a frame and planes of its 2x2 blocks, in bytes, without a pixel touched.

H, W are the padded frame's sides. Planes are (1, 12, H/2, W/2): a block's row, column and BGR.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dae_edge.export.framed import Size
from dae_edge.export.onnx_graph import UINT8, Bytes, Graph
from dae_edge.models.lowlight import STRIDE

PIXELS = 12  # of a block: 2 rows x 2 columns x BGR
WIDE = 16  # channels of anything narrower, padded: what onnxruntime is fast at


@dataclass(frozen=True)
class Heights:
    """H, H/2, H/4 and H/8 of the padded frame: numbers, or names of (1,) int64 tensors."""

    full: int | str
    half: int | str
    quarter: int | str
    eighth: int | str

    def half_of(self, height: int | str) -> int | str:
        return {self.half: self.quarter, self.quarter: self.eighth}[height]


@dataclass(frozen=True)
class Padded:
    """A frame, reflected over its lower and right edges up to a multiple of the stride.

    Most cameras' sizes are one: nothing is added then, and the frame is not copied, even where its `margins`
    are known at run time only.
    """

    graph: Graph
    frame: str
    margins: str = ""

    def through(self, read: Callable[[str], str]) -> str:
        """What `read` makes of it, bytes."""
        graph = self.graph
        if not self.margins:
            return read(self.frame)
        none = graph.op("Equal", graph.op("ReduceMax", self.margins), graph.integers(0))
        return graph.either(
            none,
            lambda: read(self.frame),
            lambda: read(graph.op("Pad", self.frame, self.margins, mode="reflect")),
            UINT8,
        )


def pad(graph: Graph, frame: str, size: Size) -> tuple[Padded, Heights]:
    if size is not None:
        height, width = (-(-side // STRIDE) * STRIDE for side in size)
        heights = Heights(height, height // 2, height // 4, height // 8)
        if (height, width) != size:
            margins = graph.integers(0, 0, 0, 0, 0, height - size[0], width - size[1], 0)
            frame = graph.op("Pad", frame, margins, mode="reflect")
        return Padded(graph, frame), heights
    sides = graph.op("Shape", frame)
    stride, none = graph.integers(1, STRIDE, STRIDE, 1), graph.integers(0, 0, 0, 0)
    over = graph.op("Mod", sides, stride)
    margins = graph.op("Mod", graph.op("Sub", stride, over), stride)
    _, whole, _, _ = graph.split(graph.op("Add", sides, margins), (1, 1, 1, 1), 0)
    fractions = [graph.op("Div", whole, graph.integers(divisor)) for divisor in (2, 4, 8)]
    return Padded(graph, frame, graph.concat(none, margins, axis=0)), Heights(whole, *fractions)


def to_planes(graph: Graph, frame: str, heights: Heights) -> str:
    """(1, H, W, 3) -> (1, 12, H/2, W/2), bytes."""
    rows = graph.split(graph.reshape(frame, heights.half, 2, -1), (1, 1), 1)
    planes = [graph.transpose(graph.reshape(row, -1, 6), 1, 0) for row in rows]
    return graph.concat(*(graph.reshape(p, 1, 6, heights.half, -1) for p in planes), axis=1)


def in_pairs(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """(tensors, C, 12) -> (1, 1, tensors * 2 * C, 24): from a block of several tensors to its pixels, for two
    blocks side by side, both of each tensor, in the order that `to_frame` wants."""
    tensors, channels, _ = kernel.shape
    pixels = kernel.reshape(tensors, channels, 2, -1)  # by row
    pairs = np.einsum("tcrp,ab->tacrbp", pixels, np.eye(2, dtype=np.float32))
    return pairs.reshape(1, 1, tensors * 2 * channels, 2 * PIXELS)


def to_frame(graph: Graph, x: Bytes, heights: Heights) -> str:
    """(1, H/2, W/4, 24), four pixels of a row and four of the next -> (1, H, W, 3).

    Two blocks at a time: what is copied are pieces of a few bytes, and half as many take half as long.
    """
    halves = graph.split(graph.reshape(x.name, heights.half, -1, 2 * PIXELS), (PIXELS, PIXELS), 2)
    rows = (graph.reshape(row, heights.half, 1, -1) for row in halves)
    return graph.reshape(graph.concat(*rows, axis=1), 1, heights.full, -1, 3)


def block_means(graph: Graph, planes: str, heights: Heights) -> Bytes:
    """(1, 12, H/2, W/2) bytes -> each block's mean in B, G and R, (1, 3, H/2, W/2) in grey levels."""
    each = Bytes(graph.constant(np.tile(np.eye(3, dtype=np.uint8), 4)), 1 / 4)
    means = graph.product(each, Bytes(graph.reshape(planes, PIXELS, -1), 1), 1)
    return replace(means, name=graph.reshape(means.name, 1, 3, heights.half, -1))


def side_by_side(graph: Graph, parts: tuple[Bytes, ...], heights: Heights) -> str:
    """Planes one after another, then channels last: (1, H/2, W/2, 16)."""
    together = graph.concat(*(part.name for part in parts), axis=1)
    turned = graph.channels_last(graph.reshape(together, WIDE, -1))
    return graph.reshape(turned, 1, heights.half, -1, WIDE)
