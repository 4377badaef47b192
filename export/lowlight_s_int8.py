"""`lowlight-s` in 8 bits, written for onnxruntime node by node.

As in `lowlight_int8`, a frame stays bytes from end to end and only the memory is float. Here channels
are last everywhere, so that nothing but the gate's few logits is ever transposed: a frame's rows of four
pixels are its channels for the first convolution, and what the last one gives is rows of four pixels again.

- Planes are in grey levels around 128, the byte of 0 for brightness and colours alike: so are the
  margins that convolutions see beyond the frame's edges, in Keras and here.
- The output is made by one convolution of the average's planes and of the masked correction's bands
  side by side: it is rounded once; so is the correction (`correction`).

For every name: H, W the padded frame's sides; planes, what is seen and all features (1, H/4, W/4, C).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import onnx

from dae_edge.export.block_planes import Heights, Padded, pad
from dae_edge.export.calibrated import Array, Calibrated, Ranges
from dae_edge.export.camera_code import code_of, listened, loudness, novelty, told
from dae_edge.export.correction import Head, held_against, mask_shares, masked_difference, steps
from dae_edge.export.frame_count import frames_stood_on
from dae_edge.export.framed import DENOISED, FRAME, STRENGTH, Size
from dae_edge.export.moments import Moments
from dae_edge.export.onnx_graph import FLOAT, LOGITS, UINT8, Bytes, Graph
from dae_edge.export.picture_model import NEXT, Frame, PictureModel, Tensors
from dae_edge.export.shortcut import beside
from dae_edge.export.whole_frame import given
from dae_edge.models.lowlight_s import (
    BLOCK,
    FAR,
    LAST,
    PARTS,
    PLANES,
    REACH,
    SEEN,
    band_pixels,
    plane_bands,
)
from dae_edge.models.parts import MASK

LAYOUT = "NHWC"  # of the memory
MEMORY = ""  # nothing that can be carried along with motion
RANGES: tuple[Ranges, ...] = ("fine", "whole")  # to try, in this order

_AVERAGE, _COUNT = "state_average", "state_count"
_WIDE = 32  # what is seen, and the bands, padded
_GAIN = 1 / 127  # step of a gain
# Layers whose channels may be brought nearer to one range, and who reads them.
_ALONE = (
    ("gate_1", ("gate_2",)),
    ("gate_2", ("gate_out",)),
    ("eighth_down", ("eighth_1",)),
    ("eighth_1", ("eighth_2",)),
)


def fits(model: PictureModel) -> bool:
    """Whether `model` is of the kind that `dae_edge.models.lowlight_s` builds."""
    layers = {layer.name: layer for layer in model.model.layers}
    known = {"analysis", "spread", "transform", "gate_noise", "noise", "gate_2", "picture", "detail"}
    return (
        known | {FAR, LAST, MASK} <= {*layers}
        and model.states == [_AVERAGE, _COUNT]
        and layers["gate_1"].input.shape[-1] == _WIDE
        and layers["gate_noise"].input.shape[-1] == 3 * PLANES + PARTS  # less in older models
    )


class Network(Calibrated):
    """The Keras model's weights and the range of every activation, brought nearer to one another's."""

    def __init__(
        self, model: PictureModel, examples: Iterable[tuple[Frame, Tensors]], *, whole: bool = False
    ) -> None:
        super().__init__(model, examples, whole=whole)
        for writer, readers in _ALONE:
            self.equalize([writer], readers)
        self.equalize(["quarter_in", "quarter_up"], ["eighth_down", "quarter_out"])
        self.equalize(["eighth_2", FAR], [FAR, "quarter_up"])
        self.equalize(["quarter_out", LAST], [LAST, "picture", "mask"])


def to_onnx_int8(network: Network, size: Size) -> onnx.ModelProto:
    """The framed model; `size` (height, width), or None for any size."""
    model, graph = network.model, Graph()
    frame = graph.input(FRAME, UINT8, (1, *(size or ("height", "width")), 3))
    strength = graph.input(STRENGTH, FLOAT, (), default=1.0)
    sides = tuple(model.padded(s) // BLOCK for s in size) if size else ("state_height", "state_width")
    average = graph.input(_AVERAGE, FLOAT, (1, *sides, SEEN))
    count = graph.input(_COUNT, FLOAT, (1, *sides, PARTS))

    extended, heights = pad(graph, frame, size)
    now = _planes(graph, network, extended, heights)
    change = graph.op("Sub", graph.in_floats(now, 1, heights.quarter, -1, SEEN), average)
    age = graph.op("Reciprocal", graph.op("Max", count, graph.number(1)))
    loud = _loudness(graph, network, change, age, heights)
    new = novelty(graph, now.name, change, 1, BLOCK, heights, _to_bands(network))
    gate_noise = code_of(graph, network, "gate_noise", graph.concat(loud, new, axis=0))
    still = _gate(graph, network, gate_noise, change, age, heights)

    count_next = frames_stood_on(graph, count, still)
    gain = graph.quantize(graph.op("Reciprocal", count_next), _GAIN, 128)
    average_next = graph.op("Add", average, graph.op("Mul", change, _spread(graph, network, gain, heights)))

    seen = _together(graph, average_next, gain)
    features = _features(graph, network, code_of(graph, network, "noise", loud), seen, heights)
    denoised = given(graph, _pixels(graph, network, seen, features, heights), frame, strength, size)

    graph.output(denoised, DENOISED, UINT8, (1, *(size or ("height", "width")), 3))
    graph.output(average_next, _AVERAGE + NEXT, FLOAT, (1, *sides, SEEN))
    graph.output(count_next, _COUNT + NEXT, FLOAT, (1, *sides, PARTS))
    return graph.model(model.model.name)


def _planes(graph: Graph, network: Network, frame: Padded, heights: Heights) -> Bytes:
    """(1, H, W, 3) -> 28 planes, in levels around 128."""
    kernel, bias = network.weights("analysis")
    kernel = kernel.reshape(BLOCK, 1, 3 * BLOCK, SEEN)

    def planes(frame: str) -> str:
        rows = Bytes(graph.reshape(frame, 1, heights.full, -1, 3 * BLOCK))
        return graph.convolution(rows, kernel, 255 * bias, 1, 128, strides=(BLOCK, 1)).name

    return Bytes(frame.through(planes), 1, 128)


def _gate(graph: Graph, network: Network, noise: str, change: str, age: str, heights: Heights) -> str:
    """How much of each 2 x 2 block has not moved, (1, H/4, W/4, 4) float."""
    seen = _together(graph, change, graph.quantize(age, _GAIN, 128))
    kernel, bias, known = _first(network, "gate_1")
    x = graph.convolution(seen, kernel, bias, network.relu_scale("gate_1"), strides=2, seen=known)
    x = told(graph, network, x, "gate_2", noise)
    kernel, bias = network.weights("gate_out")
    logits = graph.convolution(x, -kernel, -bias, LOGITS, 128, seen=network.moments("gate_out"))
    rows = graph.transpose(graph.reshape(logits.name, heights.eighth, -1, 2, 2 * PARTS), 0, 2, 1, 3)
    blocks = replace(logits, name=graph.reshape(rows, 1, heights.quarter, -1, PARTS))
    return graph.op("Sigmoid", graph.dequantize(blocks))


def _loudness(graph: Graph, network: Network, change: str, age: str, heights: Heights) -> str:
    """From changes of planes in levels, how loud noise is, and how uneven: (24 + 4 + 24,) float."""
    places = (listened(graph, x, 1, BLOCK, heights) for x in (change, age))
    changes, ages = (graph.reshape(x, -1, n) for x, n in zip(places, (SEEN, PARTS), strict=True))
    return loudness(graph, changes, ages, _to_bands(network))


def _to_bands(network: Network) -> Array:
    """(28 planes in levels, 24 bands)."""
    return network.kernel("transform")[0, 0, :, :PLANES] / np.float32(255)


def _together(graph: Graph, planes: str, gain: Bytes) -> Bytes:
    """28 planes and four gains side by side, in bytes around 128."""
    return Bytes(graph.concat(graph.quantize(planes, 1, 128).name, gain.name, axis=3), 1, 128)


def _spread(graph: Graph, network: Network, gain: Bytes, heights: Heights) -> str:
    """What of a change goes into each plane of the average, (1, H/4, W/4, 28) float.

    Of gains in bytes, within 12 % of what they are: as good an average, and 1 to 2 % less time in all.
    """
    kernel, bias = network.weights("spread")
    gains = replace(gain, name=graph.reshape(gain.name, -1, PARTS))
    spread = graph.product_in_floats(gains, kernel[0, 0].astype(np.int8), bias)
    return graph.reshape(spread, 1, heights.quarter, -1, SEEN)


def _features(graph: Graph, network: Network, noise: str, seen: Bytes, heights: Heights) -> Bytes:
    """The encoder-decoder, from what is seen to what picture and mask are made of."""

    def convolve(x: Bytes, name: str, strides: int = 1) -> Bytes:
        weights, scale = network.weights(name), network.relu_scale(name)
        return graph.convolution(x, *weights, scale, strides=strides, seen=network.moments(name))

    kernel, bias, known = _first(network, "quarter_in")
    quarter = graph.convolution(seen, kernel, bias, network.relu_scale("quarter_in"), seen=known)
    eighth = convolve(quarter, "eighth_down", 2)
    for name in ("eighth_1", "eighth_2"):
        eighth = told(graph, network, eighth, name, noise)
    eighth = beside(graph, network, eighth, eighth, FAR, "quarter_up", REACH)
    weights, step = network.weights("quarter_up"), network.signed_scale("quarter_up")
    known = network.moments("quarter_up")
    larger = graph.twice(eighth, *weights, step, heights.eighth, heights.quarter, known)
    together = graph.add(larger, quarter, network.signed_scale("quarter_out in"), 128)
    quarter = convolve(together, "quarter_out")
    return beside(graph, network, quarter, quarter, LAST, "picture")


def _pixels(graph: Graph, network: Network, seen: Bytes, features: Bytes, heights: Heights) -> str:
    """The average, corrected where the mask lets go of it: (1, H, W, 3)."""
    bands = network.samples("quarter_in in")[..., :PLANES]
    held = np.concatenate([bands, network.samples("detail")], axis=-1)
    mask = mask_shares(network.samples("mask"))
    to_bands = np.zeros((_WIDE, PLANES), np.float32)
    to_bands[:PLANES] = plane_bands().T / 255
    head = Head(
        picture=network.weights("picture"),
        mask=network.weights("mask"),
        features=network.moments("picture"),
        held=(held_against(to_bands, network.kernel("detail")),),
        planes=network.moments("detail").through(np.linalg.pinv(to_bands).T.astype(np.float64)),
        bands=PLANES,
        steps=steps(network.samples("picture"), held, mask, whole=network.whole),
    )
    masked = masked_difference(graph, features, seen, head, _WIDE)
    of_bands, offsets = band_pixels()
    given = np.concatenate([np.eye(PLANES), network.kernel("detail_bands")[0, 0]])  # (32, bands)
    to_pixels = np.zeros((1, 1, 2 * _WIDE, len(of_bands)), np.float32)
    to_pixels[0, 0, :_WIDE] = 255 * head.steps[:, None] * (given @ of_bands.T)
    to_pixels[0, 0, _WIDE : _WIDE + PLANES] = (of_bands @ plane_bands()).T
    both = Bytes(graph.concat(masked.name, seen.name, axis=3), 1, 128)
    blocks = graph.convolution(both, to_pixels, (255 * offsets).astype(np.float32), 1)
    rows = graph.split(blocks.name, (3 * BLOCK,) * BLOCK, 3)
    lines = (graph.reshape(row, heights.quarter, 1, -1) for row in rows)
    return graph.reshape(graph.concat(*lines, axis=1), 1, heights.full, -1, 3)


def _first(network: Network, name: str) -> tuple[Array, Array, Moments]:
    """A first convolution over what `_together` gives; in Keras it sees bands, block's means and gains."""
    to_bands = np.zeros((_WIDE, _WIDE))
    to_bands[:SEEN, :SEEN] = network.kernel("transform")[0, 0] / 255
    to_bands[SEEN:, SEEN:] = _GAIN * np.eye(PARTS)
    return network.first(name, to_bands)
