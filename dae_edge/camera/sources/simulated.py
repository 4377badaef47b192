"""Any source, made dark and noisy on the way."""

from __future__ import annotations

from typing import Self

from dae_edge.camera.sources.source import Shot, Source
from dae_edge.sensor import SimulatedCamera, preset


class Simulated:
    """Another source's frames as clean scenes, seen through a simulated low-light sensor."""

    def __init__(self, source: Source, preset_name: str, *, seed: int = 0) -> None:
        self._source, self._preset, self._seed = source, preset_name, seed
        self._camera = SimulatedCamera(preset(preset_name), seed=seed)
        self.name, self.detail = f"{source.name} ({preset_name})", source.detail
        self.size, self.rate, self.live = source.size, source.rate, source.live

    def read(self) -> Shot | None:
        shot = self._source.read()
        if shot is None:
            return None
        return Shot(self._camera.capture(shot.frame), self._camera.clean(shot.frame))

    def close(self) -> None:
        self._source.close()

    def again(self) -> Self:
        return type(self)(self._source.again(), self._preset, seed=self._seed)
