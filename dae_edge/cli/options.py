"""Options that several verbs share, under the same name everywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from dae_edge.errors import BadValueError

Force = Annotated[bool, typer.Option("--force", help="Replace what is there already.")]
Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON too.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of everything random.")]
Threads = Annotated[int, typer.Option("--threads", metavar="N", min=1, help="CPU threads.")]
Engine = Annotated[
    str | None,
    typer.Option("--engine", help="onnxruntime, litert or openvino; by default the one the file is for."),
]
Model = Annotated[
    str,
    typer.Option(
        "--model", "-m", help="A shipped model's name, or an exported file: .onnx, .tflite or .xml."
    ),
]
Strength = Annotated[
    float,
    typer.Option("--strength", metavar="X", help="From 0 (frame untouched) to 1 (fully denoised)."),
]
Follow = Annotated[
    bool | None,
    typer.Option(
        "--follow/--no-follow",
        help="Carry memory along with what moves: a better picture under a moving camera, for some "
        "milliseconds a frame.",
    ),
]
Simulate = Annotated[
    str | None,
    typer.Option(
        "--simulate",
        metavar="PRESET",
        help="Take the input as clean, make it dim, dark, very-dark, webcam or night first, and measure "
        "the gain.",
    ),
]

Camera = Annotated[
    Path | None,
    typer.Option("--camera", metavar="FILE", help="A camera.json that dae-edge calibrate wrote."),
]

_SIZE = re.compile(r"^([1-9]\d{0,4})x([1-9]\d{0,4})$")


def parse_size(text: str | None) -> tuple[int, int] | None:
    """ "640x480" -> (640, 480), width first; None stays None."""
    if text is None:
        return None
    match = _SIZE.match(text)
    if match is None:
        raise BadValueError(f"`--size` (={text}) must be WxH in pixels, such as 1280x720.")
    return int(match[1]), int(match[2])
