"""`lowlight-s`: the streaming denoiser with everything at a quarter of the resolution, for speed.

The steps are those of `lowlight`: a running average gated by a small network, then an
encoder-decoder that gives a picture and a mask. What differs is the shape of things. A 4 x 4 block of
the frame is one place with 24 planes: brightness of its 16 pixels, and two colour differences of its
four 2 x 2 blocks, as most cameras send them. So nothing but the frame itself is ever at full
resolution, and memory is half the size. Of the camera it is told only how loud its noise is.

Sources: Maggioni et al. (CVPR 2021), as `lowlight`; Malvar and Sullivan, "YCoCg-R: a color space with RGB
reversibility and low dynamic range" (JVT-I014, 2003), for the colours. Shapes below are for a frame of
(H, W, 3), both sides multiples of 8.
"""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
from keras import KerasTensor, layers, ops
from numpy.typing import NDArray

from dae_edge.models.camera import code_of, loudness, novelty
from dae_edge.models.parts import Convolve, convolution, frames_stood_on, mask_of, step_up

BLOCK = 4  # pixels a side
PARTS = 4  # 2 x 2 blocks of a block; each has its own gain
NOISE = 32  # numbers that say how loud it is
GREY = 128 / 255  # the middle of brightness, which is 0 in planes as no colour is
PLANES = 24  # of a block: 4 brightnesses and 2 colour differences, each of its four parts
DETAILS = 8  # what a linear filter brings out of them; 32 channels take no longer than 24
GIVEN = PLANES + DETAILS
FAR, REACH = "eighth_far", 2  # a layer at 1/8, and how far it sees in its blocks: blotches are large
LAST = "quarter_last"  # one at 1/4 behind all else
SEEN = 28  # and the block's own means of the three, and of brightness once more
_YCC = np.array([[1, 2, 1], [-2, 0, 2], [-1, 2, -1]]) / 4  # from BGR: brightness, red - blue, green - both

Array = NDArray[np.float64]


def lowlight_s(
    width: int = 32,
    deep: int = 48,
    *,
    precision: str = "float32",
    learning: bool = False,
    name: str = "lowlight-s",
) -> keras.Model:
    """The streaming denoiser for frames whose sides are multiples of 8.

    `width` channels at 1/4 of the resolution, `deep` at 1/8. `precision` is the Keras dtype policy of
    the encoder-decoder's convolutions, as of `lowlight`'s, and `learning` as there.

    Inputs:  `frame` (1, H, W, 3) float in [0, 1], BGR as OpenCV has it;
             `state_average` (1, H/4, W/4, 28): 24 planes of the average, the last frame's three block
             means, and a zero; `state_count` (1, H/4, W/4, 4): frames that each 2 x 2 block
             stands on. Zeros at the start of a clip.
    Outputs: `denoised` as `frame`; `state_average_next`, `state_count_next` as the states.
    """
    frame = keras.Input((None, None, 3), name="frame")
    average = keras.Input((None, None, SEEN), name="state_average")
    count = keras.Input((None, None, PARTS), name="state_count")

    analysis = layers.Conv2D(SEEN, BLOCK, BLOCK, trainable=False, name="analysis")
    spread = layers.Conv2D(SEEN, 1, trainable=False, name="spread")
    transform = layers.Conv2D(SEEN, 1, use_bias=False, trainable=False, name="transform")
    synthesis = layers.Conv2D(3 * BLOCK**2, 1, trainable=False, name="synthesis")
    detail = layers.Conv2D(DETAILS, 1, use_bias=False, name="detail")
    # Silent at first: a fresh network is what it would be without details.
    detail_bands = layers.Conv2D(PLANES, 1, use_bias=False, kernel_initializer="zeros", name="detail_bands")

    planes = analysis(frame)
    change = planes - average
    convolve = partial(convolution, precision=precision)
    age = 1 / ops.maximum(count, 1)
    changes = transform(change)
    loud = loudness(changes[..., :PLANES], age, BLOCK)
    new = novelty(transform(planes)[..., :PLANES], changes[..., :PLANES], BLOCK)
    gate_noise = code_of(ops.concatenate([loud, new], axis=-1), NOISE, "gate_noise")
    seen = ops.concatenate([changes, age], axis=-1)
    motion = _gate(seen, gate_noise, width, convolve)  # 0 still, 1 moving
    count_next = frames_stood_on(count, motion)
    gain = 1 / count_next
    average_next = average + change * spread(gain)

    bands = transform(average_next)
    noise = code_of(loud, NOISE, "noise")
    picture, mask = _restore(ops.concatenate([bands, gain], axis=-1), noise, width, deep, convolve, learning)
    own = bands[..., :PLANES]
    opening = 1 - mask
    correction = opening[..., :PLANES] * (picture[..., :PLANES] - own)
    brought_out = opening[..., PLANES:] * (picture[..., PLANES:] - detail(own))
    blended = own + correction + detail_bands(brought_out)
    denoised = ops.depth_to_space(synthesis(blended), BLOCK)

    model = keras.Model(
        inputs={"frame": frame, "state_average": average, "state_count": count},
        outputs={
            "denoised": denoised,
            "state_average_next": average_next,
            "state_count_next": count_next,
        },
        name=name,
    )
    analysis.set_weights([a.astype(np.float32) for a in block_planes()])
    spread.set_weights([a.astype(np.float32) for a in _shares()])
    bands_of = np.eye(SEEN)
    bands_of[:PLANES, :PLANES] = plane_bands().T
    transform.set_weights([bands_of[None, None].astype(np.float32)])
    pixels, offsets = band_pixels()
    synthesis.set_weights([pixels.T[None, None].astype(np.float32), offsets.astype(np.float32)])
    return model


def block_planes() -> tuple[Array, Array]:
    """Kernel (4, 4, 3, 28) and bias (28,): from a block to its planes, all around 0.

    Planes are ordered by kind (brightness of the upper left, upper right, lower left and lower right pixel,
    red - blue, green - both), then by part.
    """
    kernel = np.zeros((BLOCK, BLOCK, 3, SEEN))
    for row in range(BLOCK):
        for column in range(BLOCK):
            pixel, part = 2 * (row % 2) + column % 2, 2 * (row // 2) + column // 2
            kernel[row, column, :, PARTS * pixel + part] = _YCC[0]
            kernel[row, column, :, PARTS * 4 + part] = _YCC[1] / 4
            kernel[row, column, :, PARTS * 5 + part] = _YCC[2] / 4
    kernel[..., PLANES:] = _YCC[[0, 1, 2, 0]].T / BLOCK**2
    bias = np.where(kernel.sum(axis=(0, 1, 2)) > 0.5, -GREY, 0.0)
    return kernel, bias


def _shares() -> tuple[Array, Array]:
    """Kernel (1, 1, 4, 28) and bias: what of a change goes into each plane of the average.

    The gain of its part for the 24; all for the block's means, so that they are the last frame's;
    nothing for the last, which stays 0, so that its change is the frame's own brightness.
    """
    kernel = np.zeros((1, 1, PARTS, SEEN))
    kernel[0, 0, :, :PLANES] = np.tile(np.eye(PARTS), PLANES // PARTS)
    return kernel, np.array([0.0] * PLANES + [1.0] * 3 + [0.0])


def plane_bands() -> Array:
    """(24, 24) from planes to bands: Haar, twice over for brightness; rows orthogonal, of length 1/2.

    The first of each kind, bands 0, 16 and 20, is the block's mean.
    """
    haar = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / 2
    bands = np.zeros((PLANES, PLANES))
    fine = np.kron(haar, np.eye(PARTS))  # within each part
    bands[:16, :16] = fine
    bands[:4, :16] = haar @ fine[:4]  # of the parts' means
    bands[16:20, 16:20] = bands[20:, 20:] = haar
    return bands / 2


def band_pixels() -> tuple[Array, Array]:
    """(48, 24) from bands to a block's pixels by row, column and BGR, and what to add (48,)."""
    planes = np.linalg.inv(plane_bands())
    to_bgr = np.linalg.inv(_YCC)  # (BGR, brightness and colours)
    pixels = np.zeros((BLOCK, BLOCK, 3, PLANES))
    for row in range(BLOCK):
        for column in range(BLOCK):
            pixel, part = 2 * (row % 2) + column % 2, 2 * (row // 2) + column // 2
            kinds = [PARTS * pixel + part, PARTS * 4 + part, PARTS * 5 + part]
            pixels[row, column] = to_bgr @ planes[kinds]
    return pixels.reshape(-1, PLANES), np.full(3 * BLOCK**2, GREY)


def _gate(seen: KerasTensor, noise: KerasTensor, width: int, convolve: Convolve) -> KerasTensor:
    """(H/4, W/4, 32) -> (H/4, W/4, 4): how much of each 2 x 2 block has moved, decided at 1/8 size."""
    x = convolve(seen, width, "gate_1", strides=2)
    x = convolve(x, width, "gate_2", code=noise)
    x = layers.Conv2D(4 * PARTS, 1, name="gate_out")(ops.cast(x, "float32"))
    return ops.sigmoid(ops.depth_to_space(x, 2))


def _restore(
    seen: KerasTensor, noise: KerasTensor, width: int, deep: int, convolve: Convolve, learning: bool
) -> tuple[KerasTensor, KerasTensor]:
    """(H/4, W/4, 32) -> a clean picture's bands and details, and a mask in [0, 1], both (H/4, W/4, 32)."""
    quarter = convolve(seen, width, "quarter_in")
    eighth = convolve(quarter, deep, "eighth_down", strides=2)
    # Told at 1/8 alone, where it takes least time: what comes up from there shifts every channel at 1/4.
    eighth = convolve(eighth, deep, "eighth_1", code=noise)
    eighth = convolve(eighth, deep, "eighth_2", code=noise)
    eighth = _with_more(eighth, FAR, convolve, REACH)
    quarter = convolve(step_up(eighth, width, "quarter_up", convolve) + quarter, width, "quarter_out")
    quarter = _with_more(quarter, LAST, convolve)
    features = ops.cast(quarter, "float32")
    picture = layers.Conv2D(GIVEN, 1, name="picture")(features)
    # Masks start low: one that shuts before the picture is any good would never open again.
    low = keras.initializers.Constant(-2.0)
    logits = layers.Conv2D(GIVEN, 1, bias_initializer=low, name="mask")(features)
    return picture, mask_of(logits, learning)


def _with_more(x: KerasTensor, name: str, convolve: Convolve, dilation: int = 1) -> KerasTensor:
    """What one more convolution beside a short cut makes of `x`, a ReLU; nothing else at first."""
    return ops.relu(x + convolve(x, x.shape[-1], name, dilation=dilation, relu=False, silent=True))
