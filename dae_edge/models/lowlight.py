"""`lowlight`: a streaming denoising autoencoder for camera frames.

Three steps a frame. A fixed orthonormal transform splits each 2 x 2 block into brightness and colour,
coarse and fine. A running average, gated pixel by pixel by a small network that sees motion, then
collects what stands still: a Kalman filter whose state is the average and the number of frames it
stands on. An encoder-decoder, which knows that number, cleans what the average leaves; it gives a
picture and a mask, and the output blends the picture with the average by it. So fine brightness
can be kept where colour noise is cleaned away. Beside the bands stand four details: what a linear
filter of the average brings out that a camera's demosaic has blurred, each with a mask of its own.
Each mosaic that can be told apart has filters of its own, as what it blurs differs from pixel to pixel.
How much of that is right, and what is noise, depends on the camera: encoder-decoder and mask are told of it.
They and the gate are told how loud its noise is (`camera`).

After Maggioni et al., "Efficient multi-stage video denoising with recurrent spatio-temporal
fusion" (CVPR 2021). Shapes below are for a frame of (H, W, 3), both sides multiples of `STRIDE`.
"""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from dae_edge.models.bands import BANDS, block_transform
from dae_edge.models.camera import (
    MOSAICS,
    broad_loudness,
    code_of,
    heard,
    loudness,
    mosaic,
    noise_curve,
    novelty,
    texture,
    told,
)
from dae_edge.models.parts import Convolve, convolution, frames_stood_on, mask_of, step_up

STRIDE = 8
DETAILS = 4  # with the bands 16 channels, which take no longer than 12
GIVEN = BANDS + DETAILS
GATE = 32  # channels of the gate, in any size of network
CODE = 48  # numbers that the gate is told of the camera and its noise, and as many that all else is told
EVEN = 0.6  # how loud noise of the coarse brightness is made for the gate: as in `dim` light
MOST = 127 / 255  # of a change that it sees
WHITE = 3**0.5  # the first band of a white block
COARSE = 3  # the first bands: the block's mean in brightness and two colour differences


def lowlight(
    width: int = 16,
    blocks: int = 0,
    *,
    precision: str = "float32",
    learning: bool = False,
    name: str = "lowlight",
) -> keras.Model:
    """The streaming denoiser for frames of any size that is a multiple of `STRIDE`.

    `width` channels at half resolution, twice and four times as many at 1/4 and 1/8; `blocks`
    residual blocks at each of those two. `precision` is the Keras dtype policy of the convolutions
    between the memory and the head: "mixed_bfloat16" trains wide networks faster. The memory and the
    head are float32 always. What is `learning` has the mask's gradient of `mask_of`.

    Inputs:  `frame` (1, H, W, 3) float in [0, 1], BGR as OpenCV has it;
             `state_average` (1, H/2, W/2, 12) and `state_count` (1, H/2, W/2, 1), zeros at the
             start of a clip.
    Outputs: `denoised` as `frame`; `state_average_next`, `state_count_next` as the states.
    """
    frame = keras.Input((None, None, 3), name="frame")
    average = keras.Input((None, None, BANDS), name="state_average")
    count = keras.Input((None, None, 1), name="state_count")

    analysis = layers.Conv2D(BANDS, 2, 2, use_bias=False, trainable=False, name="analysis")
    synthesis = layers.Conv2D(BANDS, 1, use_bias=False, trainable=False, name="synthesis")
    detail = layers.Conv2D(
        DETAILS * MOSAICS, 3, padding="same", use_bias=False, kernel_initializer="zeros", name="detail"
    )
    detail_bands = layers.Conv2D(BANDS, 1, use_bias=False, name="detail_bands")

    bands = analysis(frame)  # (H/2, W/2, 12)
    coarse = bands[..., :COARSE]
    change = bands - average
    age = 1 / ops.maximum(count, 1)
    loud = loudness(change, age, 2)
    # Not what camera it is: a gate that was told took noise of every other camera for motion.
    broad, new = broad_loudness(change[..., :COARSE], 2), novelty(bands, change, 2)
    curve = noise_curve(change[..., :COARSE], average[..., :1] / WHITE, 2)
    gate_code = code_of(ops.concatenate([loud, broad, new, curve], axis=-1), CODE, "gate_code")
    of_camera = heard(bands)
    code = code_of(ops.concatenate([of_camera, loud], axis=-1), CODE, "code")

    convolve = partial(convolution, precision=precision)
    even = ops.clip(change * ops.exp(EVEN - loud[..., :1]), -MOST, MOST)  # noise as loud in any light
    seen = ops.concatenate([even, coarse, age], axis=-1)
    motion = _gate(seen, gate_code, convolve)  # 0 still, 1 moving
    count_next = frames_stood_on(count, motion)
    average_next = average + change / count_next

    seen = ops.concatenate([average_next, coarse, 1 / count_next], axis=-1)
    picture, mask = _restore(seen, code, width, blocks, convolve, learning)
    # No concatenation of the two: TFLite's quantizer would round the average for it.
    opening = 1 - mask
    correction = opening[..., :BANDS] * (picture[..., :BANDS] - average_next)
    details = _of_mosaic(detail(average_next), mosaic(of_camera))
    brought_out = opening[..., BANDS:] * (picture[..., BANDS:] - details)
    blended = average_next + correction + detail_bands(brought_out)
    denoised = ops.depth_to_space(synthesis(blended), 2)

    model = keras.Model(
        inputs={"frame": frame, "state_average": average, "state_count": count},
        outputs={
            "denoised": denoised,
            "state_average_next": average_next,
            "state_count_next": count_next,
        },
        name=name,
    )
    transform = block_transform()  # (12 pixels, 12 bands)
    analysis.set_weights([transform.reshape(2, 2, 3, BANDS)])
    synthesis.set_weights([np.linalg.inv(transform).reshape(1, 1, BANDS, BANDS)])
    brightness = transform.reshape(DETAILS, 3, BANDS).sum(axis=1)  # of each pixel of a block, at first
    detail_bands.set_weights([brightness.reshape(1, 1, DETAILS, BANDS)])
    model.get_layer("texture").set_weights([texture()])
    # Masks start low: one that shuts before the picture is any good would never open again.
    kernel, bias = model.get_layer("head").get_weights()
    model.get_layer("head").set_weights([kernel, np.repeat(np.array([0, -2], np.float32), len(bias) // 2)])
    return model


def _gate(seen: KerasTensor, code: KerasTensor, convolve: Convolve) -> KerasTensor:
    """(H/2, W/2, 16) -> (H/2, W/2, 1): how much of each block has moved, decided at 1/4 size."""
    x = convolve(seen, GATE, "gate_1", strides=2)
    x = convolve(x, GATE, "gate_2", code=code)
    x = layers.Conv2D(4, 3, padding="same", name="gate_out")(ops.cast(x, "float32"))
    return ops.sigmoid(ops.depth_to_space(x, 2))


def _of_mosaic(details: KerasTensor, seen: KerasTensor) -> KerasTensor:
    """(B, h, w, 36), those of one mosaic after the other, and which is seen -> (B, h, w, 4)."""
    each = [
        seen[..., kind : kind + 1] * details[..., kind * DETAILS : (kind + 1) * DETAILS]
        for kind in range(MOSAICS)
    ]
    return layers.Add(name="details")(each)


def _restore(
    seen: KerasTensor, code: KerasTensor, width: int, blocks: int, convolve: Convolve, learning: bool
) -> tuple[KerasTensor, KerasTensor]:
    """(H/2, W/2, 16) -> a clean picture's bands and details, and a mask in [0, 1], both (H/2, W/2, 16)."""
    half = convolve(seen, width, "half_in")
    quarter = convolve(half, 2 * width, "quarter_down", strides=2)
    quarter = convolve(quarter, 2 * width, "quarter_in")
    for index in range(blocks):
        quarter = _block(quarter, 2 * width, f"quarter_block_{index + 1}", convolve)
    eighth = convolve(quarter, 4 * width, "eighth_down", strides=2)
    eighth = convolve(eighth, 4 * width, "eighth_1")
    eighth = convolve(eighth, 4 * width, "eighth_2", code=code)
    for index in range(blocks):
        eighth = _block(eighth, 4 * width, f"eighth_block_{index + 1}", convolve)
    quarter = step_up(eighth, 2 * width, "quarter_up", convolve) + quarter
    quarter = convolve(quarter, 2 * width, "quarter_out", code=code)
    half = step_up(quarter, width, "half_up", convolve) + half
    half = convolve(half, width, "half_out")
    out = layers.Conv2D(2 * GIVEN, 3, padding="same", name="head")(ops.cast(half, "float32"))
    return out[..., :GIVEN], mask_of(told(out[..., GIVEN:], code, "mask"), learning)


def _block(x: KerasTensor, filters: int, name: str, convolve: Convolve) -> KerasTensor:
    """Two convolutions beside a short cut."""
    inner = convolve(x, filters, f"{name}_1")
    return ops.relu(x + convolve(inner, filters, f"{name}_2", relu=False))
