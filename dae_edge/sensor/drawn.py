"""Random cameras to train on, any or around a measured one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from dae_edge.sensor.demosaic import DEMOSAICS
from dae_edge.sensor.sensor import Matrix, Sensor

BARE = 0.22  # share of the random cameras that stand in the dark and touch nothing up
DAYLIGHT = 0.25  # of the others, share that have light enough
PLAIN = 0.15  # of those left, share of which a frame hardly says what camera made it
PROCESSED = 0.45  # of those left again, share that clean up themselves before they give a frame out
SOFT = 0.5  # share of all but the bare whose lens shows less than their pixels could
ZOOMED = 0.25  # the same whose frames were enlarged
FADED = 0.5  # the same that show less than all of their colour
DARK = 0.6  # of those that touch up a little, share with as little light as the presets, or up to three times
_ANY = 0.15  # share of those around a measured camera that are any camera: a denoiser must not know one only

# XYZ (D65) to the colours of four cameras: Brooks et al., "Unprocessing images for learned raw
# denoising" (CVPR 2019); sRGB to XYZ: IEC 61966-2-1.
_XYZ_TO_CAMERA = np.array(
    [
        [[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]],
        [[0.4913, -0.0541, -0.0202], [-0.613, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]],
        [[0.838, -0.263, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]],
        [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.097, 0.1581, 0.5181]],
    ]
)
_SRGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def draw_sensor(random: np.random.Generator) -> Sensor:
    """A random camera for training: from daylight to very dark, from bare to touched up.

    Colour matrices cover those of Brooks et al. (CVPR 2019), white-balance gains what lamplight to shade
    takes; read noise and its structure those of Wei et al. (CVPR 2020), in the range of small video sensors.
    """
    if random.random() < BARE:
        return draw_bare(random)
    lens_blur = math.exp(random.uniform(math.log(0.4), math.log(1.6))) * _sometimes(random, SOFT)
    zoom = 1 + random.uniform(0.1, 1.0) * _sometimes(random, ZOOMED)
    sensor = _draw(random)
    saturation = sensor.saturation * (1 - random.random() * _sometimes(random, FADED))
    return replace(sensor, lens_blur=lens_blur, zoom=zoom, saturation=saturation)


def _draw(random: np.random.Generator) -> Sensor:
    if random.random() < DAYLIGHT:
        return _daylight(random)
    if random.random() < PLAIN:
        return _plain(random)
    if random.random() < PROCESSED:
        return _processed(random)
    read_noise = random.uniform(1.0, 4.0)
    return Sensor(
        exposure=random.uniform(0.2, 1.0),
        electrons=math.exp(random.uniform(math.log(25), math.log(500 if random.random() < DARK else 20000))),
        read_noise=read_noise,
        row_noise=random.uniform(0.0, 0.25) * read_noise,
        column_noise=random.uniform(0.0, 0.15) * read_noise * _sometimes(random, 0.3),
        fixed_pattern=random.uniform(0.0, 0.3) * read_noise * _sometimes(random, 0.3),
        hot_pixels=3e-4 * random.random() * _sometimes(random, 0.2),
        bit_depth=int(random.choice([10, 12])),
        demosaic=_demosaic(random, 0.34, 0.11, 0.17, 0.27, 0.11),
        order=_order(random),
        red_gain=random.uniform(1.0, 2.4),
        blue_gain=random.uniform(1.2, 2.6),
        colour_matrix=draw_colour_matrix(random) if random.random() < 0.4 else None,
        tone=random.uniform(0.0, 0.9) * _sometimes(random, 0.4),
        chroma_blur=random.uniform(0.5, 2.0) * _sometimes(random, 0.35),
        luma_blur=random.uniform(0.3, 0.7) * _sometimes(random, 0.15),
        sharpening=random.uniform(0.1, 0.6) * _sometimes(random, 0.2),
        chroma=str(random.choice(["4:4:4", "4:2:2", "4:2:0"], p=[0.5, 0.3, 0.2])),
        jpeg_quality=int(random.integers(55, 97)) if random.random() < 0.45 else None,
    )


def draw_like(random: np.random.Generator, measured: Sensor) -> Sensor:
    """A random camera around a measured one, for training; now and then any other.

    Its gain follows the light, so electrons range over a factor of 2 either way; what is built into
    it (white balance, demosaic, wire) stays, as far as a measurement can be trusted.
    """
    if random.random() < _ANY:
        return draw_sensor(random)

    def around(value: float, factor: float) -> float:
        return value * math.exp(random.uniform(-1, 1) * math.log(factor))

    if not measured.tone:  # none is measured; one that somebody knows of stays
        measured = behind_tone(measured, random.uniform(0.0, 0.9) * _sometimes(random, 0.4))
    quality = measured.jpeg_quality
    if quality is not None:
        quality = int(np.clip(quality + random.integers(-8, 9), 1, 100))
    return replace(
        measured,
        exposure=random.uniform(0.2, 1.0),
        electrons=around(measured.electrons, 2.0),
        read_noise=around(measured.read_noise, 1.25),
        row_noise=around(measured.row_noise, 1.5),
        hot_pixels=min(around(measured.hot_pixels, 1.5), 1.0),
        order=_order(random),
        red_gain=around(measured.red_gain, 1.15),
        blue_gain=around(measured.blue_gain, 1.15),
        luma_blur=around(measured.luma_blur, 1.2),
        chroma_blur=around(measured.chroma_blur, 1.2),
        sharpening=around(measured.sharpening, 1.2),
        jpeg_quality=quality,
    )


def behind_tone(measured: Sensor, tone: float) -> Sensor:
    """The camera with that tone curve whose noise would have been measured as `measured`, within a third.

    A still scene does not tell a tone curve from less light: either makes noise rise more with brightness.
    So cameras are measured as if they had none: those of 155, 90 and 75 electrons with a tone of 0.5, 0.7 and
    0.8 came out as 92, 45 and 38.
    """
    hidden = 1 / (1 - 0.65 * tone)
    return replace(
        measured,
        tone=tone,
        electrons=measured.electrons * hidden,
        read_noise=measured.read_noise * hidden,
        row_noise=measured.row_noise * hidden,
    )


def draw_bare(random: np.random.Generator) -> Sensor:
    """What the sensor saw, demosaiced and sent: a maker's camera module or a plain webcam in the dark.

    Draws in which every step is made now and then hardly ever leave all of them out.
    """
    read_noise = random.uniform(1.0, 4.0)
    return Sensor(
        exposure=random.uniform(0.2, 0.9),
        electrons=math.exp(random.uniform(math.log(30), math.log(400))),
        read_noise=read_noise,
        row_noise=random.uniform(0.0, 0.25) * read_noise,
        bit_depth=int(random.choice([10, 12])),
        demosaic=_demosaic(random, 0.5, 0.12, 0.23, 0.1, 0.05),
        order=_order(random),
        red_gain=random.uniform(1.2, 2.4),
        blue_gain=random.uniform(1.2, 2.4),
        colour_matrix=draw_colour_matrix(random) if random.random() < 0.2 else None,
        chroma=str(random.choice(["4:4:4", "4:2:2", "4:2:0"], p=[0.7, 0.2, 0.1])),
        jpeg_quality=int(random.integers(60, 97)) if random.random() < 0.45 else None,
    )


def _daylight(random: np.random.Generator) -> Sensor:
    """Next to no noise: what teaches a denoiser to leave a good picture alone."""
    return Sensor(
        exposure=random.uniform(0.5, 1.0),
        electrons=math.exp(random.uniform(math.log(2e4), math.log(1e6))),
        read_noise=1.0,
        row_noise=0.0,
        bit_depth=12,
        demosaic="monochrome" if random.random() < 0.1 else "binned",
        tone=random.uniform(0.0, 0.9) * _sometimes(random, 0.5),
        chroma=str(random.choice(["4:4:4", "4:2:2", "4:2:0"], p=[0.5, 0.2, 0.3])),
        jpeg_quality=int(random.integers(85, 99)) if random.random() < 0.4 else None,
    )


def _plain(random: np.random.Generator) -> Sensor:
    """Noise that colours share, white or as wide as a pixel: what scaling and coding anew leave of any."""
    blur = random.uniform(0.3, 1.0) * _sometimes(random, 0.7)
    # Colours are cleaned first: what is left is brightness alone, over a scene that has its colours.
    chroma_blur = random.uniform(2, 8) if random.random() < 0.4 else blur * random.uniform(0.8, 1.5)
    return Sensor(
        exposure=random.uniform(0.3, 1.0),
        electrons=math.exp(random.uniform(math.log(30), math.log(3000))),
        read_noise=random.uniform(1.0, 8.0),
        row_noise=0.0,
        bit_depth=12,
        demosaic="monochrome" if random.random() < 0.2 else "binned",
        red_gain=random.uniform(0.8, 1.4),
        blue_gain=random.uniform(0.8, 1.4),
        luma_blur=blur,
        chroma_blur=chroma_blur,
        saturation=random.random(),
        chroma=str(random.choice(["4:4:4", "4:2:0"])),
        jpeg_quality=int(random.integers(75, 99)) if random.random() < 0.3 else None,
    )


def _processed(random: np.random.Generator) -> Sensor:
    """Colour noise smoothed over many pixels, brightness over two or not at all, then sharpened, as a JPEG.

    What phones, photo cameras and the better webcams give out: less noise, but hard to tell from texture.
    """
    return Sensor(
        exposure=random.uniform(0.3, 1.0),
        electrons=math.exp(random.uniform(math.log(30), math.log(3000))),
        read_noise=random.uniform(1.0, 4.0),
        row_noise=0.0,
        bit_depth=12,
        demosaic=_demosaic(random, 0.17, 0.13, 0.2, 0.35, 0.15),
        order=_order(random),
        red_gain=random.uniform(1.0, 2.4),
        blue_gain=random.uniform(1.2, 2.6),
        colour_matrix=draw_colour_matrix(random) if random.random() < 0.5 else None,
        tone=random.uniform(0.2, 0.9) * _sometimes(random, 0.8),
        chroma_blur=random.uniform(0.5, 4.5),
        luma_blur=random.uniform(0.35, 1.3) * _sometimes(random, 0.75),
        sharpening=random.uniform(0.1, 0.8) * _sometimes(random, 0.6),
        chroma=str(random.choice(["4:4:4", "4:2:2", "4:2:0"])),
        jpeg_quality=int(random.integers(75, 99)) if random.random() < 0.8 else None,
    )


def draw_colour_matrix(random: np.random.Generator) -> Matrix:
    """Balanced camera RGB to linear sRGB: a random mixture of four cameras, rows that add up to 1."""
    mixture = np.tensordot(random.dirichlet(np.ones(4)), _XYZ_TO_CAMERA, axes=1)
    to_camera = mixture @ _SRGB_TO_XYZ
    to_camera /= to_camera.sum(axis=1, keepdims=True)
    inverse = np.linalg.inv(to_camera)
    return tuple((float(red), float(green), float(blue)) for red, green, blue in inverse)


def _demosaic(random: np.random.Generator, *shares: float) -> str:
    """`shares` of `DEMOSAICS`, in that order."""
    return str(random.choice(DEMOSAICS, p=shares))


def _order(random: np.random.Generator) -> str:
    """Most sensors are sold as RGGB; a picture cropped or mirrored on its way begins elsewhere."""
    return str(random.choice(["RGGB", "GRBG", "GBRG", "BGGR"], p=[0.55, 0.15, 0.15, 0.15]))


def _sometimes(random: np.random.Generator, share: float) -> float:
    """1 in `share` of all cases, 0 otherwise."""
    return float(random.random() < share)
