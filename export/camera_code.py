"""What layers are told in an 8-bit graph: `models.camera` on the frame's bytes, a few floats behind it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.export.block_planes import Heights, Padded
from dae_edge.export.calibrated import Array, Calibrated
from dae_edge.export.lowlight_weights import Network
from dae_edge.export.onnx_graph import FLOAT, INT64, Bytes, Graph
from dae_edge.models.camera import (
    COMPARED,
    FILTERS,
    FINEST,
    LIGHTS,
    LISTENED,
    LOUDEST,
    MIDDLE,
    ORDERS,
    PATCH,
    PATCHES,
    QUIETEST,
    SCARCE,
    SURE,
    TAPS,
    WHOLE,
    mosaic_scores,
)
from dae_edge.models.lowlight import STRIDE

_SIDE = 2 * TAPS  # in pixels
_FAR = np.iinfo(np.int64).max  # beyond every end
_ENOUGH = 360  # rows of a frame: in larger ones noise is listened to in about as many rows as in that one


def heard(graph: Graph, network: Network, frame: Padded, heights: Heights) -> str:
    """The frame's bytes -> (32,) float: how much each filter finds.

    In whole numbers of the filters' finest weight, none of them rounded: where there is next to no noise a
    quarter of a grey level says what camera it is. Rounded to half levels, clean pictures lost 2 dB. What the
    filters see are squares side by side, so this is a product of matrices; `ConvInteger` takes twice as long.
    """
    step = FINEST / 255
    down, across = (2 * blocks for blocks in network.model.model.get_layer("texture").strides)
    corner, ends, every = (0, 0), (_FAR, _SIDE), (down // STRIDE, 1)

    def some_rows(frame: str) -> str:
        eighths = graph.reshape(frame, heights.eighth, STRIDE, -1)
        return graph.op("Slice", eighths, *(graph.integers(*x) for x in (corner, ends, (0, 1), every)))

    rows = frame.through(some_rows)
    squares = graph.transpose(graph.reshape(rows, 0, _SIDE, -1, 3 * across), 0, 2, 1, 3)  # 0: as it is
    whole = graph.op(
        "MatMulInteger",
        graph.reshape(squares, -1, _SIDE * 3 * across),
        graph.constant(_weights(network, across)),
    )
    loud = graph.op("Min", graph.op("Abs", graph.op("Cast", whole, to=FLOAT)), graph.number(LOUDEST / step))
    mean = graph.op("Mul", _mean_of_rows(graph, loud), graph.number(step))
    strength = graph.op("Add", mean, graph.number(QUIETEST))
    return graph.op("Sub", graph.op("Log", strength), graph.number(MIDDLE))


def mosaic(graph: Graph, heard: str) -> str:
    """(32,) float -> (1,) int64: which of the mosaics that are told apart is seen."""
    scores = graph.op("MatMul", heard, graph.constant(mosaic_scores()))
    sure, whole = (graph.constant(np.array([clear], np.float32)) for clear in (SURE, WHOLE))
    order = graph.op("ArgMax", graph.concat(sure, scores, axis=0), axis=0, keepdims=1)
    clear = graph.op("ReduceMax", scores, axes=[0], keepdims=1)
    whole = graph.op("Cast", graph.op("GreaterOrEqual", clear, whole), to=INT64)
    return graph.op("Add", order, graph.op("Mul", whole, graph.integers(len(ORDERS))))


def loudness(graph: Graph, changes: str, ages: str, to_bands: NDArray[np.floating]) -> str:
    """(n, planes) changes in levels and (n, k) ages, both floats -> (bands + k + bands,): how loud noise is.

    And how uneven. `to_bands` (planes, bands) from levels.
    """
    loud, uneven = _loud_and_uneven(graph, changes, to_bands)
    return graph.concat(loud, _mean_of_rows(graph, graph.op("Add", ages, ages)), uneven, axis=0)


def noise_curve(
    graph: Graph, changes: str, shown: str, to_bands: NDArray[np.floating], to_light: NDArray[np.floating]
) -> str:
    """(n, planes) changes and what memory shows, in levels, -> (4 * bands,): how loud noise is by light.

    `to_bands` (planes, bands) and `to_light` (planes,) from levels.
    """
    bands = graph.op("MatMul", changes, graph.constant(to_bands.astype(np.float32)))
    loud = _logarithm(graph, graph.op("Abs", bands))
    excess = graph.op("Sub", loud, _mean_of_rows(graph, loud))
    darker, lighter = np.array(LIGHTS[:-1]), np.array(LIGHTS[1:])
    to_ramps = to_light[:, None] / (lighter - darker)
    ramps = graph.op("MatMul", shown, graph.constant(to_ramps.astype(np.float32)))
    ramps = graph.op("Sub", ramps, graph.constant((darker / (lighter - darker)).astype(np.float32)))
    ramps = graph.op("Clip", ramps, graph.number(0), graph.number(1))
    first = np.eye(len(LIGHTS), dtype=np.float32)  # all of it, which each ramp takes one further
    shares = graph.op("MatMul", ramps, graph.constant(first[1:] - first[:-1]))
    shares = graph.op("Add", shares, graph.constant(first[0]))
    sums = graph.op("MatMul", graph.transpose(shares, 1, 0), excess)
    means = graph.op("Div", sums, graph.op("Cast", _rows(graph, excess), to=FLOAT))
    known = graph.op("Add", _mean_of_rows(graph, shares), graph.number(SCARCE))
    return graph.reshape(graph.op("Div", means, graph.reshape(known, -1, 1)), -1)


def broad_loudness(graph: Graph, changes: str, block: int, to_bands: NDArray[np.floating]) -> str:
    """(1, planes, h, w) changes in levels, of blocks of `block` pixels -> (bands + bands,), over patches."""
    planes = len(to_bands)
    side, apart = PATCH // block, [pixels // block for pixels in PATCHES]
    means = graph.op("AveragePool", changes, kernel_shape=[side, side], strides=apart)
    of_patches = graph.transpose(graph.reshape(means, planes, -1), 1, 0)
    return graph.concat(*_loud_and_uneven(graph, of_patches, to_bands), axis=0)


def novelty(
    graph: Graph,
    planes: str,
    changes: str,
    axis: int,
    block: int,
    heights: Heights,
    to_bands: NDArray[np.floating],
) -> str:
    """Bytes and their float changes in levels, rows and columns at `axis` and the next, -> (bands,)."""
    down = _rows_apart(graph, COMPARED[0] // block, heights)
    weights = graph.constant(to_bands.astype(np.float32))

    def loud(x: str) -> str:
        steps = _steps(graph, x, axis, down, COMPARED[1] // block, len(to_bands))
        return _logarithm(graph, graph.op("Abs", graph.op("MatMul", steps, weights)))

    both = _mean_of_rows(graph, graph.concat(loud(changes), loud(planes), axis=1))
    changed, shown = graph.split(both, (to_bands.shape[1],) * 2, 0)
    new = graph.op("Sub", changed, shown)
    return graph.op("Add", new, new)


def _steps(graph: Graph, x: str, axis: int, down: int | str, across: int, planes: int) -> str:
    """(1, planes, h, w) or, with `axis` 1, (1, h, w, planes) -> (n, planes) float, from block to block.

    Of every `down`-th row, in groups of `across` blocks. Two columns of each are cut out at once: strided
    cuts are taken value by value.
    """
    groups = graph.reshape(x, *[0] * axis, 0, -1, across, *[planes] * (axis == 1))  # 0: as it is
    ends, apart = graph.integers(_FAR, 2), graph.whole(down, 1)
    pairs = graph.op("Slice", groups, graph.integers(0, 0), ends, graph.integers(axis, axis + 2), apart)
    first, second = graph.split(graph.op("Cast", pairs, to=FLOAT), (1, 1), axis + 2)
    steps = graph.op("Sub", second, first)
    if axis == 1:
        return graph.reshape(steps, -1, planes)
    return graph.transpose(graph.reshape(steps, planes, -1), 1, 0)


def _loud_and_uneven(graph: Graph, changes: str, to_bands: NDArray[np.floating]) -> tuple[str, str]:
    bands = graph.op("Abs", graph.op("MatMul", changes, graph.constant(to_bands.astype(np.float32))))
    both = graph.concat(_logarithm(graph, bands), bands, axis=1)
    loud, mean = graph.split(_mean_of_rows(graph, both), (to_bands.shape[1],) * 2, 0)
    return loud, graph.op("Sub", _logarithm(graph, mean), loud)


def _logarithm(graph: Graph, x: str) -> str:
    return graph.op("Sub", graph.op("Log", graph.op("Add", x, graph.number(QUIETEST))), graph.number(MIDDLE))


def listened(
    graph: Graph,
    x: str,
    axis: int,
    block: int,
    heights: Heights,
    places: tuple[int, int] = LISTENED,
) -> str:
    """Where noise is listened to: some rows and columns of `x`, its axes `axis` and the next, in blocks of
    `block` pixels a side; every `places` pixels down and across, in large frames fewer rows."""
    down, across = (pixels // block for pixels in places)
    return some(graph, x, axis, _rows_apart(graph, down, heights), across)


def some(graph: Graph, x: str, axis: int, down: int | str, across: int) -> str:
    """Every `down`-th row and `across`-th column of `x`, its axes `axis` and the next."""
    ends = graph.integers(0, 0), graph.integers(_FAR, _FAR)
    return graph.op("Slice", x, *ends, graph.integers(axis, axis + 1), graph.whole(down, across))


def _rows_apart(graph: Graph, rows: int, heights: Heights) -> int | str:
    """`rows`, or a multiple where there are more than enough of them.

    Hardly any are in the cache when they are cut out: of 1280 x 720 half of them were 2 % of all time.
    """
    if isinstance(heights.full, int):
        return rows * max(heights.full // _ENOUGH, 1)
    times = graph.op("Max", graph.op("Div", heights.full, graph.integers(_ENOUGH)), graph.integers(1))
    return graph.op("Mul", times, graph.integers(rows))


def code_of(graph: Graph, network: Calibrated, name: str, numbers: str) -> str:
    """(n,) float -> (code,) float: what the model's layer `name` makes of it."""
    kernel, bias = network.model.model.get_layer(name).get_weights()
    mixed = graph.op("MatMul", numbers, graph.constant(kernel))
    return graph.op("Relu", graph.op("Add", mixed, graph.constant(bias)))


def _mean_of_rows(graph: Graph, x: str) -> str:
    """(n, F) -> (F,), as a product of matrices: `ReduceMean` takes longer."""
    rows = _rows(graph, x)
    ones = graph.op("ConstantOfShape", rows, value=graph.scalar(1.0))
    return graph.op("Div", graph.op("MatMul", ones, x), graph.op("Cast", rows, to=FLOAT))


def _rows(graph: Graph, x: str) -> str:
    """(n, F) -> (1,) int64: n."""
    rows, _ = graph.split(graph.op("Shape", x), (1, 1), 0)
    return rows


def row(graph: Graph, code: str, kernel: Array, step: float, like: Bytes) -> Bytes:
    """(code,) times (code, F) -> (1, 1, w, F) bytes around 128, the same all along, for `like` (1, h, w, F).

    As long as a row, as onnxruntime adds a few channels at a time seven times slower.
    """
    told = graph.op("MatMul", code, graph.constant(kernel.astype(np.float32)))
    one = graph.quantize(graph.reshape(told, 1, 1, 1, -1), step, 128)
    sides = graph.op("Mul", graph.op("Shape", like.name), graph.integers(1, 0, 1, 1))
    along = graph.op("Expand", one.name, graph.op("Max", sides, graph.integers(1, 1, 1, 1)))
    return Bytes(along, step, 128)


def told(graph: Graph, network: Calibrated, x: Bytes, name: str, code: str) -> Bytes:
    """The convolution `name`, thresholds by the code, a ReLU.

    Added, not in the bias: with one that is not constant onnxruntime takes more than twice as long.
    """
    how = network.told(name)
    x = graph.convolution(x, *network.weights(name), how.scale, how.zero, seen=network.moments(name))
    return graph.add(x, row(graph, code, -how.kernel, how.step, x), network.relu_scale(name))


def _weights(network: Network, across: int) -> NDArray[np.int8]:
    """(6 * across * 3, F), over a square's pixels instead of bands, in their finest weight."""
    blocks = np.einsum("pb,ijbf->ijpf", network.transform, network.kernel("texture"))
    pixels = blocks.reshape(TAPS, TAPS, 2, 2, 3, FILTERS).transpose(0, 2, 1, 3, 4, 5)
    pixels = np.rint(pixels.reshape(_SIDE, _SIDE, 3, FILTERS) / FINEST)
    padded = np.pad(pixels, [(0, 0), (0, across - _SIDE), (0, 0), (0, 0)])
    return padded.reshape(-1, FILTERS).astype(np.int8)
