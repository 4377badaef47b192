"""What a mosaic's demosaic has blurred, found by least squares instead of gradients.

What the filters of `lowlight`'s details add to a frame is linear in them, once masks and all else are given.
So the best ones for each mosaic follow from drawn clips in minutes, free of the noise of training, in which
the filters of a rare mosaic learn next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from dae_edge.data.observe import vary
from dae_edge.models.bands import BANDS
from dae_edge.models.camera import MOSAICS, ORDERS, heard, mosaic, texture
from dae_edge.models.lowlight import DETAILS
from dae_edge.models.parts import MASK
from dae_edge.models.unroll import no_memory
from dae_edge.scenes import draw_clip
from dae_edge.sensor import SimulatedCamera, draw_sensor
from dae_edge.sensor.drawn import draw_bare

Clip = NDArray[np.uint8]
Array = NDArray[np.float64]

FRAMES, PATCH = 20, 112  # of a drawn clip
COUNTED = (0, 2, 5, 9, 14, 19)  # its frames that count, as memory fills
SIDE = 3  # blocks that a filter sees, down and across
_POOL, _RENEWED = 24, 3  # drawn scenes in use, and uses between one new scene and the next
_BARE = 0.5  # share of cameras that touch nothing up, as few others have a mosaic that is seen
_SPARE = 48  # pixels of a scene beyond the patch
_EVERYWHERE, _LOOKED_AT = (2, 2), 4  # blocks apart, and frames of a clip, where a mosaic is looked for
_EDGE = 2  # blocks at a frame's edges, where filters see what is beyond
_RIDGE = 1e-4  # of the mean power of what filters see: they stay as they are where nothing speaks against it


def fit_details(model: keras.Model, clips: Iterable[tuple[Clip, Clip]]) -> list[int]:
    """Give `model`, of the kind that `models.lowlight` builds, its best details; all else stays as it is.

    `clips` are (noisy, clean), both (frames, H, W, 3) uint8 BGR with sides that are multiples of 8. Each
    counts against its own error, as in training. How many there were of each mosaic.
    """
    sums, seen_mosaic = [_Sums() for _ in range(MOSAICS)], _mosaic_of(model)
    watched = {"mask": model.get_layer(MASK).output, **model.output}
    denoise = keras.Model(model.input, watched)
    to_bands = model.get_layer("analysis")
    adds = model.get_layer("detail_bands").get_weights()[0][0, 0].astype(float)  # (DETAILS, BANDS)
    counts = [0] * MOSAICS
    for noisy, clean in clips:
        kind = seen_mosaic(noisy)
        counts[kind] += 1
        states = {name: ops.convert_to_numpy(x) for name, x in no_memory(model, _unit(noisy[:1])).items()}
        for index in range(len(noisy)):
            out = denoise.predict_on_batch({"frame": _unit(noisy[index : index + 1]), **states})
            states = {name: out[f"{name}_next"] for name in states}
            if index not in COUNTED:
                continue
            wrong = to_bands(np.clip(out["denoised"], 0, 1)) - to_bands(_unit(clean[index : index + 1]))
            wrong = _inside(ops.convert_to_numpy(wrong)[0])
            opening = 1 - _inside(out["mask"][0])[:, BANDS:]
            weight = 1 / (np.square(wrong).mean() + 1e-6)
            sums[kind].add(_around(out["state_average_next"][0]), opening, wrong, adds, weight)
    kernel = model.get_layer("detail").get_weights()[0]
    steps = [part.step() for part in sums]
    model.get_layer("detail").set_weights([kernel + np.concatenate(steps, axis=-1).astype(np.float32)])
    return counts


def clips_to_fit(count: int, seed: int) -> Iterator[tuple[Clip, Clip]]:
    """(noisy, clean) clips of `FRAMES` frames through random cameras, mosaics of every order as often."""
    random, pool = np.random.default_rng([seed, 6]), list[Clip]()
    side = PATCH + _SPARE
    for number in range(count):
        if number % _RENEWED == 0:
            own = np.random.default_rng([seed, 7, number])
            pool = [*pool, draw_clip(own, FRAMES, side, side, bank=seed, lifelike=True)][-_POOL:]
        scene = vary(random, pool[random.integers(len(pool))], PATCH)
        draw = draw_bare if random.random() < _BARE else draw_sensor
        sensor = replace(draw(random), order=str(random.choice(ORDERS)))
        camera = SimulatedCamera(sensor, seed=int(random.integers(2**32)))
        yield np.stack([camera.capture(f) for f in scene]), np.stack([camera.clean(f) for f in scene])


class _Sums:
    """What least squares needs to know of all places that show one mosaic."""

    def __init__(self) -> None:
        size = SIDE**2 * BANDS
        self._products = np.zeros((DETAILS, size, DETAILS, size))
        self._sums = np.zeros((DETAILS, size))

    def add(self, seen: Array, opening: Array, wrong: Array, adds: Array, weight: float) -> None:
        """`seen` (n, 108) by a filter, `opening` (n, 4) of each detail's mask and `wrong` (n, 12) bands."""
        self._sums += weight * (opening * (wrong @ adds.T)).T @ seen
        between = weight * adds @ adds.T
        for a in range(DETAILS):
            for b in range(a, DETAILS):
                shared = (seen * (between[a, b] * opening[:, a] * opening[:, b])[:, None]).T @ seen
                self._products[a, :, b] += shared
                if a != b:
                    self._products[b, :, a] += shared

    def step(self) -> Array:
        """(3, 3, BANDS, DETAILS): what to add to the filters."""
        size = self._sums.size
        products = self._products.reshape(size, size)
        ridge = max(_RIDGE * np.trace(products) / size, 1e-12)
        step = np.linalg.solve(products + ridge * np.eye(size), self._sums.ravel())
        return step.reshape(DETAILS, SIDE, SIDE, BANDS).transpose(1, 2, 3, 0)


def _mosaic_of(model: keras.Model) -> Callable[[Clip], int]:
    """Which mosaic a clip has; looked for in more places than the model has, as clips are small."""
    frame = keras.Input((None, None, 3))
    probe = keras.Model(frame, mosaic(heard(model.get_layer("analysis")(frame), _EVERYWHERE)))
    probe.get_layer("texture").set_weights([texture()])
    return lambda clip: int(probe.predict_on_batch(_unit(clip[:_LOOKED_AT])).sum(axis=(0, 1, 2)).argmax())


def _unit(frames: Clip) -> NDArray[np.float32]:
    return frames.astype(np.float32) / np.float32(255)


def _inside(x: NDArray[np.float32]) -> Array:
    """(h, w, n) -> (places, n) away from the edges."""
    return x[_EDGE:-_EDGE, _EDGE:-_EDGE].reshape(-1, x.shape[-1]).astype(float)


def _around(average: NDArray[np.float32]) -> Array:
    """(h, w, BANDS) -> (places, 108): what a filter sees at each, rows and columns first."""
    height, width, _ = average.shape
    padded = np.pad(average, ((1, 1), (1, 1), (0, 0)))
    shifted = [padded[y : y + height, x : x + width] for y in range(SIDE) for x in range(SIDE)]
    return _inside(np.concatenate(shifted, axis=-1))
