"""Files made to harm: each is refused in one sentence, and leads to no other file.

The threats are small files made here; what an engine would do with them is never found out.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

import dae_edge
from dae_edge.errors import ModelLoadError
from dae_edge.manifest import KEY, MEMBER, Manifest, sidecar
from dae_edge.runtime.inspect import inspect
from dae_edge.runtime.inspect.onnx import read_onnx
from dae_edge.runtime.inspect.tflite import read_tflite
from dae_edge.runtime.load import SHIPPED
from tests.foreign import F32, onnx_model, tflite_model, weights

Run = Callable[..., "object"]

OURS = Manifest.from_json(sidecar(SHIPPED["lowlight"]).read_text())


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused is refused before an engine sees a byte."""

    def started(*_: object, **__: object) -> None:
        raise AssertionError("an engine was started")

    monkeypatch.setattr("onnxruntime.InferenceSession", started)
    monkeypatch.setattr("ai_edge_litert.interpreter.Interpreter", started)


def both_refuse(path: Path, says: str) -> None:
    """`load` and `inspect` refuse the file in one line that says `says`."""
    for read in (dae_edge.load, inspect):
        with pytest.raises(ModelLoadError, match=says) as caught:
            read(path)
        assert "\n" not in str(caught.value)


# Data in other files


def in_initializer(tensor: TensorProto) -> onnx.ModelProto:
    return onnx_model([tensor])


def in_sparse_initializer(tensor: TensorProto) -> onnx.ModelProto:
    model = onnx_model()
    model.graph.sparse_initializer.add().indices.CopyFrom(tensor)
    return model


def in_constant(tensor: TensorProto) -> onnx.ModelProto:
    return onnx_model([], [helper.make_node("Constant", [], ["y"], value=tensor)])


def in_branch(tensor: TensorProto) -> onnx.ModelProto:
    out = [helper.make_tensor_value_info("w", F32, None)]
    branch = helper.make_graph([], "branch", [], out, [tensor])
    return onnx_model([], [helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)])


def in_function(tensor: TensorProto) -> onnx.ModelProto:
    model = onnx_model()
    body = [helper.make_node("Constant", [], ["o"], value=tensor)]
    model.functions.append(helper.make_function("f", "F", [], ["o"], body, [helper.make_opsetid("", 17)]))
    return model


def in_function_default(tensor: TensorProto) -> onnx.ModelProto:
    model = in_function(weights())
    model.functions[0].attribute_proto.append(helper.make_attribute("value", tensor))
    return model


def in_training(tensor: TensorProto) -> onnx.ModelProto:
    model = onnx_model()
    model.training_info.add().initialization.initializer.append(tensor)
    return model


PLACES = [
    in_initializer, in_sparse_initializer, in_constant, in_branch, in_function, in_function_default, in_training
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_data_in_another_file_is_refused_wherever_it_hides(
    tmp_path: Path, place: Callable[[TensorProto], onnx.ModelProto]
) -> None:
    model = place(weights("secret", "../secret.bin"))
    helper.set_model_props(model, {KEY: OURS.to_json()})
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    both_refuse(tmp_path / "model.onnx", r"'secret' lies in another file \('../secret.bin'\)")


@pytest.mark.parametrize("location", ["weights.bin", "/etc/passwd", "sub/../../x", "*/_ORT_MEM_ADDR_/*"])
def test_data_in_another_file_is_refused_whatever_its_name(tmp_path: Path, location: str) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(216))
    model = in_initializer(weights("w", location))
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    both_refuse(tmp_path / "model.onnx", "lies in another file")


def test_a_graph_that_comes_twice_hides_nothing(tmp_path: Path) -> None:
    """Protobuf merges the two; a reader of the last alone would miss the first."""
    twice = in_initializer(weights("w", "w.bin")).SerializeToString() + onnx_model().SerializeToString()
    (tmp_path / "model.onnx").write_bytes(twice)
    both_refuse(tmp_path / "model.onnx", "lies in another file")


def test_a_location_flag_alone_is_refused(tmp_path: Path) -> None:
    tensor = weights()
    tensor.data_location = TensorProto.EXTERNAL
    (tmp_path / "model.onnx").write_bytes(in_initializer(tensor).SerializeToString())
    both_refuse(tmp_path / "model.onnx", "lies in another file")


def test_tflite_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    group, buffer = schema.ExternalBufferGroupT(), schema.ExternalBufferT()
    group.name = "../weights.bin"
    for changes in ({"externalBufferGroups": [group]}, {"externalBuffers": [buffer]}):
        (tmp_path / "model.tflite").write_bytes(tflite_model(**changes))
        both_refuse(tmp_path / "model.tflite", "weights lie in another file")


def test_another_format_under_our_suffix_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"\x10\x00\x00\x00ORTM" + bytes(64))
    both_refuse(tmp_path / "model.onnx", "onnxruntime's own format")


# Links, and what is no file


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A shipped file without its sidecar, in a folder of its own."""
    path = tmp_path / "models" / "model.onnx"
    path.parent.mkdir()
    path.write_bytes(SHIPPED["lowlight"].read_bytes())
    return path


@pytest.mark.parametrize("absolute", [True, False])
def test_a_sidecar_that_leaves_the_folder_is_refused(tmp_path: Path, model: Path, absolute: bool) -> None:
    (tmp_path / "elsewhere.json").write_bytes(sidecar(SHIPPED["lowlight"]).read_bytes())
    sidecar(model).symlink_to(tmp_path / "elsewhere.json" if absolute else "../elsewhere.json")
    both_refuse(model, "model.onnx.json is a link that leaves the folder")


def test_a_sidecar_that_leads_nowhere_is_refused(model: Path) -> None:
    sidecar(model).symlink_to("nothing.json")
    both_refuse(model, "model.onnx.json is a link that leads nowhere")
    sidecar(model).unlink()
    sidecar(model).symlink_to(sidecar(model).name)
    both_refuse(model, "model.onnx.json is a link that leads nowhere")


def test_a_sidecar_that_never_ends_is_not_opened(model: Path) -> None:
    os.mkfifo(sidecar(model))
    both_refuse(model, "is not a file")


def test_a_folder_of_links_is_followed(tmp_path: Path, model: Path) -> None:
    """Caches link the model and its sidecar to one folder of contents; nothing is wrong with that."""
    sidecar(model).write_bytes(sidecar(SHIPPED["lowlight"]).read_bytes())
    (tmp_path / "links").mkdir()
    linked = tmp_path / "links" / "model.onnx"
    linked.symlink_to(model)
    sidecar(linked).symlink_to(sidecar(model))
    assert inspect(linked).sha256_matches


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
def test_what_is_no_file_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"folder{suffix}").mkdir()
    os.mkfifo(tmp_path / f"pipe{suffix}")
    for name in ("folder", "pipe", "none"):
        both_refuse(tmp_path / f"{name}{suffix}", "file")


# JSON


JSON = {
    "deep": "[" * 100_000,
    "deep objects": '{"a":' * 50_000,
    "huge": '{"a": "' + "x" * (2 << 20) + '"}',
    "a number of a million digits": '{"a": ' + "9" * 1_000_000 + "}",
    "a list": "[1]",
    "not a number": '{"version": NaN}',
    "cut": '{"sha256": "',
    "bytes": "\udcff\udcfe",
}


@pytest.mark.parametrize("case", JSON)
def test_json_made_to_harm_is_refused(model: Path, case: str) -> None:
    text = JSON[case].encode("utf-8", "surrogateescape")
    sidecar(model).write_bytes(text)
    both_refuse(model, "model.onnx.json is not readable JSON")
    with pytest.raises(ModelLoadError):
        Manifest.from_json(text.decode(errors="replace"))


FIELDS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a side divided by 0": lambda m: m["states"][0].update(shape=[1, 12, "H/0", "W/2"]),
    "a side of something else": lambda m: m["states"][0].update(shape=[1, 12, "Z/2", "W/2"]),
    "a side with a path": lambda m: m["states"][0].update(shape=[1, 12, "H/../../x", "W/2"]),
    "a state of terabytes": lambda m: m["states"][0].update(shape=[65536, 65536, 65536]),
    "a state of gigabytes a pixel": lambda m: m["states"][0].update(shape=[1, 65536, "H", "W"]),
    "a state with text": lambda m: m["states"][0].update(dtype="O"),
    "a start that is no number": lambda m: m["states"][0].update(start="0"),
    "a thousand states": lambda m: m.update(states=m["states"] * 1000),
    "states of another kind": lambda m: m.update(states={"a": 1}),
    "a negative multiple": lambda m: m.update(multiple=-8),
    "a multiple of 0": lambda m: m.update(multiple=0),
    "a multiple that is no number": lambda m: m.update(multiple="8"),
    "a name that is no text": lambda m: m.update(name=["a"]),
    "a strength that is no text": lambda m: m.update(strength=1),
    "a frame in floats": lambda m: m["frame"].update(dtype="float32"),
    "a frame without sides": lambda m: m["frame"].update(shape=[]),
    "a frame of nothing": lambda m: m.update(frame=None),
    "a field of nobody's": lambda m: m.update(path="/etc/passwd"),
    "another version": lambda m: m.update(version=99),
    "an input it lacks": lambda m: m["frame"].update(name="picture"),
    "a state it lacks": lambda m: m["states"][0].update(name="state_other"),
    "an output it lacks": lambda m: m["denoised"].update(name="other"),
    "a state of another type": lambda m: m["states"][0].update(dtype="float16"),
}


@pytest.mark.parametrize("case", FIELDS)
def test_a_manifest_that_breaks_a_rule_is_refused(tmp_path: Path, case: str) -> None:
    raw = json.loads(OURS.to_json())
    FIELDS[case](raw)
    model = onnx.load(SHIPPED["lowlight"])
    helper.set_model_props(model, {KEY: json.dumps(raw)})
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelLoadError, match="manifest") as caught:
        dae_edge.load(tmp_path / "model.onnx")
    assert "\n" not in str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*vars(OURS), "name", "next", "shape", "dtype"]), inner, max_size=4),
    ),
    st.sampled_from(sorted(vars(OURS))),
)  # fmt: skip
def test_any_field_with_any_value_is_taken_or_refused(value: object, name: str) -> None:
    text = json.dumps({**json.loads(OURS.to_json()), name: value})
    try:
        manifest = Manifest.from_json(text)
    except ModelLoadError:
        return
    for state in manifest.states:
        assert np.prod([float(side) for side in manifest.state_shape(state, 720, 1280)]) < 1e10


def test_a_zip_that_swells_is_not_unpacked(tmp_path: Path) -> None:
    buffer = io.BytesIO(tflite_model())
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as members:
        members.writestr(MEMBER, b"[" * (200 << 20))
    (tmp_path / "model.tflite").write_bytes(buffer.getvalue())
    started = time.perf_counter()
    both_refuse(tmp_path / "model.tflite", "manifest cannot be read")
    assert time.perf_counter() - started < 10


# Structures


def test_graphs_nested_without_end_are_refused(tmp_path: Path) -> None:
    graph = b""
    for _ in range(2000):
        attribute = _field(6, graph)  # a graph in an attribute of a node of a graph
        graph = _field(1, _field(5, attribute))
    (tmp_path / "model.onnx").write_bytes(_field(8, b"\x10\x11") + _field(7, graph))
    both_refuse(tmp_path / "model.onnx", "nested too deeply")


def test_a_tensor_of_impossible_shape_is_refused(tmp_path: Path) -> None:
    tensor = TensorProto(name="w", data_type=F32)
    for sides in ([-1], [1 << 62] * 8, [2] * 1000):
        del tensor.dims[:]
        tensor.dims.extend(sides)
        (tmp_path / "model.onnx").write_bytes(in_initializer(tensor).SerializeToString())
        both_refuse(tmp_path / "model.onnx", "shape that cannot be")


def test_offsets_that_lead_to_one_place_again_and_again_are_refused(tmp_path: Path) -> None:
    """Ten thousand graphs that are all the same one, of as many tensors, would be read for hours."""
    many, builder = 10_000, flatbuffers.Builder(1024)

    def again(start: Callable[[Any, int], int], table: int) -> int:
        start(builder, many)
        for _ in range(many):
            builder.PrependUOffsetTRelative(table)
        return builder.EndVector()

    schema.TensorStart(builder)
    tensors = again(schema.SubGraphStartTensorsVector, schema.TensorEnd(builder))
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, tensors)
    graphs = again(schema.ModelStartSubgraphsVector, schema.SubGraphEnd(builder))
    schema.ModelStart(builder)
    schema.ModelAddSubgraphs(builder, graphs)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    (tmp_path / "model.tflite").write_bytes(builder.Output())
    both_refuse(tmp_path / "model.tflite", "refers to more than it holds")


def _field(number: int, content: bytes) -> bytes:
    length, encoded = len(content), b""
    while length > 127:
        encoded, length = encoded + bytes([length & 127 | 128]), length >> 7
    return bytes([number << 3 | 2]) + encoded + bytes([length]) + content


ONNX = in_branch(weights()).SerializeToString()
TFLITE = tflite_model()
READERS = {"onnx": (read_onnx, ONNX), "tflite": (read_tflite, TFLITE)}


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_any_damage_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    read, whole = READERS[kind]
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=6))
        if not content:
            return
    with contextlib.suppress(ModelLoadError):  # nothing else may be raised
        json.dumps(asdict(read(bytes(content))))


@pytest.mark.parametrize("kind", READERS)
@given(content=st.binary(max_size=300))
def test_any_bytes_are_refused(kind: str, content: bytes) -> None:
    with pytest.raises(ModelLoadError):
        READERS[kind][0](content)
    with pytest.raises(ModelLoadError):
        read_tflite(b"\x10\x00\x00\x00TFL3" + content)


@pytest.mark.parametrize("kind", READERS)
def test_every_cut_is_refused(kind: str) -> None:
    read, whole = READERS[kind]
    for length in range(len(whole)):
        try:
            read(whole[:length])
        except ModelLoadError:
            continue
        assert kind == "onnx"  # a cut between two fields leaves a smaller model


# What a person sees


@pytest.mark.parametrize("name", ["a.onnx", "a.tflite"])
def test_a_foreign_file_is_not_run_and_sends_to_inspect(dae_edge: Run, tmp_path: Path, name: str) -> None:
    foreign = onnx_model().SerializeToString() if name == "a.onnx" else tflite_model()
    (tmp_path / name).write_bytes(foreign)
    ended = dae_edge("denoise", "in.png", tmp_path / "out.png", "-m", tmp_path / name)
    assert ended.code == 1
    assert "`dae-edge inspect` says what it is" in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.onnx", None, "is not a file"),
        ("text.onnx", b"just some text", "not a whole ONNX model"),
        ("empty.onnx", b"", "not a whole ONNX model"),
        ("cut.onnx", ONNX[:100], "not a whole ONNX model"),
        ("text.tflite", b"just some text", "not a TFLite model"),
        ("cut.tflite", TFLITE[:100], "not a whole TFLite model"),
        ("model.pb", b"x", "neither an .onnx nor a .tflite"),
    ],
)
def test_inspect_says_no_in_one_sentence(
    dae_edge: Run, tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    ended = dae_edge("inspect", tmp_path / name, "--json", tmp_path / "figures.json")
    assert ended.code == 1
    assert says in ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "figures.json").exists()
