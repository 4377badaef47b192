"""What a denoiser is worth: PSNR on clips through simulated cameras, beside what people could use instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from dae_edge.bench.clips import Clip
from dae_edge.bench.peers import Peer, Setting
from dae_edge.metrics import finite, psnr
from dae_edge.runtime import Denoiser
from dae_edge.sensor import SimulatedCamera, preset

Frame = NDArray[np.uint8]

SETTLED = 8  # frames a running average is given before the "later" figure begins
_SAMPLED = 5  # every which frame a setting is tried on, where the filter keeps no memory


@dataclass(frozen=True)
class Score:
    """PSNR in dB: `first` of a clip's first frame, `later` of all from frame `SETTLED` on."""

    clip: str
    light: str
    method: str
    setting: str
    first: float
    later: float

    def figures(self) -> dict[str, object]:
        figures = asdict(self)
        return {**figures, **finite({"first": self.first, "later": self.later})}


@dataclass(frozen=True)
class Seen:
    """A clip as a camera delivers it, and as it should be."""

    name: str
    light: str
    noisy: list[Frame]
    clean: list[Frame]

    def score(self, method: str, denoised: Sequence[Frame], setting: Setting = ()) -> Score:
        later = slice(min(SETTLED, len(denoised) - 1), None)
        return Score(
            self.name,
            self.light,
            method,
            ":".join(f"{value:g}" for value in setting),
            psnr(denoised[:1], self.clean[:1]),
            psnr(denoised[later], self.clean[later]),
        )


def see(clip: Clip, light: str, *, seed: int) -> Seen:
    """`light` is a preset's name, or "clean" for the frames as they are."""
    if light == "clean":
        return Seen(clip.name, light, clip.frames, clip.frames)
    camera = SimulatedCamera(preset(light), seed=seed)
    noisy = [camera.capture(frame) for frame in clip.frames]
    return Seen(clip.name, light, noisy, [camera.clean(frame) for frame in clip.frames])


def evaluate(
    seen: Seen,
    models: Sequence[tuple[str, Denoiser]],
    peers: Sequence[Peer],
    say: Callable[[str], None] = lambda _: None,
) -> list[Score]:
    """The noisy frames themselves, each model from a fresh start, each peer at its best setting."""
    scores = [seen.score("noisy", seen.noisy)]
    for name, denoise in models:
        say(f"{seen.name}, {seen.light}: {name}")
        denoise.reset()
        scores.append(seen.score(name, [denoise(frame) for frame in seen.noisy]))
    for peer in peers:
        say(f"{seen.name}, {seen.light}: {peer.name}")
        scores.append(best(seen, peer))
    return scores


def best(seen: Seen, peer: Peer) -> Score:
    """The peer at the setting with the best `later` figure."""
    if peer.streaming:
        return max(
            (seen.score(peer.name, peer.run(seen.noisy, setting), setting) for setting in peer.settings),
            key=lambda score: score.later,
        )
    later = slice(min(SETTLED, len(seen.noisy) - 1), None, _SAMPLED)
    found = max(peer.settings, key=lambda s: psnr(peer.run(seen.noisy[later], s), seen.clean[later]))
    return seen.score(peer.name, peer.run(seen.noisy, found), found)
