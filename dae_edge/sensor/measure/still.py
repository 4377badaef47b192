"""Whether a scene can be measured: enough frames, still, and neither black nor white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import CalibrationError
from dae_edge.sensor.measure.readings import BLOCK, Readings, whole_blocks

Stack = NDArray[np.uint8]
Mask = NDArray[np.bool_]

FRAMES = 16  # fewer say too little of a variance
SIDE = 64  # pixels: smaller frames hold too few blocks
MOVING = 0.01  # share of blocks that may move; they are left out
_UNUSABLE = 0.6  # share of the picture that may be too black or too white
_BLACK, _WHITE = 4.0, 246.0  # mean grey levels within which a block tells something
_JUMP, _DRIFT = 9.0, 6.0  # standard deviations: noise does not move a block's mean so far
_USUAL_DRIFT = 1.3  # of noise: the median of the largest of three colours
_LOUD = 3.0  # times the noise of the blocks as bright as it


def different_frames(stack: Stack) -> Stack:
    """The frames that differ from the one before: a repeated frame has no noise of its own."""
    if stack.ndim != 4 or stack.shape[3] != 3 or min(stack.shape[1:3]) < SIDE:
        raise CalibrationError(
            f"the frames are {stack.shape[2]}x{stack.shape[1]}; ask for {SIDE}x{SIDE} at least with --size."
        )
    fresh = [0] + [i for i in range(1, len(stack)) if not np.array_equal(stack[i], stack[i - 1])]
    if len(stack) >= FRAMES and len(fresh) < FRAMES:
        raise CalibrationError(
            f"of {len(stack)} frames only {len(fresh)} differ: this is a still picture, a frozen camera or a "
            "camera that hides its noise; try another mode with --size."
        )
    if len(fresh) < FRAMES:
        raise CalibrationError(f"{len(stack)} frames are too few, {FRAMES} are needed; raise --seconds.")
    return whole_blocks(stack[fresh])


def moving(readings: Readings) -> Mask:
    """(rows, columns) of blocks in which something moves.

    Noise looks alike whether its frames are one or several apart, and alike in blocks of one
    brightness; something that moves does not.
    """
    power = readings.power[BLOCK].sum(axis=-1) + 1e-3
    wander = (readings.slow.sum(axis=-1) + 1e-3) / power
    # A camera that averages over time makes all blocks wander and drift alike.
    wander /= np.median(wander)
    drift = readings.drift / max(float(np.median(readings.drift)) / _USUAL_DRIFT, 1.0)
    limit = 1 + 6 * np.sqrt(4 / readings.frames)
    green = readings.level[..., 1]
    loud = power / _usual(green, power)
    return (wander > limit) | (readings.peak > _JUMP) | (drift > _DRIFT) | (loud > _LOUD)


def _usual(level: NDArray[np.float32], power: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median power of the blocks that are as bright, in bins of equally many."""
    order = np.argsort(level, axis=None)
    usual = np.empty(level.size, np.float32)
    for part in np.array_split(order, max(level.size // 100, 1)):
        usual[part] = np.median(power.ravel()[part])
    return usual.reshape(level.shape)


def check_still(readings: Readings) -> Mask:
    """(rows, columns) of the blocks that hold still; `CalibrationError` where too few do."""
    found = moving(readings)
    share = float(found.mean())
    if share > MOVING:
        raise CalibrationError(
            f"the scene moves in {share:.1%} of the picture ({MOVING:.0%} is the most); put the camera down, "
            "point it at something that stands still, and keep out of the picture."
        )
    return ~found


def check_light(readings: Readings, still: Mask) -> Mask:
    """(rows, columns, 3) of the blocks and colours to measure by; `CalibrationError` where too few are."""
    black, white = readings.level < _BLACK, readings.level > _WHITE
    green = (float(black[..., 1].mean()), float(white.any(axis=-1).mean()))
    if green[0] > _UNUSABLE:
        raise CalibrationError(
            f"{green[0]:.0%} of the picture is black; give the scene light, or take the cover off the lens."
        )
    if green[1] > _UNUSABLE:
        raise CalibrationError(
            f"{green[1]:.0%} of the picture is white; take light away, or lower the camera's exposure."
        )
    usable = ~(black | white) & still[..., None]
    if usable[..., 1].mean() < 1 - _UNUSABLE:
        raise CalibrationError(
            f"only {usable[..., 1].mean():.0%} of the picture is neither black, white nor moving; "
            "point the camera at something else."
        )
    return usable
