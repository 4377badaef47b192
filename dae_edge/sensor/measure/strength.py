"""How much denoising a camera's noise is worth."""

from __future__ import annotations

from dae_edge.errors import BadValueError

# Grey levels rms, about, that the shipped `lowlight` changes in clips without noise: of eight drawn and
# eight real ones between 0.8 and 10, half of them under 1.8.
OWN_ERROR = 2.0


def strength_for(noise: float) -> float:
    """The strength, 0 to 1, for noise of so many grey levels rms a pixel.

    The camera's frame is wrong by its noise, the denoised one by the denoiser's own error. The mixture of two
    pictures with independent errors that is closest to the truth takes each in proportion to the
    other's variance: noise**2 / (noise**2 + OWN_ERROR**2). It rises steadily, from 0 without noise
    over a half where the denoiser would err as much as the camera, to 1.
    """
    if not noise >= 0:
        raise BadValueError(f"`noise` (={noise}) must not be negative.")
    return noise**2 / (noise**2 + OWN_ERROR**2)
