"""The parameters of a camera, in physical units, from the light on its sensor to the frame on the wire."""

from __future__ import annotations

from dataclasses import dataclass, fields

from dae_edge.errors import BadValueError
from dae_edge.sensor.demosaic import DEMOSAICS, ORDERS
from dae_edge.sensor.h264 import RATES
from dae_edge.sensor.transport import CHROMAS

Matrix = tuple[tuple[float, float, float], ...]

_POSITIVE = ("exposure", "electrons", "red_gain", "blue_gain")


@dataclass(frozen=True)
class Sensor:
    """A colour camera in low light, as the picture that leaves it shows.

    The raw noise is Poisson shot noise plus Gaussian read noise (Foi et al., "Practical
    Poissonian-Gaussian noise modeling and fitting for single-image raw-data", IEEE TIP 2008), with
    the structure CMOS read-out adds (Wei et al., "A physics-based noise formation model for extreme
    low-light raw denoising", CVPR 2020): a photosite that collects `s` electrons is read with
    variance `s + read_noise**2`, both in electrons.

    Light:
    exposure:      brightness of the displayed picture against the scene's, in linear light
    flicker:       of mains light: relative amplitude of the brightness that beats with the frame rate
    gain_drift:    relative rms step of the gain from frame to frame, a random walk
    lens_blur:     of the lens and the filter before the sensor: Gaussian sigma, pixels; the clean picture
                   has it too
    Sensor:
    electrons:     a green photosite collects where the picture shows white
    read_noise:    electrons, rms, each photosite and frame anew
    row_noise:     electrons, rms, each row and frame anew
    column_noise:  electrons, rms, each column, the same in every frame
    fixed_pattern: electrons, rms, each photosite, the same in every frame (DSNU)
    hot_pixels:    share of photosites that are stuck bright
    bit_depth:     of the converter, over the range black to white
    Picture:
    zoom:          how much larger the frame is than what the sensor read, each side: digital zoom, or a
                   sensor of fewer pixels; at least 1
    demosaic:      "bilinear", "edge-aware", "malvar"; "binned": every pixel has all three colours; or
                   "monochrome": none has any, as in most security cameras' night mode
    order:         of the colours over the photosites: "RGGB", "GRBG", "GBRG" or "BGGR"
    red_gain:      white balance: a red photosite collects `electrons / red_gain` at white
    blue_gain:     the same for blue
    colour_matrix: balanced camera RGB to linear sRGB, rows that add up to 1; None for the identity
    tone:          how S-shaped a curve lies over sRGB's, 0 to 1: it flattens shadows, noise and all. Scenes
                   are taken for pictures that went through it: their contrast stays
    saturation:    how much of its colour the camera shows, 0 to 1: most turn it down in the dark, as noise
                   shows in colour first; the clean picture has as little
    chroma_blur:   the camera's own noise reduction: Gaussian sigma on the colour differences, pixels; the
                   clean picture has it too
    luma_blur:     the same on brightness
    sharpening:    amount of the camera's unsharp mask (sigma 1 pixel); the clean picture has it too
    Wire:
    chroma:        "4:4:4", "4:2:2" or "4:2:0"
    jpeg_quality:  1 to 100 as a webcam's MJPEG would, None for no compression
    h264_crf:      constant rate factor, 0 to 51, of H.264 as a network camera would; needs PyAV
    """

    exposure: float = 1.0
    flicker: float = 0.0
    gain_drift: float = 0.0
    lens_blur: float = 0.0
    electrons: float = 500.0
    read_noise: float = 3.0
    row_noise: float = 0.3
    column_noise: float = 0.0
    fixed_pattern: float = 0.0
    hot_pixels: float = 0.0
    bit_depth: int = 10
    zoom: float = 1.0
    demosaic: str = "bilinear"
    order: str = "RGGB"
    red_gain: float = 2.0
    blue_gain: float = 1.7
    colour_matrix: Matrix | None = None
    tone: float = 0.0
    saturation: float = 1.0
    chroma_blur: float = 0.0
    luma_blur: float = 0.0
    sharpening: float = 0.0
    chroma: str = "4:4:4"
    jpeg_quality: int | None = None
    h264_crf: float | None = None

    @property
    def balance(self) -> tuple[float, float, float]:
        """What blue, green and red are multiplied by; without colours there is nothing to balance."""
        grey = self.demosaic == "monochrome"
        return (1.0, 1.0, 1.0) if grey else (self.blue_gain, 1.0, self.red_gain)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _POSITIVE and not value > 0:
                raise BadValueError(f"`{field.name}` (={value}) must be greater than 0.")
            if field.type == "float" and not value >= 0:
                raise BadValueError(f"`{field.name}` (={value}) must not be negative.")
        for name, known in (("demosaic", DEMOSAICS), ("order", ORDERS), ("chroma", CHROMAS)):
            if getattr(self, name) not in known:
                raise BadValueError(f"`{name}` (={getattr(self, name)!r}) must be one of {', '.join(known)}.")
        if not self.hot_pixels <= 1:
            raise BadValueError(f"`hot_pixels` (={self.hot_pixels}) must be a share from 0 to 1.")
        if not self.zoom >= 1:
            raise BadValueError(f"`zoom` (={self.zoom}) must be 1 or more.")
        for name in ("tone", "saturation"):
            if not getattr(self, name) <= 1:
                raise BadValueError(f"`{name}` (={getattr(self, name)}) must be a share from 0 to 1.")
        if not 6 <= self.bit_depth <= 16:
            raise BadValueError(f"`bit_depth` (={self.bit_depth}) must be from 6 to 16.")
        if self.jpeg_quality is not None and not 1 <= self.jpeg_quality <= 100:
            raise BadValueError(f"`jpeg_quality` (={self.jpeg_quality}) must be from 1 to 100.")
        if self.h264_crf is not None:
            if not RATES[0] <= self.h264_crf <= RATES[1]:
                raise BadValueError(f"`h264_crf` (={self.h264_crf}) must be from {RATES[0]} to {RATES[1]}.")
            if self.jpeg_quality is not None:
                raise BadValueError(
                    f"`h264_crf` (={self.h264_crf}) does not go with `jpeg_quality` (={self.jpeg_quality})."
                )
        if self.colour_matrix is not None:
            sums = [sum(row) for row in self.colour_matrix]
            if len(sums) != 3 or any(abs(total - 1) > 1e-3 for total in sums):
                raise BadValueError(f"`colour_matrix` rows (sums {sums}) must be three that add up to 1.")
