"""What to add to the average: the masked difference of a clean picture and the average, in bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dae_edge.export.calibrated import Array
from dae_edge.export.moments import Moments
from dae_edge.export.onnx_graph import LOGITS, Bytes, Graph
from dae_edge.export.ranges import Samples

_ROOM = 1.5  # other frames have more noise than those calibrated on, and what is cut off stays as spots
_FINEST = 1 / 510 / 12**0.5  # of a band: what a frame's own rounding to levels does to it


@dataclass(frozen=True)
class Head:
    """The last layers, and how finely their result is rounded.

    picture:  kernel (h, w, C, bands) and bias of the convolution that gives the clean picture
    mask:     the same of the mask's logits
    features: moments of what both see
    to_bands: (seen, bands) from the average's planes, in levels as they are seen, to bands
    steps:    (bands,) of the difference
    """

    picture: tuple[Array, Array]
    mask: tuple[Array, Array]
    features: Moments
    to_bands: Array
    steps: Array


def steps(picture: Samples, average: Samples, mask: Samples) -> Array:
    """(bands,): the steps in which (1 - mask) * (picture - average) rounds best.

    All (examples, places, bands). Each example's error counts against its own power: a clip that has
    stood still for long needs fine steps as a first frame needs wide ones.
    """
    difference, share = picture - average, 1 - mask
    power = np.square(share * difference).mean(axis=1) + _FINEST**2  # (examples, bands)
    widest = np.abs(difference).max(axis=(0, 1)) / 127 + 1e-9
    candidates = widest * np.geomspace(0.05, 1, 40)[:, None]  # (40, bands)
    errors = []
    for step in candidates:
        rounded = np.clip(np.rint(difference / step), -128, 127) * step
        masked = np.rint(share * rounded / step) * step
        errors.append((np.square(masked - share * difference).mean(axis=1) / power).mean(axis=0))
    best = np.take_along_axis(candidates, np.argmin(errors, axis=0)[None], axis=0)[0]
    return (_ROOM * best).astype(np.float32)


def masked_difference(graph: Graph, features: Bytes, seen: Bytes, head: Head, filters: int) -> Bytes:
    """(1, h, w, filters): in band k `head.steps[k]` around 128, and nothing beyond the bands.

    Picture minus average is one convolution of features and planes side by side, so that only the
    difference has to fit in a byte and is rounded once: both may be anywhere. The average's weights are
    exact: a hundredth too little of it would be a hundredth of the picture.
    """
    channels = head.picture[0].shape[2]
    known = head.features.through(np.eye(channels) / features.scale).beside(channels, len(head.to_bands))
    both = Bytes(graph.concat(features.name, seen.name, axis=3))
    kernel, bias, own = _difference(features, seen, head)
    exact = np.pad(own, (0, filters - len(own)), constant_values=1)
    difference = graph.convolution(both, *padded(kernel, bias, filters), 1, 128, seen=known, exact=exact)
    closed = padded(-head.mask[0], -head.mask[1], filters)
    logits = graph.convolution(features, *closed, LOGITS, 128, seen=head.features)
    return graph.multiply(difference, graph.sigmoid(logits), 1, 128)


def _difference(features: Bytes, seen: Bytes, head: Head) -> tuple[Array, Array, Array]:
    """Kernel and bias over both as bytes, to steps; and each band's smallest weight of the average."""
    picture, offset = head.picture
    minus = np.zeros((*picture.shape[:2], *head.to_bands.shape), np.float32)
    minus[len(picture) // 2, len(picture) // 2] = -head.to_bands  # what is beyond the edges is never seen
    kernel = np.concatenate([picture * features.scale, minus * seen.scale], axis=2)
    bias = offset + seen.zero * seen.scale * head.to_bands.sum(axis=0)
    own = np.where(head.to_bands == 0, np.inf, np.abs(head.to_bands)).min(axis=0) * seen.scale
    kernel, bias, own = (np.asarray(part / head.steps, np.float32) for part in (kernel, bias, own))
    return kernel, bias, own


def padded(kernel: Array, bias: Array, filters: int) -> tuple[Array, Array]:
    """Filters of nothing up to a number that onnxruntime is fast at."""
    more = filters - len(bias)
    return (
        np.pad(kernel, [(0, 0)] * 3 + [(0, more)]).astype(np.float32),
        np.pad(bias, (0, more)).astype(np.float32),
    )
