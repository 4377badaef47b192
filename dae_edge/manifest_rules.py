"""What a manifest from an unknown hand must keep to before anything is built from it.

A manifest decides the size of arrays and the names fed to a runtime, so each field is held to
its type and range. No field names a file, and none is ever opened because a manifest says so.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from dae_edge.errors import ModelLoadError

LARGEST = 1 << 20  # bytes of JSON; real ones have two thousand
_LONGEST_SIDE = 1 << 16
_MOST_A_PIXEL = 1 << 12  # numbers of a state, where its sides are the frame's
_MOST_NUMBERS = 1 << 28
_SIDE = re.compile(r"[HW](/[1-9][0-9]{0,2})?")


def parse(text: str | bytes) -> dict[str, Any]:
    """The JSON object in `text`; ValueError where it is none, too large or nested too deeply."""
    if len(text) > LARGEST:
        raise ValueError(f"it has more than {LARGEST >> 20} MB")
    try:
        raw = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(raw, dict):
        raise ValueError("it is not a JSON object")
    return raw


def check(raw: dict[str, Any]) -> None:
    """Raise `ModelLoadError` for the first field of a parsed manifest that breaks its rule."""
    for name in ("name", "format", "quantization", "recipe", "strength"):
        _need(isinstance(raw.get(name, ""), str), name, raw.get(name), "text")
    for name in ("multiple", "minimum"):
        _need(_whole(raw.get(name, 1), 1, 1024), name, raw.get(name), "a whole number, 1 to 1024")
    for name in ("quality", "tools"):
        _need(isinstance(raw.get(name, {}), dict), name, raw.get(name), "an object")
    for name in ("frame", "denoised"):
        _check_picture(name, raw[name])
    _need(isinstance(raw.get("follows", False), bool), "follows", raw.get("follows"), "true or false")
    states = raw.get("states", [])
    _need(isinstance(states, list) and len(states) <= 100, "states", states, "a list of at most 100")
    for state in states:
        _check_state(state)
    _check_memory(raw.get("memory", ""), states)


def _check_memory(memory: Any, states: list[Any]) -> None:
    """What is carried along with motion must be the average of 2 x 2 blocks in 12 planes, and its count."""
    _need(memory in ("", "bands", "pixels"), "memory", memory, 'one of "", "bands", "pixels"')
    if not memory:
        return
    shapes = {state["name"]: state["shape"] for state in states}
    channels = {"state_average": 12, "state_count": 1}
    axis = {1 if state.get("layout") == "NCHW" else -1 for state in states}
    fits = shapes.keys() == channels.keys() and all(len(shape) == 4 for shape in shapes.values())
    fits = fits and len(axis) == 1 and all(shapes[n][a] == c for n, c in channels.items() for a in axis)
    _need(fits, "memory", memory, "that of 12 planes named state_average and one named state_count")


def _check_picture(name: str, tensor: Any) -> None:
    _need(isinstance(tensor, dict) and isinstance(tensor.get("name"), str), name, tensor, "a named tensor")
    shape = tensor.get("shape")
    fits = isinstance(shape, list) and len(shape) == 4 and shape[0] == 1 and shape[3] in (1, 3)
    fits = fits and all(_whole(side, 1, _LONGEST_SIDE) or side in ("H", "W") for side in shape[1:3])
    _need(fits, f"{name}.shape", shape, '[1, H, W, channels], H and W numbers or "H" and "W"')
    _need(tensor.get("dtype", "uint8") == "uint8", f"{name}.dtype", tensor.get("dtype"), "uint8")


def _check_state(state: Any) -> None:
    named = isinstance(state, dict) and all(isinstance(state.get(key), str) for key in ("name", "next"))
    _need(named, "states", state, "named tensors")
    shape = state.get("shape")
    fits = isinstance(shape, list) and len(shape) <= 8
    fits = fits and all(
        _SIDE.fullmatch(side) if isinstance(side, str) else _whole(side, 1, _LONGEST_SIDE) for side in shape
    )
    _need(fits, "states.shape", shape, 'whole numbers, or sides like "H/2"')
    numbers = [side for side in shape if isinstance(side, int)]
    few = len(shape) - len(numbers) <= 2 and math.prod(numbers) <= _MOST_A_PIXEL
    _need(few or len(numbers) == len(shape), "states.shape", shape, "of a size that fits a frame")
    _need(math.prod(numbers) <= _MOST_NUMBERS, "states.shape", shape, "of a size that fits in memory")
    dtype = state.get("dtype", "float32")
    _need(dtype in ("float32", "float16"), "states.dtype", dtype, "float32 or float16")
    start = state.get("start", 0)
    _need(isinstance(start, int | float), "states.start", start, "a number")


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _need(fits: Any, name: str, value: Any, rule: str) -> None:
    if not fits:
        raise ModelLoadError(f"its manifest's `{name}` (={str(value)[:60]!r}) must be {rule}.")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
