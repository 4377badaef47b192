import hashlib
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import dae_edge
from dae_edge.errors import BadValueError, FrameError, ModelLoadError
from dae_edge.manifest import Manifest, sidecar
from dae_edge.runtime.load import FAMILY, SHIPPED
from dae_edge.runtime.onnx import session_options


@pytest.fixture(scope="module")
def denoise() -> dae_edge.Denoiser:
    return dae_edge.load("lowlight", threads=1)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_take_any_size(name: str, random: np.random.Generator) -> None:
    denoise = dae_edge.load(name, threads=1)
    for shape in ((48, 64, 3), (37, 53, 3), (16, 16, 3), (121, 200, 3)):
        frame = random.integers(0, 256, size=shape, dtype=np.uint8)
        clean = denoise(frame)
        assert clean.shape == shape
        assert clean.dtype == np.uint8


def test_it_denoises_and_the_clip_helps(random: np.random.Generator) -> None:
    clean = np.full((96, 128, 3), (80, 120, 100), np.uint8)
    clean[30:60, 40:90] = (160, 60, 60)
    denoise = dae_edge.load("lowlight", threads=1)
    errors = []
    for _ in range(10):
        noisy = np.clip(clean + random.normal(0, 20, clean.shape), 0, 255).astype(np.uint8)
        errors.append(np.square(denoise(noisy).astype(float) - clean).mean())
    assert errors[0] < 400 / 4  # 6 dB on the first frame
    assert errors[-1] < errors[0]


def test_memory_is_remembered_and_forgotten(denoise: dae_edge.Denoiser, frame: np.ndarray) -> None:
    denoise.reset()
    first = denoise(frame)
    second = denoise(255 - frame)
    denoise.reset()
    assert (denoise(frame) == first).all()
    denoise.reset()
    assert (denoise(255 - frame) != second).any()


def test_another_size_starts_a_new_clip(denoise: dae_edge.Denoiser, frame: np.ndarray) -> None:
    denoise.reset()
    first = denoise(frame)
    denoise(frame[:32, :32])
    assert (denoise(frame) == first).all()


def test_strength_goes_from_untouched_to_full(denoise: dae_edge.Denoiser, frame: np.ndarray) -> None:
    results = {}
    for strength in (0.0, 0.5, 1.0):
        denoise.reset()
        denoise.strength = strength
        results[strength] = denoise(frame).astype(int)
    assert (results[0.0] == frame).all()
    middle = (results[0.0] + results[1.0]) / 2
    assert np.abs(results[0.5] - middle).max() <= 1


def test_a_view_is_a_frame_too(denoise: dae_edge.Denoiser, frame: np.ndarray) -> None:
    denoise.reset()
    turned = denoise(frame[::-1])
    denoise.reset()
    assert (denoise(frame[::-1].copy()) == turned).all()


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [[1]],
        np.zeros((48, 64), np.uint8),
        np.zeros((48, 64, 4), np.uint8),
        np.zeros((48, 64, 3), np.float32),
        np.zeros((1, 48, 64, 3), np.uint8),
    ],
)
def test_what_is_no_frame_is_a_value_error(denoise: dae_edge.Denoiser, wrong: object) -> None:
    with pytest.raises(ValueError, match=r"`frame` must be .*\(H, W, 3\) uint8 BGR; got") as caught:
        denoise(wrong)  # type: ignore[arg-type]
    assert isinstance(caught.value, FrameError)


def test_a_frame_too_small_is_named(denoise: dae_edge.Denoiser) -> None:
    with pytest.raises(FrameError, match="8x20; this model needs 16"):
        denoise(np.zeros((20, 8, 3), np.uint8))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"threads": 0}, r"`threads` \(=0\)"),
        ({"strength": 1.5}, r"`strength` \(=1.5\)"),
        ({"engine": "cuda"}, r"`engine` \(='cuda'\)"),
        ({"engine": "litert"}, "runs .tflite files"),
    ],
)
def test_wrong_arguments_name_value_and_rule(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(BadValueError, match=says):
        dae_edge.load("lowlight", **arguments)  # type: ignore[arg-type]


def test_a_missing_file_names_the_shipped_models() -> None:
    with pytest.raises(ModelLoadError, match=r"neither a file nor a shipped model \(lowlight"):
        dae_edge.load("lowlihgt")


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pb").write_bytes(b"x")
    with pytest.raises(ModelLoadError, match=r"neither an \.onnx nor a \.tflite"):
        dae_edge.load(tmp_path / "model.pb")


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
@pytest.mark.parametrize("content", [b"", b"just some text", b"\x00" * 64])
def test_garbage_is_a_model_load_error(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelLoadError, match="cannot be loaded"):
        dae_edge.load(path)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = SHIPPED["lowlight"].read_bytes()
    path = tmp_path / "model.onnx"
    for share in (0.1, 0.3, 0.5, 0.8, 0.99):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ModelLoadError):
            dae_edge.load(path)


def test_a_flipped_bit_is_caught_by_the_sidecar(tmp_path: Path) -> None:
    shipped = SHIPPED["lowlight"]
    content = bytearray(shipped.read_bytes())
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    sidecar(path).write_bytes(sidecar(shipped).read_bytes())
    dae_edge.load(path)
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelLoadError, match="sha256"):
        dae_edge.load(path)


@pytest.mark.parametrize(
    ("version", "spins"), [("1.24.1", "0"), ("1.25.0", "0"), ("1.26.0", "1"), ("2.0", "1")]
)
def test_threads_spin_only_where_the_runtime_can_stop_them(
    monkeypatch: pytest.MonkeyPatch, version: str, spins: str
) -> None:
    monkeypatch.setattr(onnxruntime, "__version__", version)
    options = session_options(2)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == spins
    assert options.get_session_config_entry("session.intra_op.spin_duration_us") == "100"


def test_shipped_models_lie_beside_their_manifest_and_card() -> None:
    for path in SHIPPED.values():
        assert sidecar(path).is_file()
    assert (SHIPPED["lowlight"].parent / "lowlight.md").is_file()


def test_shipped_models_name_the_recipe_that_lies_beside_them() -> None:
    for name, path in SHIPPED.items():
        size = name if name in FAMILY else name.rpartition("-")[0]
        recipe = path.with_name(f"{size}.json").read_bytes()
        assert Manifest.from_json(sidecar(path).read_text()).recipe == hashlib.sha256(recipe).hexdigest()
