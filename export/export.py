"""One model, one format, one file: convert, describe, check, and only then write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import keras

from dae_edge.errors import BadValueError, DaeEdgeError, ExportError, ModelLoadError
from dae_edge.export import lowlight_int8
from dae_edge.export import onnx as to_onnx
from dae_edge.export import tflite as to_tflite
from dae_edge.export.check import Parity, measure, require
from dae_edge.export.clips import CALIBRATION_SEED, CHECK_SEED, drawn_pairs, frames_in, with_states
from dae_edge.export.framed import DENOISED, FRAME, STRENGTH, Size
from dae_edge.export.picture_model import NEXT, Frame, PictureModel, Tensors
from dae_edge.files import check_output, writing
from dae_edge.formats import Format
from dae_edge.manifest import Manifest, State, Tensor, sidecar, sidecar_json
from dae_edge.runtime.litert import LiteRTEngine
from dae_edge.runtime.load import FAMILY, WEIGHTS
from dae_edge.runtime.onnx import OnnxEngine

FRAMES = 6  # of each clip, to calibrate and to check: enough for the memory to fill
ANY_SIZE = (240, 320)  # where a file takes any size, it is calibrated on this one
ODD_SIZE = (181, 251)  # and checked on this one too, which no stride divides


@dataclass(frozen=True)
class Exported:
    """What an export made."""

    path: Path
    manifest: Manifest
    parity: Parity


def open_model(source: str | Path) -> PictureModel:
    """A Keras model by path, or a shipped one by name."""
    path = model_path(source)
    if not path.is_file():
        raise ModelLoadError(f"{source} is neither a .keras file nor a shipped model ({', '.join(FAMILY)}).")
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as failure:  # Keras says "file not found" of every broken file
        raise ModelLoadError(f"{path} is not a Keras model, or a damaged one.") from failure
    return PictureModel(model)


def model_path(source: str | Path) -> Path:
    """The .keras file behind a shipped model's name, or the path itself; a run folder's best model."""
    if str(source) in FAMILY:
        return WEIGHTS / f"{source}.keras"
    path = Path(source)
    return path / "model.keras" if path.is_dir() else path


def export(
    model: PictureModel,
    format: Format,
    output: Path,
    *,
    source: Path,
    size: Size = None,
    calibration: Path | None = None,
    force: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Exported:
    """Write `model` as `format` to `output`, and its manifest beside it.

    size:        (height, width), or None for any size where the format and the model allow it
    source:      the model's own file; a `config.json` beside it is its recipe
    calibration: a folder of the user's frames for the 8-bit formats; drawn clips otherwise
    say:         told what is going on, a few words at a time

    Raises `ParityError` where the file does not hold against Keras; then nothing is written.
    """
    for path in (output, sidecar(output)):
        check_output(path, force=force)
    size = _settle_size(model, format, size)
    shape = size or ANY_SIZE
    say("converting")
    try:
        attach = _convert(model, format, size, shape, calibration, say)
    except DaeEdgeError:
        raise
    except Exception as failure:  # the converters raise whatever they like
        reason = (str(failure).strip().splitlines() or [type(failure).__name__])[0]
        raise ExportError(f"{format.name} could not be made: {reason}") from failure
    manifest = _describe(model, format, size, source)

    say("checking against Keras")
    engine = (OnnxEngine if format.engine == "onnxruntime" else LiteRTEngine)(attach(manifest), threads=2)
    pairs = drawn_pairs(model.channels, *shape, frames=FRAMES, seed=CHECK_SEED)
    stepwise = not _by_hand(model, format)  # that one keeps its memory in other units than Keras
    parity = measure(model, engine, pairs, stepwise=stepwise)
    require(parity, format)
    if size is None and model.size is None:
        odd = drawn_pairs(model.channels, *ODD_SIZE, frames=2, seed=CHECK_SEED)
        require(measure(model, engine, odd, stepwise=stepwise), format)

    finished = attach(replace(manifest, quality=parity.figures()))
    with writing(output, force=force) as path:
        path.write_bytes(finished)
    with writing(sidecar(output), force=force) as path:
        path.write_text(sidecar_json(replace(manifest, quality=parity.figures()), finished))
    return Exported(output, manifest, parity)


def _convert(
    model: PictureModel,
    format: Format,
    size: Size,
    shape: tuple[int, int],
    calibration: Path | None,
    say: Callable[[str], None],
) -> Callable[[Manifest], bytes]:
    """Convert; what comes back turns a manifest into the whole file."""

    def examples() -> list[tuple[Frame, Tensors]]:
        if calibration is not None:
            return list(with_states(model, [frames_in(calibration, model.channels, *shape)]))
        pairs = drawn_pairs(model.channels, *shape, frames=FRAMES, seed=CALIBRATION_SEED)
        return list(with_states(model, [pair.noisy for pair in pairs]))

    if _by_hand(model, format):
        say("calibrating")
        bytes_graph = lowlight_int8.to_onnx_int8(model, size, examples())
        return lambda manifest: to_onnx.with_manifest(bytes_graph, manifest)
    if format.engine == "onnxruntime":
        graph = to_onnx.to_onnx(model, size)
        if format.calibrated:
            say("calibrating")
            graph = to_onnx.quantize(graph, model, examples())
        return lambda manifest: to_onnx.with_manifest(graph, manifest)
    if format.calibrated:
        say("calibrating")
        seen = examples()
        content = to_tflite.to_tflite_int8(model, shape, lambda: seen)
    else:
        content = to_tflite.to_tflite(model, shape, half_weights=format.half_weights)
    return lambda manifest: to_tflite.with_manifest(content, manifest)


def _by_hand(model: PictureModel, format: Format) -> bool:
    """Whether the graph is written node by node rather than converted."""
    return format.name == "onnx-int8" and lowlight_int8.fits(model)


def _settle_size(model: PictureModel, format: Format, size: Size) -> Size:
    """The size the file will have; `BadValueError` for one it cannot have."""
    if model.size is not None:
        if size not in (None, model.size):
            height, width = model.size
            raise BadValueError(f"`--size` must be {width}x{height}: this model takes no other.")
        return model.size
    if size is None:
        if not format.any_size:
            raise BadValueError(f"`--size` must be given as WxH: a {format.name} file has one fixed size.")
        return None
    if min(size) < 2 * model.stride:
        raise BadValueError(
            f"`--size` (={size[1]}x{size[0]}) must be {2 * model.stride} pixels a side at least."
        )
    return size


def _describe(model: PictureModel, format: Format, size: Size, source: Path) -> Manifest:
    sides = size or ("H", "W")
    colour = "BGR" if model.channels == 3 else "grey"
    layout = to_onnx.LAYOUT if format.engine == "onnxruntime" else to_tflite.LAYOUT
    recipe, seed = _recipe(source)
    by_hand = _by_hand(model, format)
    return Manifest(
        name=model.model.name,
        format=format.name,
        frame=Tensor(FRAME, (1, *sides, model.channels), colour),
        denoised=Tensor(DENOISED, (1, *sides, model.channels), colour),
        states=tuple(_describe_state(model, name, size, layout) for name in model.states),
        multiple=model.stride,
        minimum=1 if model.size else 2 * model.stride,
        strength=STRENGTH if by_hand else "",
        quantization=lowlight_int8.QUANTIZATION if by_hand else format.quantization,
        recipe=recipe,
        seed=seed,
        tools={
            name: version(name)
            for name in (
                "dae-edge",
                "keras",
                "tensorflow",
                "tf2onnx",
                "onnx",
                "onnxruntime",
                "ai-edge-litert",
            )
        },
    )


def _describe_state(model: PictureModel, name: str, size: Size, layout: str) -> State:
    channels = model.state_channels(name)
    if size is not None:
        _, *sides, _ = model.state_shape(name, *size)
    else:
        sides = [f"{side}/{model.state_divisors[name]}" for side in "HW"]  # type: ignore[misc]
    shape = (1, channels, *sides) if layout == "NCHW" else (1, *sides, channels)
    return State(name, name + NEXT, shape, layout=layout)


def _recipe(source: Path) -> tuple[str, int | None]:
    """sha256 and seed of the recipe that lies beside the model, where one does."""
    for name in (f"{source.stem}.json", "config.json"):
        beside = source.with_name(name)
        if beside.is_file():
            text = beside.read_bytes()
            try:
                return hashlib.sha256(text).hexdigest(), json.loads(text).get("seed")
            except ValueError as failure:
                raise ExportError(f"{beside} is not readable JSON.") from failure
    return "", None
