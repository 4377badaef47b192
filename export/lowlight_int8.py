"""The low-light network in 8 bits, written for onnxruntime node by node.

The converter's graph spends two thirds of its time around the convolutions: floats at full
resolution, transposes, depth to space. Here a frame stays bytes from end to end, and only the memory
is float. What makes that possible is arithmetic that changes nothing:

- The memory is kept in pixels, not in bands: a running average with one gain a block is the same
  in both, and the band transform becomes part of the first convolutions' weights.
- The output is the average plus a correction, y = m + T'((1 - k)(c - T m)), the blend of the Keras
  model written so that only the small correction is rounded to bytes in bands.
- Up by two is a 1x1 convolution for each row parity; putting the rows together copies whole rows.

For every name: H, W the padded frame's sides; planes (12, H/2, W/2), a 2x2 block's row, column and
BGR; seen and all features (1, H/2, W/2, C), channels last.
"""

from __future__ import annotations

from collections.abc import Iterable

import keras
import numpy as np
import onnx
from numpy.typing import NDArray

from dae_edge.export.framed import DENOISED, FRAME, STRENGTH, Size
from dae_edge.export.onnx_graph import FLOAT, UINT8, Bytes, Graph
from dae_edge.export.picture_model import NEXT, Frame, PictureModel, Tensors
from dae_edge.export.ranges import activations, signed_scale, unsigned_scale
from dae_edge.models.lowlight import BANDS, MEMORY, STRIDE

QUANTIZATION = "U8 activations, S8 weights per channel, U8 output; memory float"

_AVERAGE, _COUNT = "state_average", "state_count"
_PIXELS = 12  # of a block: 2 rows x 2 columns x BGR
_WIDE = 16  # channels of anything narrower, padded: what onnxruntime is fast at
_ALIKE = (*range(3),) * 5 + (3,)  # of what a first convolution sees: blues, greens, reds, and the age
_BRIGHT = 2  # lanes that brightness takes of the 16
_LOGITS = 8 / 127  # step of what goes into a sigmoid; beyond 8 it is flat

Array = NDArray[np.float32]


def fits(model: PictureModel) -> bool:
    """Whether `model` is of the kind that `dae_edge.models.lowlight` builds."""
    names = {layer.name for layer in model.model.layers}
    return {"analysis", "gate_out", "half_in", "head", "synthesis"} <= names and model.states == [
        _AVERAGE,
        _COUNT,
    ]


def to_onnx_int8(
    model: PictureModel, size: Size, examples: Iterable[tuple[Frame, Tensors]]
) -> onnx.ModelProto:
    """The framed model; `size` (height, width), or None for any size."""
    network = _Network(model, examples)
    graph = Graph()
    frame = graph.input(FRAME, UINT8, (1, *(size or ("height", "width")), 3))
    strength = graph.input(STRENGTH, FLOAT, (), default=1.0)
    sides = tuple(model.padded(s) // 2 for s in size) if size else ("state_height", "state_width")
    average = graph.input(_AVERAGE, FLOAT, (1, _PIXELS, *sides))
    count = graph.input(_COUNT, FLOAT, (1, 1, *sides))

    padded, heights = _pad(graph, frame, size)
    planes = _to_planes(graph, padded, heights)
    levels = graph.op("Cast", planes, to=FLOAT)
    coarse = _block_means(graph, levels, heights)
    change = graph.op("Sub", levels, average)
    moved = _gate(graph, network, change, coarse, count, heights)

    one = graph.number(1)
    kept = graph.op("Mul", graph.op("Sub", one, moved), graph.op("Min", count, graph.number(MEMORY - 1)))
    count_next = graph.op("Add", one, kept)
    gain = graph.op("Reciprocal", count_next)
    average_next = graph.op("Add", average, graph.op("Mul", change, gain))

    held = graph.quantize(average_next, 1)
    parts = (held, graph.quantize(coarse, 1), graph.quantize(gain, 1 / 255))
    seen = Bytes(_side_by_side(graph, parts, heights))
    correction = _correction(graph, network, seen, heights)
    clean = graph.add(correction, seen, 1)  # the first 12 channels of seen are the average
    whole = _to_frame(graph, clean, heights, size, frame)
    denoised = graph.blend(whole, frame, strength, graph.op("Sub", one, strength))

    graph.output(denoised, DENOISED, UINT8, (1, *(size or ("height", "width")), 3))
    graph.output(average_next, _AVERAGE + NEXT, FLOAT, (1, _PIXELS, *sides))
    graph.output(count_next, _COUNT + NEXT, FLOAT, (1, 1, *sides))
    return graph.model(model.model.name)


class _Network:
    """The Keras model's weights with the transform folded in, and the range of every activation."""

    def __init__(self, model: PictureModel, examples: Iterable[tuple[Frame, Tensors]]) -> None:
        layers = {a.name: a for a in model.model.layers if isinstance(a, keras.layers.Conv2D)}
        self._weights = {name: layer.get_weights() for name, layer in layers.items()}
        self.fine = "half_out" in layers
        self.blocks = sum(name.startswith("eighth_block_") for name in layers) // 2
        self.transform: Array = self._weights["analysis"][0].reshape(_PIXELS, BANDS)
        watched = {name: layer.output for name, layer in layers.items() if name != "analysis"}
        watched |= {f"{name} in": layer.input for name, layer in layers.items() if name != "analysis"}
        watched["average"] = model.model.output[_AVERAGE + NEXT]
        self._seen = activations(model, watched, examples)
        self._set_lanes()

    def weights(self, name: str) -> tuple[Array, Array]:
        kernel, bias = self._weights[name]
        return kernel, bias

    def relu_scale(self, name: str) -> float:
        return unsigned_scale(self._seen[name])

    def signed_scale(self, name: str) -> float:
        return signed_scale(self._seen[name])

    def first(self, name: str, coarse_step: float, age_step: float) -> tuple[Array, Array]:
        """A first convolution over 12 pixels in levels, 3 block means and 1 age in these steps.

        In Keras it sees 12 bands, 3 coarse bands, and the age.
        """
        kernel, bias = self.weights(name)
        means = self.transform.reshape(4, 3, BANDS)[..., :3].sum(axis=0)  # (BGR, coarse bands)
        parts = [
            np.einsum("pb,hwbf->hwpf", self.transform / 255, kernel[:, :, :BANDS]),
            np.einsum("cb,hwbf->hwcf", means / 255 * coarse_step, kernel[:, :, BANDS : BANDS + 3]),
            kernel[:, :, BANDS + 3 :] * age_step,
        ]
        return np.concatenate(parts, axis=2).astype(np.float32), bias

    def _set_lanes(self) -> None:
        """Steps and centres of the 16 lanes the bands travel in, and the step of the correction.

        Brightness takes three lanes, each for a third of its range: what saturates in one goes on
        in the next, so the difference of two values is the sum over its lanes, three times as fine.
        The other bands take one each, as wide as calibration says; what both the picture and the
        average have beyond it cancels, so strong edges pass as they are.
        """
        picture, logits = np.split(self._seen["head"], 2, axis=1)
        average = self._seen["average"]
        share = 1 / (1 + np.exp(logits))  # (1 - mask)
        bright = np.sqrt(3) / _BRIGHT / 255
        self.bands = np.array([0] * _BRIGHT + list(range(1, BANDS)))
        self.centres = np.zeros(len(self.bands), np.float32)
        self.centres[:_BRIGHT] = (np.arange(_BRIGHT) * 255 + 128) * bright
        self.steps = np.full(len(self.bands), bright, np.float32)
        for lane in range(_BRIGHT, len(self.bands)):
            band = self.bands[lane]
            samples = picture[:, band], average[:, band], share[:, band]
            largest = float(np.abs(np.concatenate(samples[:2])).max()) + 1e-6
            candidates = largest / 127 * np.geomspace(0.02, 1, 40)
            errors = [_rounding_error(*samples, step) for step in candidates]
            self.steps[lane] = candidates[int(np.argmin(errors))]
        c, m = (
            np.clip((v[:, self.bands] - self.centres) / self.steps, -128, 127) for v in (picture, average)
        )
        self.correction_scale = signed_scale(share[:, self.bands] * (c - m))


def _rounding_error(picture: Array, average: Array, share: Array, step: float) -> float:
    """Mean squared error that bytes of `step` leave in share * (picture - average)."""
    c, m = (np.clip(np.rint(v / step), -128, 127) for v in (picture, average))
    difference = np.clip(c - m, -128, 127) * step
    return float(np.square(share * (difference - (picture - average))).mean())


def _gate(graph: Graph, network: _Network, change: str, coarse: str, count: str, heights: _Heights) -> str:
    """How much of each block has moved, (1, 1, H/2, W/2) float."""
    age = graph.op("Reciprocal", graph.op("Max", count, graph.number(1)))
    parts = (
        graph.quantize(change, 1, 128),
        graph.quantize(coarse, 2, 128),
        graph.quantize(age, 1 / 127, 128),
    )
    x = Bytes(_side_by_side(graph, parts, heights), 1, 128)
    kernel, bias = network.first("gate_1", 2, 1 / 127)
    x = graph.convolution(x, kernel, bias, network.relu_scale("gate_1"), strides=2, groups=_ALIKE)
    x = graph.convolution(x, *network.weights("gate_2"), network.relu_scale("gate_2"))
    x = graph.convolution(x, *_padded(*network.weights("gate_out")), _LOGITS, 128)
    planes = graph.transpose(graph.reshape(x.name, -1, _WIDE), 1, 0)
    even, odd, _ = graph.split(planes, (2, 2, _WIDE - 4), 0)  # a block's rows, two columns each
    rows = [graph.reshape(graph.transpose(row, 1, 0), heights.quarter, 1, -1) for row in (even, odd)]
    logits = graph.reshape(graph.concat(*rows, axis=1), 1, 1, heights.half, -1)
    return graph.op("Sigmoid", graph.dequantize(Bytes(logits, x.scale, x.zero)))


def _correction(graph: Graph, network: _Network, seen: Bytes, heights: _Heights) -> Bytes:
    """(1, H/2, W/2, 16): what to add to the average's 12 pixels, in levels around 128."""
    features = _features(graph, network, seen, heights)
    kernel, bias = network.weights("head")
    lanes, steps, centres = network.bands, network.steps, network.centres
    to_lanes = np.zeros((1, 1, _WIDE, len(lanes)), np.float32)
    to_lanes[0, 0, :_PIXELS] = network.transform[:, lanes] / 255 / steps
    to_pixels = np.zeros((1, 1, _WIDE, _PIXELS), np.float32)
    to_pixels[0, 0, : len(lanes)] = 255 * np.linalg.inv(network.transform)[lanes] * steps[:, None]

    picture = graph.convolution(
        features, *_padded(kernel[..., lanes] / steps, (bias[lanes] - centres) / steps), 1, 128
    )
    minus_average = graph.convolution(seen, *_padded(-to_lanes, centres / steps), 1, 128)
    difference = graph.add(picture, minus_average, 1, 128)
    masks = BANDS + lanes
    logits = graph.convolution(features, *_padded(-kernel[..., masks], -bias[masks]), _LOGITS, 128)
    masked = graph.multiply(difference, graph.sigmoid(logits), network.correction_scale, 128)
    return graph.convolution(masked, *_padded(to_pixels, np.zeros(_PIXELS, np.float32)), 1, 128)


def _features(graph: Graph, network: _Network, seen: Bytes, heights: _Heights) -> Bytes:
    """The encoder-decoder, from what is seen to what the head reads."""

    def convolve(x: Bytes, name: str, strides: int = 1) -> Bytes:
        return graph.convolution(x, *network.weights(name), network.relu_scale(name), strides=strides)

    def blocks(x: Bytes, level: str, after: str) -> Bytes:
        for index in range(1, network.blocks + 1):
            inner = convolve(x, f"{level}_block_{index}_1")
            name = f"{level}_block_{index}_2"
            step = network.signed_scale(name)
            inner = graph.convolution(inner, *network.weights(name), step, 128)
            following = f"{level}_block_{index + 1}_1" if index < network.blocks else after
            x = graph.add(x, inner, network.relu_scale(f"{following} in"))
        return x

    def up(x: Bytes, skip: Bytes, level: str, height: int | str, after: str) -> Bytes:
        """Twice the size, plus `skip`, for the layer `after`; `height` is the larger one."""
        kernel, bias = network.weights(f"{level}_up")
        step, filters = network.signed_scale(f"{level}_up"), len(bias) // 4
        rows = [
            graph.reshape(
                graph.convolution(x, k, b, step, 128).name, 1, heights.half_of(graph, height), 1, -1
            )
            for k, b in zip(np.split(kernel, 2, axis=3), np.split(bias, 2), strict=True)
        ]
        larger = graph.reshape(graph.concat(*rows, axis=2), 1, height, -1, filters)
        return graph.add(Bytes(larger, step, 128), skip, network.signed_scale(f"{after} in"), 128)

    kernel, bias = network.first("half_in", 1, 1 / 255)
    half = graph.convolution(seen, kernel, bias, network.relu_scale("half_in"), groups=_ALIKE)
    quarter = convolve(convolve(half, "quarter_down", 2), "quarter_in")
    quarter = blocks(quarter, "quarter", "eighth_down")
    eighth = convolve(convolve(convolve(quarter, "eighth_down", 2), "eighth_1"), "eighth_2")
    eighth = blocks(eighth, "eighth", "quarter_up")
    quarter = convolve(up(eighth, quarter, "quarter", heights.quarter, "quarter_out"), "quarter_out")
    if not network.fine:
        return up(quarter, half, "half", heights.half, "head")
    return convolve(up(quarter, half, "half", heights.half, "half_out"), "half_out")


class _Heights:
    """H, H/2, H/4 of the padded frame: numbers, or names of (1,) int64 tensors."""

    def __init__(self, full: int | str, half: int | str, quarter: int | str, eighth: int | str) -> None:
        self.full, self.half, self.quarter, self.eighth = full, half, quarter, eighth

    def half_of(self, graph: Graph, height: int | str) -> int | str:
        return {self.half: self.quarter, self.quarter: self.eighth}[height]


def _pad(graph: Graph, frame: str, size: Size) -> tuple[str, _Heights]:
    """Reflect the frame over its lower and right edges up to a multiple of the stride."""
    if size is not None:
        height, width = (-(-side // STRIDE) * STRIDE for side in size)
        heights = _Heights(height, height // 2, height // 4, height // 8)
        if (height, width) == size:
            return frame, heights
        margins = graph.integers(0, 0, 0, 0, 0, height - size[0], width - size[1], 0)
        return graph.op("Pad", frame, margins, mode="reflect"), heights
    sides = graph.op("Shape", frame)
    stride, none = graph.integers(1, STRIDE, STRIDE, 1), graph.integers(0, 0, 0, 0)
    over = graph.op("Mod", sides, stride)
    margins = graph.op("Mod", graph.op("Sub", stride, over), stride)
    padded = graph.op("Pad", frame, graph.concat(none, margins, axis=0), mode="reflect")
    height = graph.split(graph.op("Add", sides, margins), (1, 1, 1, 1), 0)[1]
    fractions = [graph.op("Div", height, graph.integers(divisor)) for divisor in (2, 4, 8)]
    return padded, _Heights(height, *fractions)


def _to_planes(graph: Graph, frame: str, heights: _Heights) -> str:
    """(1, H, W, 3) -> (1, 12, H/2, W/2), bytes."""
    rows = graph.split(graph.reshape(frame, heights.half, 2, -1), (1, 1), 1)
    planes = [graph.transpose(graph.reshape(row, -1, 6), 1, 0) for row in rows]
    return graph.concat(*(graph.reshape(p, 1, 6, heights.half, -1) for p in planes), axis=1)


def _to_frame(graph: Graph, x: Bytes, heights: _Heights, size: Size, frame: str) -> str:
    """(1, H/2, W/2, 16), of which 12 are pixels -> (1, H, W, 3), the padding cut off."""
    even, odd, _ = graph.split(graph.reshape(x.name, heights.half, -1, _WIDE), (6, 6, _WIDE - 12), 2)
    rows = (graph.reshape(row, heights.half, 1, -1) for row in (even, odd))
    whole = graph.reshape(graph.concat(*rows, axis=1), 1, heights.full, -1, 3)
    if size is None:
        ends, starts = graph.op("Shape", frame), graph.integers(0, 0, 0, 0)
        return graph.op("Slice", whole, starts, ends)
    if any(side % STRIDE for side in size):
        return graph.op("Slice", whole, graph.integers(0, 0), graph.integers(*size), graph.integers(1, 2))
    return whole


def _block_means(graph: Graph, levels: str, heights: _Heights) -> str:
    """(1, 12, H/2, W/2) -> each block's mean in B, G and R, (1, 3, H/2, W/2) float."""
    mean = graph.constant(np.tile(np.eye(3, dtype=np.float32) / 4, 4))
    return graph.reshape(graph.op("MatMul", mean, graph.reshape(levels, 12, -1)), 1, 3, heights.half, -1)


def _side_by_side(graph: Graph, parts: tuple[Bytes, ...], heights: _Heights) -> str:
    """Planes one after another, then channels last: (1, H/2, W/2, 16)."""
    together = graph.concat(*(part.name for part in parts), axis=1)
    turned = graph.transpose(graph.reshape(together, _WIDE, -1), 1, 0)
    return graph.reshape(turned, 1, heights.half, -1, _WIDE)


def _padded(kernel: Array, bias: Array) -> tuple[Array, Array]:
    """Filters of nothing up to 16."""
    more = _WIDE - len(bias)
    return np.pad(kernel, [(0, 0)] * 3 + [(0, more)]), np.pad(bias, (0, more))
