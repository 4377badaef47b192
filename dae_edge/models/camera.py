"""What camera a frame is from, told by how its pixels depend on their neighbours; and how loud its noise is.

A demosaic fills in two colours of three: where it did, a pixel is the mean of its neighbours, noise and all.
So a 2 x 2 block shows which of its pixels were measured, and smoothing, sharpening and compression show in
the same way. Over a whole frame that is seen where only a few pixels are looked at, and it hardly depends on
what the frame shows. The network is told through thresholds of its layers: a few numbers a frame.

After Popescu and Farid, "Exposing digital forgeries in color filter array interpolated images" (IEEE TSP
2005), who find by it what was pasted in, and Hu et al., "Squeeze-and-excitation networks" (CVPR 2018), who
scale channels by what their means over a whole picture say.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from keras import KerasTensor, layers, ops
from numpy.typing import NDArray

from dae_edge.models.bands import BANDS, block_transform

FILTERS = 32
TAPS = 3  # blocks a side that a filter sees
# Blocks from one place that is looked at to the next, down and across. Down, 8 would meet the 16 pixels of a
# JPEG's squares at the same row each time, and another code with it: clean input lost 0.3 dB.
APART = (12, 4)
LISTENED = (32, 8)  # the same where noise is listened to, in pixels
PATCH, PATCHES = 8, (64, 16)  # pixels a side that are taken together where broad noise is, and how far apart
COMPARED = (64, 8)  # the same where changes are held against what a frame or memory shows
LIGHTS = (0.0, 0.08, 0.2, 0.45)  # brightnesses by which noise is told, of 1 for white
SCARCE = 0.02  # share of a frame that has to be as bright for its noise to count half
FINEST = 1 / 4  # of a pixel: all weights are multiples of it
LOUDEST = 0.25  # edges of what is shown count as this much
QUIETEST = 1 / 510  # half a grey level: what rounding the frame did
MIDDLE = -4.0  # of the logarithms, about
ORDERS = ("RGGB", "GRBG", "GBRG", "BGGR")  # of colours in a 2 x 2 block that a mosaic may have
MOSAICS = 1 + 2 * len(ORDERS)  # that are told apart: none that is seen, one of those, or one that is whole
# How clearly a mosaic is seen: without one 0 to 0.2, through `webcam` 0.2 to 0.65, in `dark` 1.0 to 1.5; in
# `dim`, over which no JPEG went, 7 to 10.
SURE, WHOLE = 0.75, 2.2
THRESHOLDS, TOLD = "_camera", "_told"  # behind a convolution's name: what it is told, and what comes of it


def heard(bands: KerasTensor, apart: tuple[int, int] = APART) -> KerasTensor:
    """(B, H/2, W/2, 12) bands of a frame -> (B, 1, 1, 32): how much each filter finds, a logarithm."""
    texture = layers.Conv2D(FILTERS, TAPS, apart, use_bias=False, trainable=False, name="texture")(bands)
    strength = ops.mean(ops.minimum(ops.abs(texture), LOUDEST), axis=(1, 2), keepdims=True)
    return ops.log(strength + QUIETEST) - MIDDLE


def mosaic(heard: KerasTensor) -> KerasTensor:
    """(B, 1, 1, 32) what the filters find -> (B, 1, 1, 9): 1 for the mosaic that is seen, 0 for all others.

    None comes first, then those of `ORDERS` that are seen, then those that are whole.
    """
    scores = ops.matmul(heard, mosaic_scores())
    clear = ops.max(scores, axis=-1, keepdims=True)
    none, whole, order = (ops.cast(x, "float32") for x in (clear <= SURE, clear >= WHOLE, scores >= clear))
    return ops.concatenate([none, (1 - none - whole) * order, whole * order], axis=-1)


def loudness(changes: KerasTensor, age: KerasTensor, block: int) -> KerasTensor:
    """(B, h, w, C) changes of bands, (B, h, w, n) ages -> (B, 1, 1, C + n + C): how loud and uneven noise is.

    By band, of blocks of `block` pixels a side. Loud by the mean of logarithms: what moves is louder, but in
    fewer places. Uneven by what the logarithm of the mean is above that: 0.4 for Gaussian noise, more for
    what moves. A first frame changes from nothing, and its age says so; its finest bands are mostly noise.
    """
    down, across = (pixels // block for pixels in LISTENED)
    changes, age = (x[:, ::down, ::across] for x in (changes, age))
    loud, uneven = _loud_and_uneven(changes)
    return ops.concatenate([loud, 2 * ops.mean(age, axis=(1, 2), keepdims=True), uneven], axis=-1)


def noise_curve(changes: KerasTensor, shown: KerasTensor, block: int) -> KerasTensor:
    """(B, h, w, C) changes of bands, (B, h, w, 1) brightness -> (B, 1, 1, 4 * C): how loud noise is by light.

    By the brightnesses of `LIGHTS`, then by band, against its loudness everywhere: gamma makes the noise of
    what is black louder than any other, tone curves and JPEG less so. 0 for what a frame does not show.
    """
    down, across = (pixels // block for pixels in COMPARED)
    changes, shown = (x[:, ::down, ::across] for x in (changes, shown))
    loud = ops.log(ops.abs(changes) + QUIETEST)
    excess = loud - ops.mean(loud, axis=(1, 2), keepdims=True)
    ramps = [ops.clip((shown - darker) / (lighter - darker), 0, 1) for darker, lighter in pairwise(LIGHTS)]
    shares = [1 - ramps[0], *(a - b for a, b in pairwise(ramps)), ramps[-1]]

    def mean(x: KerasTensor) -> KerasTensor:
        return ops.mean(x, axis=(1, 2), keepdims=True)

    return ops.concatenate([mean(share * excess) / (mean(share) + SCARCE) for share in shares], axis=-1)


def broad_loudness(changes: KerasTensor, block: int) -> KerasTensor:
    """(B, h, w, C) changes of bands -> (B, 1, 1, C + C): loud and uneven as `loudness`, over `PATCH` pixels.

    White noise is quiet there. What is as wide as a few pixels (a JPEG's, an enlarged picture's) is not, and
    takes a wide look to be told from motion.
    """
    apart = tuple(pixels // block for pixels in PATCHES)
    means = ops.average_pool(changes, PATCH // block, strides=apart, padding="valid")
    return ops.concatenate(_loud_and_uneven(means), axis=-1)


def novelty(bands: KerasTensor, changes: KerasTensor, block: int) -> KerasTensor:
    """(B, h, w, C) bands of a frame and their changes -> (B, 1, 1, C): how much of what a frame shows is new.

    By band, from steps between neighbouring blocks: twice the logarithm of those of changes against the
    frame's own. What stands still changes by its noise alone, which is at most as large as what is shown
    (0.7 more where memory is one frame, as that is as noisy); what moves changes by its texture too. Unlike
    loudness it is the same for noise of any kind.
    """
    down, across = (pixels // block for pixels in COMPARED)

    def loud(x: KerasTensor) -> KerasTensor:
        steps = ops.abs(x[:, ::down, 1::across] - x[:, ::down, ::across])
        return ops.mean(ops.log(steps + QUIETEST), axis=(1, 2), keepdims=True)

    return 2 * (loud(changes) - loud(bands))


def _loud_and_uneven(changes: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    change = ops.abs(changes)
    loud, mean = (ops.mean(x, axis=(1, 2), keepdims=True) for x in (ops.log(change + QUIETEST), change))
    return loud - MIDDLE, ops.log(mean + QUIETEST) - loud


def code_of(numbers: KerasTensor, size: int, name: str) -> KerasTensor:
    """(B, 1, 1, n) -> (B, 1, 1, size), what `told` passes on."""
    return layers.Dense(size, activation="relu", name=name)(numbers)


def told(x: KerasTensor, code: KerasTensor, name: str, precision: str = "float32") -> KerasTensor:
    """What the convolution `name` gives, less thresholds that depend on the camera; all 0 at first.

    Less, not more: of a sum tf2onnx makes a second bias, which no runtime reads.
    """
    thresholds = layers.Dense(
        x.shape[-1], use_bias=False, kernel_initializer="zeros", dtype=precision, name=name + THRESHOLDS
    )(code)
    return layers.Subtract(dtype=precision, name=name + TOLD)([x, thresholds])


def texture() -> NDArray[np.float32]:
    """(3, 3, 12, 32): each pixel of a block against the mean of its neighbours, in bands.

    Of each colour against left and right, and above and below; of green against all four as well; and of red
    less blue against those two pixels away, which no demosaic fills in from.
    """
    across, down = ((0, -1), (0, 1)), ((-1, 0), (1, 0))
    around = across + down
    far = tuple((2 * row, 2 * column) for row, column in around)
    kernels = []
    for place in ((2, 2), (2, 3), (3, 2), (3, 3)):  # the middle block of 3 x 3
        near = [(0, across), (0, down), (1, across), (1, down), (1, around), (2, across), (2, down)]  # BGR
        kernels += [_against(place, neighbours, colour) for colour, neighbours in near]
        kernels.append(_against(place, far, 2) - _against(place, far, 0))
    blocks = np.stack(kernels, axis=-1).reshape(TAPS, 2, TAPS, 2, 3, FILTERS).transpose(0, 2, 1, 3, 4, 5)
    to_pixels = np.linalg.inv(block_transform())  # (12 bands, 12 pixels)
    over_bands = np.einsum("bp,ijpf->ijbf", to_pixels, blocks.reshape(TAPS, TAPS, BANDS, FILTERS))
    return over_bands.astype(np.float32)


def mosaic_scores() -> NDArray[np.float32]:
    """(32, 4) from what `texture` finds to how much it looks like a mosaic of each of `ORDERS`.

    Where green was measured it is further from its neighbours than where it was filled in. Beside it, in a
    row with red, red was measured left and right and blue above and below: red is nearer to the former, blue
    to the latter. Of 1,627 bare cameras drawn, three demosaics and half of them JPEG, the highest score names
    98.6 % right from 320 x 320 pixels.
    """
    green = np.array([0, 0, 1, 1, 1, 0, 0, 0], np.float32)  # in the order of `texture`'s seven and one
    with_red = np.array([1, -1, 0, 0, 0, -1, 1, 0], np.float32)
    scores = np.zeros((4, 8, len(ORDERS)), np.float32)
    for number, order in enumerate(ORDERS):
        for place, colour in enumerate(order):
            if colour == "G":
                in_red_row = "R" in order[place // 2 * 2 : place // 2 * 2 + 2]
                scores[place, :, number] = green + (with_red if in_red_row else -with_red)
            else:
                scores[place, :, number] = -green
    return (scores - scores.mean(axis=0)).reshape(FILTERS, len(ORDERS))


def _against(
    place: tuple[int, int], neighbours: tuple[tuple[int, int], ...], colour: int
) -> NDArray[np.float64]:
    kernel = np.zeros((2 * TAPS, 2 * TAPS, 3))
    kernel[(*place, colour)] = 1
    for down, across in neighbours:
        kernel[place[0] + down, place[1] + across, colour] -= 1 / len(neighbours)
    return kernel
