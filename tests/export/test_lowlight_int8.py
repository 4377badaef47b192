"""The hand-written graph: what it promises beyond every other format."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import dae_edge
from dae_edge.errors import ParityError
from dae_edge.export import check, export, lowlight_int8
from dae_edge.export.clips import CALIBRATION_SEED, contrast_card, drawn_pairs
from dae_edge.export.executed import nodes
from dae_edge.export.picture_model import PictureModel
from dae_edge.formats import by_name
from dae_edge.metrics import psnr
from dae_edge.models.camera import MOSAICS, THRESHOLDS
from dae_edge.models.lowlight import lowlight as build
from dae_edge.runtime.load import REFERENCE, SHIPPED
from dae_edge.scenes import draw_clip
from dae_edge.sensor import PRESETS, SimulatedCamera
from tests.export.test_picture_model import unet

INT8 = by_name("onnx-int8")


@pytest.fixture
def model(lowlight: PictureModel) -> PictureModel:
    return lowlight


@pytest.fixture
def path(any_int8: Path) -> Path:
    return any_int8


def test_every_learned_convolution_is_in_8_bits(model: PictureModel, path: Path) -> None:
    graph = onnx.load(path).graph
    kinds = [node.op_type for node in nodes(graph)]
    learned = [a for a in model.model.layers if isinstance(a, keras.layers.Conv2D) and a.trainable]
    # Details are in the head and in the way back to pixels, which is one more. The head is two, each step up
    # one for either row; and half of the head is there for each mosaic.
    assert kinds.count("QLinearConv") == len(learned) - 2 + 1 + 2 + 1 + MOSAICS - 1
    assert kinds.count("MatMulInteger") == 1  # how pixels depend on their neighbours, which is not learned
    assert "Conv" not in kinds
    assert "DepthToSpace" not in kinds


def test_strength_is_in_the_graph_and_may_be_left_out(path: Path) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    frame = random.integers(0, 256, (1, 32, 48, 3), dtype=np.uint8)
    feeds = {
        "frame": frame,
        "state_average": np.zeros((1, 12, 16, 24), np.float32),
        "state_count": np.zeros((1, 1, 16, 24), np.float32),
    }
    outputs = {
        strength: session.run(["denoised"], {**feeds, "strength": np.array(strength, np.float32)})[0]
        for strength in (0.0, 0.5, 1.0)
    }
    assert (outputs[0.0] == frame).all()
    assert (session.run(["denoised"], feeds)[0] == outputs[1.0]).all()
    middle = (outputs[1.0].astype(float) + frame) / 2
    assert np.abs(outputs[0.5] - middle).max() <= 1


def test_the_runtime_hands_strength_to_the_file(path: Path) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    denoise = dae_edge.load(path, strength=0)
    assert denoise.manifest.strength == "strength"
    assert (denoise(frame) == frame).all()
    denoise.strength = 1
    assert (denoise(frame) != frame).any()


def test_a_fixed_size_gives_what_any_size_gives(session: export.Session, path: Path, tmp_path: Path) -> None:
    fixed = session.export(INT8, tmp_path / "fixed.onnx", size=(50, 70)).path
    clip = drawn_pairs(3, 50, 70, frames=3, seed=1)[0].noisy
    one, other = dae_edge.load(path), dae_edge.load(fixed)
    # Calibrated on other sizes of the same clips, so not bit by bit.
    assert psnr([one(f) for f in clip], [other(f) for f in clip]) > 40


def test_a_high_frame_tells_of_its_noise_in_fewer_rows(model: PictureModel, path: Path) -> None:
    """The model listens in all that it knows of, the file in half of them: the same picture to see."""
    pair = drawn_pairs(3, 720, 96, frames=4, seed=4)[0]
    denoise, states = dae_edge.load(path), model.start(720, 96)
    ours, reference = [], []
    for frame in pair.noisy:
        ours.append(denoise(frame))
        expected, states = model.restore(frame, states)
        reference.append(np.rint(expected).astype(np.uint8))
    assert psnr(ours, reference) > 40
    assert psnr(ours, pair.clean) > psnr(reference, pair.clean) - 0.3


@pytest.mark.slow
def test_300_frames_leave_no_ghost(model: PictureModel, path: Path) -> None:
    """A still scene behind noise: the memory is float, so the error keeps falling and stays low."""
    pair = drawn_pairs(3, 64, 96, frames=1, seed=CALIBRATION_SEED)[0]
    scene, random = pair.clean[0].astype(float), np.random.default_rng(1)
    clip = [np.clip(scene + random.normal(0, 12, scene.shape), 0, 255).astype(np.uint8) for _ in range(300)]
    denoise, states = dae_edge.load(path), model.start(64, 96)
    ours, reference = [], []
    for frame in clip:
        ours.append(denoise(frame))
        expected, states = model.restore(frame, states)
        reference.append(np.rint(expected).astype(np.uint8))
    late = [pair.clean[0]] * 20
    assert psnr(ours[-20:], late) > psnr(reference[-20:], late) - 0.5
    assert psnr(ours[-20:], late) > psnr(ours[10:30], late) - 0.1


@pytest.mark.parametrize("shape", [{"width": 16}, {"width": 32, "blocks": 1}])
def test_every_size_of_the_family_agrees_with_keras(shape: dict[str, int], tmp_path: Path) -> None:
    """Untrained, so only the arithmetic is compared: frame by frame the same picture."""
    keras.utils.set_random_seed(1)
    network = build(**shape)
    for layer in network.layers:  # to the size of trained weights, so that nothing saturates
        if isinstance(layer, keras.layers.Conv2D) and layer.trainable:
            layer.set_weights([0.5 * w for w in layer.get_weights()])
    detail = network.get_layer("detail")  # silent before it is trained
    random = np.random.default_rng(2)
    detail.set_weights([random.normal(0, 0.3, detail.kernel.shape)])
    for layer in network.layers:  # silent as well
        if layer.name.endswith(THRESHOLDS):
            layer.set_weights([random.normal(0, 0.02, layer.kernel.shape)])
    model = PictureModel(network)
    assert lowlight_int8.fits(model)
    pairs = drawn_pairs(3, 48, 64, frames=3, seed=CALIBRATION_SEED)
    examples = list(export.with_states(model, [p.noisy for p in pairs]))
    graph = lowlight_int8.to_onnx_int8(lowlight_int8.Network(model, examples), (48, 64))
    import onnxruntime

    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {
        "state_average": np.zeros((1, 12, 24, 32), np.float32),
        "state_count": np.zeros((1, 1, 24, 32), np.float32),
    }
    states = model.start(48, 64)
    for frame in pairs[0].noisy:
        denoised, *following = session.run(None, {"frame": frame[None], **feeds})
        feeds = dict(zip(feeds, following, strict=True))
        expected, states = model.restore(frame, states)
        assert psnr([denoised[0]], [np.rint(expected).astype(np.uint8)]) > 20


def test_layers_that_were_frozen_are_calibrated_too() -> None:
    """As fine-tuning leaves them: they could not be exported."""
    network = build()
    network.trainable = False
    model = PictureModel(network)
    pairs = drawn_pairs(3, 32, 48, frames=1, seed=CALIBRATION_SEED)
    calibrated = lowlight_int8.Network(model, list(export.with_states(model, [pairs[0].noisy])))
    onnx.checker.check_model(lowlight_int8.to_onnx_int8(calibrated, (32, 48)))


def test_hard_edges_widen_the_layers_that_they_leave_first(model: PictureModel) -> None:
    examples = list(
        export.with_states(model, [drawn_pairs(3, 64, 96, frames=1, seed=CALIBRATION_SEED)[0].noisy])
    )
    card = list(export.with_states(model, [contrast_card(64, 96, CALIBRATION_SEED)]))
    fine, wider = (lowlight_int8.Network(model, examples, edges=edges) for edges in ([], card))
    assert wider.told("quarter_out").scale > 1.2 * fine.told("quarter_out").scale
    assert wider.signed_scale("half_up") > 1.2 * fine.signed_scale("half_up")
    for name in ("half_in", "quarter_in", "eighth_1", "half_out"):
        assert wider.relu_scale(name) == fine.relu_scale(name)
    assert np.array_equal(wider.head.steps, fine.head.steps)


@pytest.mark.parametrize(
    ("keras", "file", "holds"), [(90, 49, False), (90, 51, True), (30, 29.95, True), (30, 28, False)]
)
def test_hard_edges_come_out_as_from_keras_or_better_than_anybody_sees(
    keras: float, file: float, holds: bool
) -> None:
    parity = check.Parity(max_difference=None, agreement=file, noisy=np.inf, keras=keras, file=file)
    with (
        contextlib.nullcontext()
        if holds
        else pytest.raises(ParityError, match=f"makes {file:.1f} dB of black")
    ):
        check.require_contrast(parity, INT8)
    check.require_contrast(parity, INT8, 50)  # as asked for by --max-loss


@pytest.mark.parametrize("name", ["lowlight-s", "lowlight", "lowlight-l"])
def test_no_shipped_file_needs_more_than_16_bits_for_two_products(name: str) -> None:
    """What CPUs without 8-bit dot products add in 16 bits and cut off."""
    model = onnx.load(SHIPPED[name])
    kernels = [numpy_helper.to_array(t) for t in model.graph.initializer]
    kernels = [k.transpose(2, 3, 1, 0) for k in kernels if k.dtype == np.int8 and k.ndim == 4]
    assert len(kernels) > 5
    for kernel in kernels:
        pairs = 255 * kernel.reshape(-1, 2, kernel.shape[3]).astype(int)
        assert pairs.clip(0).sum(axis=1).max() < 2**15
        assert pairs.clip(max=0).sum(axis=1).min() >= -(2**15)


@pytest.mark.parametrize("name", ["lowlight-s", "lowlight", "lowlight-l"])
def test_shipped_files_have_room_for_the_noise_of_a_sensor_without_a_mosaic(name: str) -> None:
    """In the dark it is finer and stronger than any that a demosaic leaves: 0.3 to 3 dB were cut off."""
    in_bytes, in_floats = dae_edge.load(name), dae_edge.load(REFERENCE[name])
    for light in ("dark", "very-dark"):
        camera = SimulatedCamera(replace(PRESETS[light], demosaic="binned"), seed=1)
        lost = []
        for seed in range(4, 8):  # one scene alone differs by 0.1 dB from the next
            scene = draw_clip(np.random.default_rng(seed), 1, 96, 128)[0]
            frame, clean = camera.capture(scene), camera.clean(scene)
            in_bytes.reset(), in_floats.reset()
            lost.append(psnr(clean, in_floats(frame)) - psnr(clean, in_bytes(frame)))
        assert np.mean(lost) < 0.2
        assert max(lost) < 0.3


def test_other_networks_are_left_to_the_converter() -> None:
    assert not lowlight_int8.fits(PictureModel(unet()))
