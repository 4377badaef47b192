"""What `--camera` does to `--strength`."""

from __future__ import annotations

from pathlib import Path

from dae_edge.cli.console import out


def camera_strength(path: Path) -> float:
    """The share of `--strength` that the noise of a measured camera is worth, said on the way."""
    from dae_edge.sensor.measure import read_camera, strength_for

    camera = read_camera(path)
    share = strength_for(camera.noise)
    out.print(f"[dim]{path}: noise {camera.noise:.1f} grey levels, {share:.2f} of the strength[/]")
    return share
