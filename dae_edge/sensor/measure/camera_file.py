"""camera.json: what was measured of a camera, and what others need of it.

Schema 1:
schema     1
made       version, source, size [width, height], frames, rate
sensor     the fields of `Sensor` that make the same noise; see there for the units
interval   95 % interval of electrons, read_noise, row_noise, red_gain, blue_gain
noise      grey levels rms: the noise of a pixel as the picture shows it, over the whole picture
seen       blue, green, red -> rows of [grey level, noise in grey levels rms, pixels]
linear     blue, green, red -> shot and read of var = shot * x + read for one photosite, x = linear light
           with 1 = white, each with its 95 % interval; and points, rows of [x, variance, blocks]
structure  correlation of noise with the pixel 1 and 2 to the right and 1 and 2 below, by colour;
           between colours; lines (rows and columns) in grey levels rms; edges of 8x8 blocks
time       correlation of a frame's noise with the next one's
spots      hot pixels found, how many of all can be found, and the pattern: what else stays from pixel to
           pixel, in grey levels rms, the scene's texture included
coverage   grey levels and light from darkest to brightest, shares of moving, black and white blocks
misfit     rms difference of the noise's structure to that of the sensor above; below 0.06 the same
trust      "good", "fair" or "poor"
notes      sentences for a person
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from dae_edge.errors import BadValueError, MediaError
from dae_edge.sensor.sensor import Sensor

SCHEMA = 1
COLOURS = ("blue", "green", "red")
TRUSTS = ("good", "fair", "poor")


@dataclass(frozen=True)
class CameraFile:
    """A measured camera; see the module for each field."""

    made: dict[str, Any]
    sensor: Sensor
    interval: dict[str, tuple[float, float]]
    noise: float
    seen: dict[str, list[tuple[float, float, int]]]
    linear: dict[str, dict[str, Any]]
    structure: dict[str, Any]
    time: dict[str, float]
    spots: dict[str, float]
    coverage: dict[str, Any]
    misfit: float
    trust: str
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """One line a field, numbers to six digits."""
        content = {"schema": SCHEMA, **asdict(self)}
        lines = (f"  {json.dumps(k)}: {json.dumps(_short(v), allow_nan=False)}" for k, v in content.items())
        return "{\n" + ",\n".join(lines) + "\n}\n"


def read_camera(path: Path) -> CameraFile:
    """The camera that `dae-edge calibrate` wrote to `path`.

    Raises `MediaError` where the file is missing or is none.
    """
    try:
        content = json.loads(path.read_text())
    except OSError as failure:
        raise MediaError(f"{path} cannot be read: {failure.strerror}.") from failure
    except ValueError as failure:
        raise MediaError(f"{path} is not a camera file: it is not JSON.") from failure
    if not isinstance(content, dict) or "sensor" not in content:
        raise MediaError(f"{path} is not a camera file; dae-edge calibrate writes one.")
    if content.pop("schema", None) != SCHEMA:
        raise MediaError(f"{path} is not of schema {SCHEMA}; write it anew with dae-edge calibrate.")
    try:
        known = {field.name: content[field.name] for field in fields(CameraFile)}
        matrix = known["sensor"].get("colour_matrix")
        known["sensor"] = Sensor(
            **known["sensor"] | {"colour_matrix": tuple(map(tuple, matrix)) if matrix else None}
        )
        known["interval"] = {name: (float(a), float(b)) for name, (a, b) in known["interval"].items()}
        known["notes"] = tuple(known["notes"])
        known["noise"] = float(known["noise"])
    except (KeyError, TypeError, ValueError, AttributeError, BadValueError) as failure:
        raise MediaError(f"{path} is not a whole camera file: {_reason(failure)}") from failure
    if known["trust"] not in TRUSTS or not (math.isfinite(known["noise"]) and known["noise"] >= 0):
        raise MediaError(f"{path} is not a whole camera file: `noise` or `trust` is out of range.")
    return CameraFile(**known)


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: _short(inner) for name, inner in value.items()}
    return [_short(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _reason(failure: Exception) -> str:
    return f"{failure} is missing." if isinstance(failure, KeyError) else f"{failure}"
