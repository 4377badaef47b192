"""What the wire did to the frames: whether they went through JPEG, and at which quality.

A decoded JPEG remembers its quantization: the DCT coefficients of its 8x8 blocks lie on multiples
of the steps (Fan and de Queiroz, "Identification of bitmap compression history", IEEE TIP 2003).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2

Stack = NDArray[np.uint8]

BLOCKY = 1.08  # steps across block borders against those within: beyond it, something coded 8x8 blocks
_SIDE = 8
_FRAMES, _BLOCKS, _BEST_BLOCKS = 24, 24000, 1500  # are looked at; of which so many are taken
_LOST = 6  # clipped pixels that a block may have
_LOW = 4  # coefficients a side that are looked at: the higher ones are mostly zero
_TELLING = 300  # coefficients that are not near zero
_SURE = 0.1  # mean cosine of a coefficient's phase: 1 on the grid, 0 off it
_WORST, _BEST = 20, 97  # above it the steps are too fine to be seen under 8-bit rounding

# ITU-T T.81 (JPEG), table K.1, which nearly every encoder scales.
_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56], [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)  # fmt: skip


def jpeg_quality(stack: Stack) -> int | None:
    """The quality, in libjpeg's scale, that (F, H, W, 3) frames were coded at; None if none shows."""
    coefficients = _coefficients(stack)
    if len(coefficients) < 50:
        return None
    scores = {quality: _score(coefficients, steps(quality)) for quality in range(_WORST, _BEST + 1)}
    best = max(scores, key=lambda quality: scores[quality])
    return best if scores[best] > _SURE else None


def steps(quality: int) -> NDArray[np.float64]:
    """(8, 8) quantization steps of brightness at a quality, as libjpeg scales them."""
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    return np.clip(np.floor((_LUMINANCE * scale + 50) / 100), 1, 255)


def _coefficients(stack: Stack) -> NDArray[np.float64]:
    """(n, 4, 4) low DCT coefficients of brightness, in the blocks with the fewest clipped pixels.

    Where decoding clipped a colour, the brightness that was coded is lost.
    """
    found, clipped = [], []
    basis = _basis()[:_LOW]
    for frame in stack[:: max(len(stack) // _FRAMES, 1)][:_FRAMES]:
        height, width = (side // _SIDE * _SIDE for side in frame.shape[:2])
        frame = frame[:height, :width]
        lost = ((frame == 0) | (frame == 255)).any(axis=2)
        count = _tiles(lost).sum(axis=(1, 2))
        best = np.argsort(count, kind="stable")[: _BLOCKS // _FRAMES]
        best = best[count[best] <= _LOST]
        luma = frame.astype(np.float64) @ (0.114, 0.587, 0.299) - 128
        found.append(basis @ _tiles(luma)[best] @ basis.T)
        clipped.append(count[best])
    order = np.argsort(np.concatenate(clipped), kind="stable")[:_BEST_BLOCKS]
    return np.concatenate(found)[order]


def _score(coefficients: NDArray[np.float64], quantization: NDArray[np.float64]) -> float:
    """How well coefficients lie on the multiples of the steps; steps of 1 and 2 say nothing.

    A coarse grid's divisors fit its multiples as well: so a fit counts for more the coarser it is.
    """
    grid = quantization[:_LOW, :_LOW]
    told = (np.abs(coefficients) > 0.5 * grid) & (grid > 2)  # near zero every grid fits
    told[:, 0, 0] = False  # one brightness all over is on the grid of all its divisors
    if told.sum() < _TELLING:
        return 0.0
    phase = np.cos(2 * np.pi * coefficients / grid)
    coarse = np.broadcast_to(grid, told.shape)[told].mean()
    return float(phase[told].mean() - 0.3 / np.sqrt(coarse))


def _tiles(plane: NDArray[np.generic]) -> NDArray[np.generic]:
    rows, columns = plane.shape[0] // _SIDE, plane.shape[1] // _SIDE
    return plane.reshape(rows, _SIDE, columns, _SIDE).swapaxes(1, 2).reshape(-1, _SIDE, _SIDE)


def _basis() -> NDArray[np.float64]:
    """(8, 8) orthonormal DCT, one frequency a row."""
    return np.array([cv2.dct(impulse[:, None])[:, 0] for impulse in np.eye(_SIDE)]).T
