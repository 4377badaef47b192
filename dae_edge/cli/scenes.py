"""`dae-edge scenes`: look at the pictures that training draws."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, next_step, out, wrote
from dae_edge.errors import OutputError
from dae_edge.files import check_output, writing


def scenes(
    preview: Annotated[
        Path,
        typer.Option("--preview", metavar="FOLDER", help="Where scenes.png and scenes.mp4 go."),
    ] = Path("runs/scenes"),
    seed: options.Seed = 1,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Draw a contact sheet and a clip of training scenes, each clean and as a random camera sees it."""
    be_quiet(quiet)
    sheet, film = preview / "scenes.png", preview / "scenes.mp4"
    for path in (sheet, film):
        check_output(path, force=force)

    from dae_edge.camera.sinks import VideoFile
    from dae_edge.data import preview as drawing
    from dae_edge.opencv import cv2

    with out.status("drawing"):
        with writing(sheet, force=force) as path:
            if not cv2.imwrite(str(path), drawing.contact_sheet(seed)):
                raise OutputError(f"{sheet} cannot be written.")
        video = VideoFile(film, rate=12.0, force=force)
        whole = False
        try:
            for frame in drawing.clip(seed):
                video.write(frame)
            whole = True
        finally:
            video.close(keep=whole)
    wrote(sheet, film)
    next_step("dae-edge train lowlight --quick")
