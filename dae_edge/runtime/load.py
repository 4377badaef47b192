"""Find a model by name or path and load it with the engine that runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from dae_edge.errors import BadValueError, ModelLoadError
from dae_edge.manifest import Manifest, digest, sidecar
from dae_edge.runtime.denoiser import Denoiser
from dae_edge.runtime.engine import Engine
from dae_edge.runtime.inspect import SUFFIXES, Contents, manifest_in, read_contents
from dae_edge.runtime.litert import LiteRTEngine
from dae_edge.runtime.onnx import OnnxEngine
from dae_edge.runtime.opening import read_model, read_sidecar, resolved
from dae_edge.runtime.openvino import OpenVINOEngine

WEIGHTS = Path(__file__).parent.parent / "weights"

FAMILY = ("lowlight-s", "lowlight", "lowlight-l")  # the trained models that come with the package

# The same in floats, for reference. The large one's weights fit into 16 bits each, so nothing is lost.
REFERENCE = {name: f"{name}-{'fp16' if name == 'lowlight-l' else 'fp32'}" for name in FAMILY}

# Ready to run at any frame size.
SHIPPED = {name: WEIGHTS / f"{name}-int8.onnx" for name in FAMILY} | {
    name: WEIGHTS / f"{name}.onnx" for name in REFERENCE.values()
}

_ENGINES: dict[str, tuple[str, Callable[..., Engine]]] = {
    "onnxruntime": (".onnx", OnnxEngine),
    "litert": (".tflite", LiteRTEngine),
    "openvino": (".xml", OpenVINOEngine),
}

# What lies beside a file of this suffix and is part of it, by its own suffix.
COMPANIONS = {".xml": (".bin",)}


def model_path(source: str | Path) -> Path:
    """The .keras file behind a shipped model's name, or the path itself; a run folder's best model."""
    if str(source) in FAMILY:
        return WEIGHTS / f"{source}.keras"
    path = Path(source)
    return path / "model.keras" if path.is_dir() else path


def load(
    model: str | Path,
    *,
    engine: Literal["onnxruntime", "litert", "openvino"] | None = None,
    threads: int = 2,
    strength: float = 1.0,
    follow: bool | None = None,
) -> Denoiser:
    """Load a shipped model by name, or an exported .onnx, .tflite or .xml file by path.

    model:    "lowlight", "lowlight-fp32", or a path
    engine:   "onnxruntime" runs .onnx, "litert" .tflite, "openvino" .xml; None chooses by the suffix
    threads:  CPU threads, 1 or more
    strength: 0 (frames untouched) to 1 (fully denoised)
    follow:   carry memory along with what moves, for a better picture under a moving camera and some
              milliseconds a frame; None for what the file was made for: lowlight-l does, others do not

    Raises `ModelLoadError` where the file is missing or is no model, `BadValueError` for an
    argument out of range, `MissingExtraError` where the engine is needed and not installed.
    """
    if threads < 1:
        raise BadValueError(f"`threads` (={threads}) must be 1 or more.")
    path = SHIPPED.get(str(model)) or Path(model)
    chosen = _engine_for(path, engine)
    if not path.is_file():
        raise ModelLoadError(f"{model} is neither a file nor a shipped model ({', '.join(SHIPPED)}).")
    content = read_model(path)
    try:
        companions = COMPANIONS.get(path.suffix, ())
        beside = [read_model(resolved(path, path.with_suffix(suffix))) for suffix in companions]
        _check_digests(path, content, dict(zip(companions, beside, strict=True)))
        if path.suffix in SUFFIXES:
            _check_contents(read_contents(path.suffix, content))  # before an engine sees any of it
        loaded = chosen(content, *beside, threads=threads)
    except ModelLoadError as failure:
        raise ModelLoadError(f"{path} cannot be loaded: {failure}") from failure
    return Denoiser(loaded, strength=strength, follow=follow)


def engine_of(name: str, *contents: bytes, threads: int) -> Engine:
    """The engine called `name` on a file's bytes, and on those of its companions."""
    return _ENGINES[name][1](*contents, threads=threads)


def find(model: str) -> tuple[Path, str]:
    """The file of a shipped model or a path, and the name of the engine that runs it."""
    path = SHIPPED.get(model) or Path(model)
    chosen = _engine_for(path, None)
    if not path.is_file():
        raise ModelLoadError(f"{model} is neither a file nor a shipped model ({', '.join(SHIPPED)}).")
    return path, next(name for name, (_, build) in _ENGINES.items() if build is chosen)


def _engine_for(path: Path, engine: str | None) -> Callable[..., Engine]:
    if engine is not None and engine not in _ENGINES:
        raise BadValueError(f"`engine` (={engine!r}) must be one of {', '.join(_ENGINES)}.")
    for name, (suffix, build) in _ENGINES.items():
        if engine in (None, name) and path.suffix == suffix:
            return build
    if engine is None:
        if path.is_file():
            raise ModelLoadError(f"{path} is neither an .onnx nor a .tflite nor an .xml file.")
        raise ModelLoadError(f"{path} is neither a file nor a shipped model ({', '.join(SHIPPED)}).")
    raise BadValueError(f"`engine` (={engine!r}) runs {_ENGINES[engine][0]} files, not {path.name}.")


def _check_digests(path: Path, content: bytes, companions: Mapping[str, bytes]) -> None:
    """A sidecar's sha256 must be the file's: a flipped bit often loads and runs silently."""
    said = read_sidecar(path) or {}
    beside = said.get("beside")
    expected = {"": said.get("sha256"), **(beside if isinstance(beside, dict) else {})}
    for suffix, part in {"": content, **companions}.items():
        if expected.get(suffix) and expected[suffix] != digest(part):
            whose = f"the {suffix} file's" if suffix else "its"
            raise ModelLoadError(
                f"{whose} sha256 is not the one in {sidecar(path).name}; export or copy it again."
            )


def _check_contents(contents: Contents) -> None:
    """A manifest must be there, and what it names too, or the file would fail at its first frame."""
    text = manifest_in(contents)
    if text is None:
        raise ModelLoadError(
            "it holds no manifest, so it is cut short or was not made by `dae-edge export`; "
            "`dae-edge inspect` says what it is."
        )
    manifest = Manifest.from_json(text)
    inputs = [(manifest.frame.name, manifest.frame.dtype)]
    inputs += [(state.name, state.dtype) for state in manifest.states]
    inputs += [(manifest.strength, "float32")] if manifest.strength else []
    outputs = [(manifest.denoised.name, manifest.denoised.dtype)]
    outputs += [(state.next, state.dtype) for state in manifest.states]
    for side, wanted, there in (("input", inputs, contents.inputs), ("output", outputs, contents.outputs)):
        dtypes = {port.name: port.dtype for port in there}
        for name, dtype in wanted:
            if dtypes.get(name) != dtype:
                raise ModelLoadError(
                    f"its manifest names an {side} {name[:60]!r} of {dtype}, which it lacks."
                )
