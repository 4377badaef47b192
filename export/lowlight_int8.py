"""The low-light network in 8 bits, written for onnxruntime node by node.

The converter's graph spends more than half of its time around the convolutions: floats at full
resolution, transposes, depth to space. Here a frame stays bytes from end to end, and only the memory
is float. What makes that possible is arithmetic that changes nothing:

- The memory is kept in pixels, not in bands: a running average with one gain a block is the same
  in both, and the band transform becomes part of the first convolutions' weights.
- The output is the average plus a correction, y = m + T'((1 - k)(c - T m)), the Keras model's blend
  (m average, c picture, k mask, T transform to bands and details) so written that only the correction is
  bytes in bands; both are one convolution, rounded once.
- Picture minus average is one convolution, c - T m, rounded once (`correction`).
- Up by two is `Graph.twice`, which copies whole rows.

For every name: H, W the padded frame's sides; planes (12, H/2, W/2), a 2x2 block's row, column and
BGR; what is seen and all features (1, H/2, W/2, C), channels last.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray

from dae_edge.export.block_planes import (
    PIXELS,
    WIDE,
    Heights,
    block_means,
    in_pairs,
    pad,
    side_by_side,
    to_frame,
    to_planes,
)
from dae_edge.export.calibrated import Ranges
from dae_edge.export.camera_code import (
    broad_loudness,
    code_of,
    heard,
    listened,
    loudness,
    mosaic,
    noise_curve,
    novelty,
    row,
    some,
    told,
)
from dae_edge.export.correction import masked_difference, padded
from dae_edge.export.frame_count import frames_stood_on
from dae_edge.export.framed import DENOISED, FRAME, STRENGTH, Size
from dae_edge.export.lowlight_weights import Network
from dae_edge.export.onnx_graph import FLOAT, LOGITS, UINT8, Bytes, Graph, columns_at_once
from dae_edge.export.picture_model import NEXT, PictureModel
from dae_edge.export.shortcut import beside
from dae_edge.export.whole_frame import given
from dae_edge.models.bands import BANDS
from dae_edge.models.camera import COMPARED, LIGHTS, LISTENED, MOSAICS
from dae_edge.models.lowlight import COARSE, DETAILS, EVEN, WHITE
from dae_edge.models.parts import MASK

LAYOUT = "NCHW"  # of the memory
MEMORY = "pixels"  # what it holds
RANGES: tuple[Ranges, ...] = ("fine", "edges", "whole")  # to try, in this order

_AVERAGE, _COUNT = "state_average", "state_count"
_LAYERS = {
    "analysis",
    "texture",
    "gate_code",
    "gate_out",
    "half_in",
    "detail",
    "head",
    MASK,
    "synthesis",
}  # only it has all

# That the gate is told; another number in older models.
_GATE_NUMBERS = 3 * BANDS + (2 + len(LIGHTS)) * COARSE + 1

Array = NDArray[np.float32]


def fits(model: PictureModel) -> bool:
    """Whether `model` is of the kind that `dae_edge.models.lowlight` builds."""
    layers = {layer.name: layer for layer in model.model.layers}
    return (
        layers.keys() >= _LAYERS
        and model.states == [_AVERAGE, _COUNT]
        and layers["gate_code"].input.shape[-1] == _GATE_NUMBERS
        and layers["detail"].kernel.shape[-1] == DETAILS * MOSAICS
    )


def to_onnx_int8(network: Network, size: Size) -> onnx.ModelProto:
    """The framed model; `size` (height, width), or None for any size."""
    model, graph = network.model, Graph()
    frame = graph.input(FRAME, UINT8, (1, *(size or ("height", "width")), 3))
    strength = graph.input(STRENGTH, FLOAT, (), default=1.0)
    sides = tuple(model.padded(s) // 2 for s in size) if size else ("state_height", "state_width")
    average = graph.input(_AVERAGE, FLOAT, (1, PIXELS, *sides))
    count = graph.input(_COUNT, FLOAT, (1, 1, *sides))

    extended, heights = pad(graph, frame, size)
    planes = extended.through(lambda frame: to_planes(graph, frame, heights))
    coarse = block_means(graph, planes, heights)
    change = graph.op("Sub", graph.in_floats(Bytes(planes), 1, PIXELS, heights.half, -1), average)
    age = graph.op("Reciprocal", graph.op("Max", count, graph.number(1)))
    loud, curve = _loudness(graph, network, change, average, age, heights)
    still = _gate(graph, network, planes, change, (loud, curve), coarse, age, heights)

    count_next = frames_stood_on(graph, count, still)
    gain = graph.op("Reciprocal", count_next)
    average_next = graph.op("Add", average, graph.op("Mul", change, gain))

    held = graph.quantize(average_next, 1)
    parts = (held, coarse, graph.quantize(gain, 1 / 255))
    seen = Bytes(side_by_side(graph, parts, heights))
    of_camera = heard(graph, network, extended, heights)
    told_of = code_of(graph, network, "code", graph.concat(of_camera, loud, axis=0))
    features = _features(graph, network, told_of, seen, heights)
    closed = row(graph, told_of, *network.thresholds("mask"), seen)
    kind = mosaic(graph, of_camera)
    masked = masked_difference(graph, features, seen, network.head, WIDE, closed, kind)
    clean = _pixels(graph, network, masked, seen)
    denoised = given(graph, to_frame(graph, clean, heights), frame, strength, size)

    graph.output(denoised, DENOISED, UINT8, (1, *(size or ("height", "width")), 3))
    graph.output(average_next, _AVERAGE + NEXT, FLOAT, (1, PIXELS, *sides))
    graph.output(count_next, _COUNT + NEXT, FLOAT, (1, 1, *sides))
    return graph.model(model.model.name)


def _pixels(graph: Graph, network: Network, masked: Bytes, seen: Bytes) -> Bytes:
    """The average, whole, plus its correction, rounded once: (1, H/2, W/4, 24), as `to_frame` wants it."""
    kernel = np.zeros((2, WIDE, PIXELS), np.float32)
    kernel[0] = network.to_pixels * network.head.steps[:, None]
    kernel[1, :PIXELS] = np.eye(PIXELS)  # the first channels of what is seen
    parts = (graph.reshape(part.name, 0, 0, -1, 2 * WIDE) for part in (masked, seen))  # 0: as it is
    both = Bytes(graph.concat(*parts, axis=3), 1, masked.zero)
    bias = np.full(2 * PIXELS, masked.zero - seen.zero, np.float32)
    return graph.convolution(both, in_pairs(kernel), bias, 1, exact=np.ones(2 * PIXELS, np.float32))


def _loudness(
    graph: Graph, network: Network, change: str, average: str, age: str, heights: Heights
) -> tuple[str, str]:
    """From changes of planes in levels, how loud noise is, and how uneven; and how loud by light."""

    def rows(x: str, planes: int) -> str:
        return graph.transpose(graph.reshape(x, planes, -1), 1, 0)

    to_bands = network.transform / 255
    changes = listened(graph, change, 2, 2, heights)
    ages = rows(listened(graph, age, 2, 2, heights), 1)
    loud = loudness(graph, rows(changes, PIXELS), ages, to_bands)
    # Where changes are compared, which is at some of the places where they are listened to.
    rest = (COMPARED[0] // LISTENED[0], COMPARED[1] // LISTENED[1])
    compared = rows(some(graph, changes, 2, *rest), PIXELS)
    shown = rows(listened(graph, average, 2, 2, heights, COMPARED), PIXELS)
    return loud, noise_curve(graph, compared, shown, to_bands[:, :COARSE], to_bands[:, 0] / WHITE)


def _gate(
    graph: Graph,
    network: Network,
    planes: str,
    change: str,
    noise: tuple[str, str],
    coarse: Bytes,
    age: str,
    heights: Heights,
) -> str:
    """How much of each block has not moved, (1, 1, H/2, W/2) float.

    `noise` is how loud it is, and by light.
    """
    loud, curve = noise
    to_bands = network.transform / 255
    broad = broad_loudness(graph, change, 2, to_bands[:, :COARSE])
    new = novelty(graph, planes, change, 2, 2, heights, to_bands)
    code = code_of(graph, network, "gate_code", graph.concat(loud, broad, new, curve, axis=0))
    of_coarse, _ = graph.split(loud, (1, 2 * BANDS), 0)
    # Changes are rounded to levels where noise is as in `dim`, finer in less noise.
    step = graph.op("Exp", graph.op("Sub", of_coarse, graph.number(EVEN)))
    parts = (
        graph.quantize_by(change, graph.op("Squeeze", step), 128),
        graph.rounded(coarse, 2, 128),
        graph.quantize(age, 1 / 127, 128),
    )
    x = Bytes(side_by_side(graph, parts, heights), 1, 128)
    kernel, bias, known = network.first_of("gate_1", 2, 1 / 127)
    x = graph.convolution(x, kernel, bias, network.relu_scale("gate_1"), strides=2, seen=known)
    x = told(graph, network, x, "gate_2", code)
    kernel, bias = padded(*network.weights("gate_out"), WIDE // 2)
    known = network.moments("gate_out")
    # Of two times 2x2 blocks, each by row, what belongs to one row of both side by side; then what pads them.
    order = [0, 1, 8, 9, 2, 3, 10, 11, *range(4, 8), *range(12, 16)]
    x = graph.convolution(x, -kernel, -bias, LOGITS, 128, columns=2, order=order, seen=known)
    upper, lower, _ = graph.split(x.name, (4, 4, 8), 3)
    rows = graph.concat(*(graph.reshape(row, heights.quarter, 1, -1) for row in (upper, lower)), axis=1)
    logits = graph.reshape(rows, 1, 1, heights.half, -1)
    return graph.op("Sigmoid", graph.dequantize(Bytes(logits, x.scale, x.zero)))


def _features(graph: Graph, network: Network, code: str, seen: Bytes, heights: Heights) -> Bytes:
    """The encoder-decoder, from what is seen to what the head reads."""

    def convolve(x: Bytes, name: str, strides: int = 1, columns: int = 1) -> Bytes:
        weights, scale = network.weights(name), network.relu_scale(name)
        known = network.moments(name)
        return graph.convolution(x, *weights, scale, strides=strides, columns=columns, seen=known)

    def blocks(x: Bytes, level: str, after: str) -> Bytes:
        for index in range(1, network.blocks + 1):
            inner = convolve(x, f"{level}_block_{index}_1")
            following = f"{level}_block_{index + 1}_1" if index < network.blocks else after
            x = beside(graph, network, x, inner, f"{level}_block_{index}_2", following)
        return x

    def up(x: Bytes, skip: Bytes, level: str, height: int | str, after: str) -> Bytes:
        """Twice the size, plus `skip`, for the layer `after`; `height` is the larger one."""
        name = f"{level}_up"
        weights, step = network.weights(name), network.signed_scale(name)
        larger = graph.twice(x, *weights, step, heights.half_of(height), height, network.moments(name))
        return graph.add(larger, skip, network.signed_scale(f"{after} in"), 128)

    kernel, bias, known = network.first_of("half_in", 1, 1 / 255)
    columns = columns_at_once(len(bias))
    half = graph.convolution(seen, kernel, bias, network.relu_scale("half_in"), columns=columns, seen=known)
    quarter = convolve(convolve(half, "quarter_down", 2), "quarter_in")
    quarter = blocks(quarter, "quarter", "eighth_down")
    eighth = convolve(convolve(quarter, "eighth_down", 2), "eighth_1")
    eighth = told(graph, network, eighth, "eighth_2", code)
    eighth = blocks(eighth, "eighth", "quarter_up")
    quarter = up(eighth, quarter, "quarter", heights.quarter, "quarter_out")
    quarter = told(graph, network, quarter, "quarter_out", code)
    return convolve(up(quarter, half, "half", heights.half, "half_out"), "half_out", columns=columns)
