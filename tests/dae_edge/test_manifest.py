import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dae_edge.errors import ModelLoadError
from dae_edge.manifest import Manifest, State, Tensor, digest, sidecar_json

MANIFEST = Manifest(
    name="lowlight",
    format="onnx-fp32",
    frame=Tensor("frame", (1, "H", "W", 3), "BGR"),
    denoised=Tensor("denoised", (1, "H", "W", 3), "BGR"),
    states=(State("state_a", "state_a_next", (1, 12, "H/2", "W/2"), layout="NCHW"),),
    multiple=8,
    minimum=16,
    quality={"loss": 0.01},
)


def test_json_gives_back_the_same() -> None:
    assert Manifest.from_json(MANIFEST.to_json()) == MANIFEST


def test_the_sidecar_adds_the_digest_and_still_reads() -> None:
    text = sidecar_json(MANIFEST, b"content")
    assert json.loads(text)["sha256"] == digest(b"content")
    assert Manifest.from_json(text) == MANIFEST


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_states_cover_the_padded_frame(height: int, width: int) -> None:
    _, _, rows, columns = MANIFEST.state_shape(MANIFEST.states[0], height, width)
    assert height <= 2 * rows < height + 8
    assert width <= 2 * columns < width + 8
    assert rows % 4 == columns % 4 == 0


def test_a_fixed_size_is_known() -> None:
    assert MANIFEST.size is None
    fixed = Manifest("m", "f", Tensor("frame", (1, 28, 30, 1), "grey"), Tensor("d", (1, 28, 30, 1), "grey"))
    assert fixed.size == (28, 30)
    assert fixed.channels == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', '{"version": 99}', "not json"])
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(ModelLoadError):
        Manifest.from_json(text)
