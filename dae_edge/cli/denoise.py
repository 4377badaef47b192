"""`dae-edge denoise`: a picture, a folder of pictures or a video, from the disk to the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dae_edge.cli import options
from dae_edge.cli.console import be_quiet, check_json, next_step, out, progress, write_json, wrote
from dae_edge.hush import hushed


def denoise(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="A picture, a folder of pictures, or a video.")
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The same kind, cleaned.")],
    model: options.Model = "lowlight",
    engine: options.Engine = None,
    threads: options.Threads = 2,
    strength: options.Strength = 1.0,
    follow: options.Follow = None,
    sequence: Annotated[
        bool, typer.Option("--sequence", help="A folder's pictures are one clip, in order of name.")
    ] = False,
    simulate: options.Simulate = None,
    seed: options.Seed = 0,
    json: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Denoise files. Size, frame rate and (with ffmpeg) sound are kept."""
    be_quiet(quiet)
    check_json(json, force=force)

    from dae_edge.camera.offline import Job
    from dae_edge.runtime import load
    from dae_edge.sensor import SimulatedCamera, preset

    camera = SimulatedCamera(preset(simulate), seed=seed) if simulate is not None else None
    with hushed():  # LiteRT announces its delegate
        loaded = load(model, engine=engine, threads=threads, strength=strength, follow=follow)  # type: ignore[arg-type]
    if follow is None:  # nobody waits for a frame here
        loaded.follow_if_able(True)
    with progress("denoising") as report:
        job = Job(loaded, simulate=camera, force=force, progress=report)
        result = job.run(source, output, sequence=sequence)

    wrote(output)
    noisy, denoised = result.noisy.psnr, result.denoised.psnr
    if noisy is not None and denoised is not None:
        out.print(
            f"{result.frames} frames: noisy {noisy:.2f} dB, denoised {denoised:.2f} dB "
            f"([bold]{denoised - noisy:+.2f} dB[/])"
        )
    else:
        out.print(f"{result.frames} frame{'s' if result.frames != 1 else ''}")
    write_json(json, result.figures(), force=force)
    next_step("dae-edge live --source 0")
