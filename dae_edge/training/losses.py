"""What training makes small, and what it is judged by.

Clips are (B, frames, H, W, 3) in [0, 1]. A clean clip may have a fourth channel: 1 where the pixel showed
something else lately, for frames that are torn out of theirs (`dae_edge/data/remembered.py`).
"""

from __future__ import annotations

from keras import KerasTensor, ops

from dae_edge.data.changed import lately_changed

TRAIL_WEIGHT = 3.0
FLOOR = 2e-3  # added to an error before its logarithm


def charbonnier(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    """Mean of sqrt(error**2 + 1e-6): nearly absolute error, smooth at zero.

    Source: Charbonnier et al., "Two deterministic half-quadratic regularization algorithms for
    computed imaging" (ICIP 1994).
    """
    return ops.mean(_errors(clean, denoised))


def log_charbonnier(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    """Mean over all frames of the logarithm of each one's Charbonnier loss, as PSNR counts.

    A tenth less error is worth the same in a bright clip as in a dark one, where the plain mean is
    nearly blind to light noise. The scale keeps gradients near those of `charbonnier`.
    """
    error = ops.mean(_errors(clean, denoised), axis=(2, 3, 4))
    return 0.02 * ops.mean(ops.log(error + FLOOR))


def log_charbonnier_trails(clean: KerasTensor, denoised: KerasTensor, floor: float = FLOOR) -> KerasTensor:
    """`log_charbonnier` in which a pixel that showed something else lately counts `1 + TRAIL_WEIGHT` times.

    There a memory that does not let go leaves a ghost: a small part of a picture, but what the eye is
    drawn to. Where everything moves, all counts the same. Far below `floor` errors count as they are.
    """
    changed = clean[..., 3:] if clean.shape[-1] > 3 else lately_changed(clean)
    weight = 1 + TRAIL_WEIGHT * changed
    error = ops.mean(_errors(clean, denoised) * weight, axis=(2, 3, 4)) / ops.mean(weight, axis=(2, 3, 4))
    return 0.02 * ops.mean(ops.log(error + floor))


LOSSES = {
    "charbonnier": charbonnier,
    "log-charbonnier": log_charbonnier,
    "log-charbonnier-trails": log_charbonnier_trails,
}


def first_psnr(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    """PSNR in dB of each clip's first frame, where there is no memory yet."""
    return _psnr(clean[:, 0], denoised[:, 0])


def last_psnr(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    """PSNR in dB of each clip's last frame."""
    return _psnr(clean[:, -1], denoised[:, -1])


def _errors(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    return ops.sqrt(ops.square(denoised - clean[..., :3]) + 1e-6)


def _psnr(clean: KerasTensor, denoised: KerasTensor) -> KerasTensor:
    error = ops.mean(ops.square(ops.clip(denoised, 0, 1) - clean[..., :3]), axis=(1, 2, 3))
    return -10 * ops.log10(ops.maximum(error, 1e-10))
