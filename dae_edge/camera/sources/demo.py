"""The simulated low-light camera, for machines and rooms without one."""

from __future__ import annotations

import functools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from dae_edge.camera.sources.source import DEFAULT_RATE, Frame, Shot, describe
from dae_edge.errors import BadValueError
from dae_edge.scenes import Room
from dae_edge.sensor import SimulatedCamera, preset

_SCENES = 32  # places in the scene, played forth and back: two seconds and more at 30 fps
_BEGIN = 1.5  # seconds into the scene: the hand waves
_ROOM = 256 << 20  # bytes of frames kept at most
_MEASURED = 8  # one frame in so many comes with its clean picture

_EXPOSING = threading.Lock()


class DemoCamera:
    """A drawn room through a simulated sensor, in real time; every eighth frame comes with its clean picture.

    A simulated exposure costs twice what denoising it does, so all are made before the first `read`
    and then played forth and back. Each place in the scene has two exposures, one for either way, so
    that up to 1920x1080 no noise comes again within 40 frames, longer than a denoiser remembers.
    `still` holds the scene still, for measuring the camera.
    """

    live = True

    def __init__(
        self,
        preset_name: str = "dark",
        *,
        size: tuple[int, int] | None = None,
        rate: float | None = None,
        seed: int = 0,
        still: bool = False,
    ) -> None:
        width, height = self.size = size or (640, 480)
        if min(width, height) < 16 or max(width, height) > 8192:
            raise BadValueError(f"`--size` (={width}x{height}) of the demo must be from 16 to 8192 a side.")
        self._preset, self._seed, self._still = preset_name, seed, still
        self.name = f"demo camera ({preset_name})"
        self.rate = rate or DEFAULT_RATE
        self.detail = describe(self.size, self.rate)
        with _EXPOSING:
            self._shots = _expose(preset_name, self.size, self.rate, seed, still)
        self._begun: float | None = None
        self._count = 0

    def read(self) -> Shot:
        now = time.monotonic()
        if self._begun is None:
            self._begun = now
        due = self._begun + self._count / self.rate
        if now < due:
            time.sleep(due - now)
        else:  # a camera does not wait for whoever is late
            self._count = int((now - self._begun) * self.rate)
        shot = self._shots[self._count % len(self._shots)]
        self._count += 1
        return shot

    def close(self) -> None:
        pass

    def again(self) -> Self:
        return type(self)(self._preset, size=self.size, rate=self.rate, seed=self._seed, still=self._still)


@functools.lru_cache(maxsize=1)  # opened again, it is there at once
def _expose(preset_name: str, size: tuple[int, int], rate: float, seed: int, still: bool) -> list[Shot]:
    """All frames of one time forth and back, made on two cores; where `still`, of one place in the scene."""
    sensor = preset(preset_name)
    room = Room(*size, seed=seed)
    scenes = max(8, min(_SCENES, _ROOM // (2 * 3 * size[0] * size[1])))
    order = [*range(scenes), *reversed(range(scenes))]
    halves = (order[: len(order) // 2], order[len(order) // 2 :])

    def expose(half: int) -> list[Shot]:
        camera = SimulatedCamera(sensor, seed=seed + half)
        shots = []
        for index, place in enumerate(halves[half]):
            scene = room.frame(_BEGIN + (0 if still else place / rate))
            clean = _lasting(camera.clean(scene)) if index % _MEASURED == 0 else None
            shots.append(Shot(_lasting(camera.capture(scene)), clean))
        return shots

    with ThreadPoolExecutor(2) as pool:
        forth, back = pool.map(expose, (0, 1))
    return forth + back


def _lasting(frame: Frame) -> Frame:
    """A frame that comes again must not be written into."""
    frame.flags.writeable = False
    return frame
