"""What to add to the average: the masked difference of a clean picture and the average, in bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from dae_edge.export.calibrated import Array
from dae_edge.export.moments import Moments
from dae_edge.export.onnx_graph import UINT8, Bytes, Graph, columns_at_once
from dae_edge.export.ranges import SEARCHED, Samples

_ROOM = 1.6  # other frames have more noise than those calibrated on, and what is cut off stays as spots
_KEPT = 0.5  # of the largest calibrated on, at least: dark, vivid surfaces are off one way as a whole
_SLOPE = 1 / 6  # of a mask over its logits, which is a half at 0
_FINEST = 1 / 510 / 12**0.5  # of a band: what a frame's own rounding to levels does to it


@dataclass(frozen=True)
class Head:
    """The last layers, and how finely their result is rounded.

    picture:  kernel (h, w, C, given) and bias of the convolution that gives bands, then details
    mask:     the same of the mask's logits
    features: moments of what both see
    held:     (h, w, seen, given) each, what the picture is held against: from the average's planes, in levels
              as they are seen, to its bands and details; for each mosaic that is told apart
    planes:   moments of those planes
    bands:    how many of the given are bands
    steps:    (given,) of the difference
    """

    picture: tuple[Array, Array]
    mask: tuple[Array, Array]
    features: Moments
    held: tuple[Array, ...]
    planes: Moments
    bands: int
    steps: Array


def held_against(to_bands: Array, detail: Array) -> Array:
    """(h, w, seen, given) from the average's planes: (seen, bands) of them as they are, then `detail`
    (h, w, bands, details) of those."""
    rows, columns, bands, details = detail.shape
    kernel = np.zeros((rows, columns, len(to_bands), bands + details), np.float32)
    kernel[rows // 2, columns // 2, :, :bands] = to_bands
    kernel[..., bands:] = np.einsum("pb,hwbd->hwpd", to_bands, detail)
    return kernel


def steps(picture: Samples, held: Samples, mask: Samples, *, whole: bool = False) -> Array:
    """(given,): the steps in which (1 - mask) * (picture - held) rounds best; `whole`: none is cut off.

    All (examples, places, given). Each example's error counts against its own power: a clip that has
    stood still for long needs fine steps as a first frame needs wide ones.
    """
    difference, share = picture - held, 1 - mask
    widest = np.abs(difference).max(axis=(0, 1)) / 127 + 1e-9
    if whole:
        return widest.astype(np.float32)
    difference, share = difference[:, :SEARCHED], share[:, :SEARCHED]
    power = np.square(share * difference).mean(axis=1) + _FINEST**2  # (examples, given)
    candidates = widest * np.geomspace(0.05, 1, 40)[:, None]  # (40, given)
    errors = []
    for step in candidates:
        rounded = np.clip(np.rint(difference / step), -128, 127) * step
        masked = np.rint(share * rounded / step) * step
        errors.append((np.square(masked - share * difference).mean(axis=1) / power).mean(axis=0))
    best = np.take_along_axis(candidates, np.argmin(errors, axis=0)[None], axis=0)[0]
    return np.maximum(_ROOM * best, _KEPT * widest).astype(np.float32)


def mask_shares(logits: Samples) -> Samples:
    """Masks in [0, 1]."""
    return np.clip(0.5 + _SLOPE * logits, 0, 1).astype(np.float32)


def masked_difference(
    graph: Graph,
    features: Bytes,
    seen: Bytes,
    head: Head,
    filters: int,
    thresholds: Bytes | None = None,
    mosaic: str = "",
) -> Bytes:
    """(1, h, w, filters): of what is given the k-th in `head.steps[k]` around 128, and nothing beyond.

    Picture minus average is one convolution of features and planes side by side, so that only the
    difference has to fit in a byte and is rounded once: both may be anywhere. The weights of the average's
    bands are exact: a hundredth too little of it would be a hundredth of the picture. `thresholds` (1, 1, w,
    filters) of the mask are taken from its logits. `mosaic`, a whole number, says which of `head.held` holds:
    one convolution for each, as onnxruntime takes four times as long for weights that are not constant.
    """
    channels = head.picture[0].shape[2]
    known = head.features.through(np.eye(channels) / features.scale)
    known = known.joined(head.planes, channels, head.held[0].shape[2])
    both = Bytes(graph.concat(features.name, seen.name, axis=3))
    columns = columns_at_once(filters)
    together = range(columns * filters)

    def against(held: Array) -> str:
        kernel, bias, own = _difference(features, seen, head, held)
        exact = np.pad(own, (0, filters - len(own)), constant_values=1)
        kernel, bias = padded(kernel, bias, filters)
        made = graph.convolution(
            both, kernel, bias, 1, 128, columns=columns, order=together, seen=known, exact=exact
        )
        return made.name

    chosen = graph.one_of(mosaic, [partial(against, held) for held in head.held], UINT8)
    # Not in the branches: what one gives out in another shape than it was made in, onnxruntime copies.
    difference = graph.apart(Bytes(chosen, 1, 128), filters)
    return graph.multiply(difference, _opening(graph, features, head, filters, thresholds), 1, 128)


def _opening(graph: Graph, features: Bytes, head: Head, filters: int, thresholds: Bytes | None) -> Bytes:
    """(1, h, w, filters): 1 - mask. What is beyond all or nothing is beyond the byte."""
    kernel, bias = padded(-_SLOPE * head.mask[0], -_SLOPE * head.mask[1], filters)
    columns, step = columns_at_once(filters), 1 / 255
    if thresholds is None:
        opening = graph.convolution(features, kernel, bias, step, 128, columns=columns, seen=head.features)
    else:
        thresholds = replace(thresholds, scale=_SLOPE * thresholds.scale)
        wide = 0.5 / 127 + thresholds.scale  # room for what they bring back
        opening = graph.convolution(features, kernel, bias, wide, 128, columns=columns, seen=head.features)
        opening = graph.add(opening, thresholds, step, 128)
    return replace(opening, zero=0)  # so far from a half, which is the mask of 0


def _difference(features: Bytes, seen: Bytes, head: Head, held: Array) -> tuple[Array, Array, Array]:
    """Kernel and bias over both as bytes, to steps; and what each filter's weights of the average must be
    multiples of, infinity for anything."""
    picture, offset = head.picture
    assert seen.zero == 0 or picture.shape[:2] == (1, 1)  # beyond the edges both are the byte 0
    kernel = np.concatenate([picture * features.scale, -held * seen.scale], axis=2)
    bias = offset + seen.zero * seen.scale * held.sum(axis=(0, 1, 2))
    own = np.where(held == 0, np.inf, np.abs(held)).min(axis=(0, 1, 2)) * seen.scale
    own[head.bands :] = np.inf
    kernel, bias, own = (np.asarray(part / head.steps, np.float32) for part in (kernel, bias, own))
    return kernel, bias, own


def padded(kernel: Array, bias: Array, filters: int) -> tuple[Array, Array]:
    """Filters of nothing up to a number that onnxruntime is fast at."""
    more = filters - len(bias)
    return (
        np.pad(kernel, [(0, 0)] * 3 + [(0, more)]).astype(np.float32),
        np.pad(bias, (0, more)).astype(np.float32),
    )
