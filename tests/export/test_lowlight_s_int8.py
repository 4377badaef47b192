"""The small network's graph in 8 bits: agrees with Keras, moves nothing it need not, takes any size."""

from __future__ import annotations

from collections import Counter

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from dae_edge.export import lowlight_int8, lowlight_s_int8
from dae_edge.export.clips import CALIBRATION_SEED, CHECK_SEED, Pair, drawn_pairs, with_states
from dae_edge.export.executed import nodes
from dae_edge.export.open_model import open_model
from dae_edge.export.picture_model import PictureModel
from dae_edge.metrics import psnr
from dae_edge.models.lowlight import lowlight

HEIGHT, WIDTH = 48, 64


@pytest.fixture(scope="module")
def model() -> PictureModel:
    return open_model("lowlight-s")


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return drawn_pairs(3, HEIGHT, WIDTH, frames=4, seed=CHECK_SEED)


@pytest.fixture(scope="module")
def graph(model: PictureModel) -> onnx.ModelProto:
    """For frames of any size."""
    clips = [p.noisy for p in drawn_pairs(3, HEIGHT, WIDTH, frames=4, seed=CALIBRATION_SEED)]
    network = lowlight_s_int8.Network(model, list(with_states(model, clips)))
    return lowlight_s_int8.to_onnx_int8(network, None)


@pytest.fixture(scope="module")
def session(graph: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def zeros(height: int, width: int) -> dict[str, np.ndarray]:
    sides = (1, -(-height // 8) * 2, -(-width // 8) * 2)
    return {
        "state_average": np.zeros((*sides, 28), np.float32),
        "state_count": np.zeros((*sides, 4), np.float32),
    }


def test_each_network_knows_its_own(model: PictureModel) -> None:
    other = PictureModel(lowlight())
    assert lowlight_s_int8.fits(model)
    assert not lowlight_int8.fits(model)
    assert lowlight_int8.fits(other)
    assert not lowlight_s_int8.fits(other)


def test_every_frame_is_what_keras_gives_and_so_is_the_memory(
    model: PictureModel, session: onnxruntime.InferenceSession, pairs: list[Pair]
) -> None:
    for pair in pairs:
        feeds, states = zeros(HEIGHT, WIDTH), model.start(HEIGHT, WIDTH)
        for frame in pair.noisy:
            denoised, *following = session.run(None, {"frame": frame[None], **feeds})
            feeds = dict(zip(feeds, following, strict=True))
            expected, states = model.restore(frame, states)
            assert psnr([denoised[0]], [np.rint(expected).astype(np.uint8)]) > 38
        average = feeds["state_average"][..., :24] / 255  # there in grey levels
        assert np.abs(average - states["state_average"][..., :24]).max() < 0.05


def test_convolutions_are_in_8_bits_and_only_the_gates_logits_are_transposed(
    model: PictureModel, graph: onnx.ModelProto
) -> None:
    kinds = Counter(node.op_type for node in nodes(graph.graph))
    learned = [a for a in model.model.layers if isinstance(a, keras.layers.Conv2D) and a.trainable]
    # Details are in the picture and in the pixels. The step up is one a row; the pixels are a fixed one, the
    # frame's planes two, with margins and without.
    assert kinds["QLinearConv"] == len(learned) - 2 + 1 + 3
    assert not {"Conv", "DepthToSpace"} & set(kinds)
    assert kinds["Transpose"] == 1


def test_strength_is_in_the_graph_and_may_be_left_out(
    session: onnxruntime.InferenceSession, pairs: list[Pair]
) -> None:
    feeds = {"frame": pairs[0].noisy[:1], **zeros(HEIGHT, WIDTH)}
    untouched, full = (
        session.run(["denoised"], {**feeds, "strength": np.array(share, np.float32)})[0] for share in (0, 1)
    )
    assert (untouched == feeds["frame"]).all()
    assert (full == session.run(["denoised"], feeds)[0]).all()
    assert (full != feeds["frame"]).any()


@pytest.mark.parametrize("size", [(16, 16), (50, 70), (181, 251)])
def test_a_size_that_the_stride_does_not_divide_is_padded_and_cut(
    model: PictureModel, session: onnxruntime.InferenceSession, size: tuple[int, int]
) -> None:
    frame = np.ascontiguousarray(drawn_pairs(3, 182, 252, frames=1, seed=4)[1].noisy[0, : size[0], : size[1]])
    denoised = session.run(["denoised"], {"frame": frame[None], **zeros(*size)})[0]
    assert denoised.shape == (1, *size, 3)
    expected, _ = model.restore(frame, model.start(*size))
    assert psnr([denoised[0]], [np.rint(expected).astype(np.uint8)]) > 38


@pytest.mark.parametrize(
    "colour", [(0, 0, 0), (255, 255, 255), (0, 0, 255), (255, 0, 0), (0, 255, 0), (255, 255, 0)]
)
def test_a_saturated_surface_goes_through_whole(
    model: PictureModel, session: onnxruntime.InferenceSession, colour: tuple[int, int, int]
) -> None:
    """Black, white and full colours are at the ends of what planes hold."""
    frame = np.full((16, 16, 3), colour, np.uint8)
    denoised = session.run(["denoised"], {"frame": frame[None], **zeros(16, 16)})[0][0]
    expected, _ = model.restore(frame, model.start(16, 16))
    difference = np.abs(denoised.astype(float) - expected)
    assert difference.mean() < 3
    assert difference.max() < 16
