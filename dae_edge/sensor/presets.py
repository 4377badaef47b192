"""Named cameras in the dark."""

from __future__ import annotations

from dae_edge.errors import BadValueError
from dae_edge.sensor.sensor import Sensor

# Light falls from one preset to the next; the camera turns its gain up, so fewer electrons
# stand behind the same displayed white. On daylight video the noisy frames average about
# 24, 21 and 18 dB.
PRESETS = {
    "dim": Sensor(exposure=0.6, electrons=155, read_noise=2.5, row_noise=0.4),
    "dark": Sensor(exposure=0.35, electrons=75, read_noise=2.5, row_noise=0.4, jpeg_quality=80),
    "very-dark": Sensor(exposure=0.25, electrons=42, read_noise=2.5, row_noise=0.4, jpeg_quality=80),
}
# What most webcams give out in such light: they clean up, sharpen and bend the tones before they send JPEG.
WEBCAM = Sensor(
    exposure=0.6,
    electrons=90,
    read_noise=2.0,
    row_noise=0.2,
    bit_depth=12,
    demosaic="malvar",
    tone=0.7,
    luma_blur=0.6,
    chroma_blur=1.5,
    sharpening=0.5,
    chroma="4:2:2",
    jpeg_quality=80,
)
# A security camera at night: no colours, and it smooths and sharpens what is left.
NIGHT = Sensor(
    exposure=0.6,
    electrons=80,
    read_noise=2.5,
    demosaic="monochrome",
    luma_blur=0.5,
    sharpening=0.4,
    jpeg_quality=80,
)
CAMERAS = {**PRESETS, "webcam": WEBCAM, "night": NIGHT}


def preset(name: str) -> Sensor:
    """The sensor called `name`: "dim", "dark", "very-dark", "webcam" or "night"."""
    if name not in CAMERAS:
        raise BadValueError(f"`preset` (={name!r}) must be one of {', '.join(CAMERAS)}.")
    return CAMERAS[name]
