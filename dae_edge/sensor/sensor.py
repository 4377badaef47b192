"""The parameters of a camera sensor, in physical units."""

from __future__ import annotations

from dataclasses import dataclass

from dae_edge.errors import BadValueError


@dataclass(frozen=True)
class Sensor:
    """A colour camera in low light, as the picture that leaves it shows.

    The model is the heteroscedastic one of Foi et al., "Practical Poissonian-Gaussian noise
    modeling and fitting for single-image raw-data" (IEEE TIP 2008): on the raw mosaic, a pixel
    that collects `s` electrons is read with variance `s + read_noise**2`, both in electrons.
    Shot noise is drawn as its Gaussian limit. Row noise is the structured part that CMOS
    read-out adds (Wei et al., "A physics-based noise formation model", CVPR 2020).

    exposure:     brightness of the displayed picture against the scene's, in linear light
    electrons:    electrons a green photosite collects where the picture shows white
    read_noise:   electrons, rms, each photosite and frame anew
    row_noise:    electrons, rms, each row and frame anew
    red_gain:     white balance: a red photosite collects `electrons / red_gain` at white
    blue_gain:    the same for blue
    bit_depth:    of the converter, over the range black to white
    jpeg_quality: 1 to 100 as a webcam's MJPEG would, None for no compression
    """

    exposure: float = 1.0
    electrons: float = 500.0
    read_noise: float = 3.0
    row_noise: float = 0.3
    red_gain: float = 2.0
    blue_gain: float = 1.7
    bit_depth: int = 10
    jpeg_quality: int | None = None

    def __post_init__(self) -> None:
        for name in ("exposure", "electrons", "red_gain", "blue_gain"):
            if not getattr(self, name) > 0:
                raise BadValueError(f"`{name}` (={getattr(self, name)}) must be greater than 0.")
        for name in ("read_noise", "row_noise"):
            if not getattr(self, name) >= 0:
                raise BadValueError(f"`{name}` (={getattr(self, name)}) must not be negative.")
        if not 6 <= self.bit_depth <= 16:
            raise BadValueError(f"`bit_depth` (={self.bit_depth}) must be from 6 to 16.")
        if self.jpeg_quality is not None and not 1 <= self.jpeg_quality <= 100:
            raise BadValueError(f"`jpeg_quality` (={self.jpeg_quality}) must be from 1 to 100.")
