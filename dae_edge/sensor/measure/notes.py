"""How far a measurement can be trusted, in a word and in sentences."""

from __future__ import annotations

from typing import Any

from dae_edge.sensor.measure.fit import LEAST
from dae_edge.sensor.measure.readings import Readings
from dae_edge.sensor.measure.shape import FITS
from dae_edge.sensor.measure.wire import BLOCKY
from dae_edge.sensor.sensor import Sensor

_NARROW, _WIDE = 0.3, 1.0  # width of a 95 % interval, as a share of the estimate
_RANGE = 4.0  # brightest light against darkest, below which shot and read noise look alike
_AVERAGES = 0.15  # correlation of frames from which the camera averages over time
_HEAVY = 60  # JPEG quality below which fine noise is gone


def notes(
    sensor: Sensor,
    interval: dict[str, tuple[float, float]],
    misfit: float,
    real: Readings,
    coverage: dict[str, Any],
    correlation: float,
) -> tuple[str, list[str]]:
    """("good" | "fair" | "poor", sentences)."""
    said = []
    doubt = 0
    if misfit > FITS:
        doubt = 2
        said.append(
            "No simulated camera has noise of quite this structure: the camera's own noise reduction or its "
            "video coding shapes it. What the picture shows holds; electrons and read noise may be far off."
        )
    if correlation > _AVERAGES:
        doubt = 2
        said.append(
            f"The noise of a frame is {correlation:.0%} like that of the next: the camera averages over "
            "time, so the noise is measured too small; turn its noise reduction off if it can be."
        )
    if sensor.luma_blur or sensor.chroma_blur:
        doubt = max(doubt, 1)
        said.append("The camera smooths its own noise; what it took away is estimated from what is left.")
    if sensor.jpeg_quality is not None and sensor.jpeg_quality < _HEAVY:
        doubt = max(doubt, 1)
        said.append(
            f"JPEG of quality {sensor.jpeg_quality} took the fine noise away; another --size may be "
            "less compressed."
        )
    elif sensor.jpeg_quality is None and real.edges > BLOCKY:
        doubt = max(doubt, 1)
        said.append("Something coded the picture in blocks of 8x8, but not as a JPEG known here.")
    darkest, brightest = coverage["light"]
    if brightest < _RANGE * max(darkest, 1e-4):
        doubt = max(doubt, 1)
        said.append(
            "The scene is nearly of one brightness, so shot and read noise are hard to tell apart; "
            "have something white and something black in the picture."
        )
    for name, what in (("electrons", "shot noise"), ("read_noise", "read noise")):
        low, high = interval[name]
        width = (high - low) / max(getattr(sensor, name), 1e-6)
        if width > _NARROW:
            doubt = max(doubt, 2 if width > _WIDE else 1)
            said.append(
                f"The {what} is only known to within {width / 2:.0%}; measure for longer with --seconds."
            )
    if sensor.read_noise <= 2 * LEAST:
        said.append("No read noise shows beside the shot noise.")
    if coverage["moving"]:
        said.append(f"{coverage['moving']:.1%} of the picture moved and was left out.")
    return ("good", "fair", "poor")[doubt], said
