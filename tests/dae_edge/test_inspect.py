"""What is read off a file, held against the libraries that know its format."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

from dae_edge.export.executed import nodes as every_node
from dae_edge.manifest import sidecar
from dae_edge.runtime.inspect import Port, inspect
from dae_edge.runtime.inspect.contents import arithmetic
from dae_edge.runtime.inspect.onnx import _DTYPES, read_onnx
from dae_edge.runtime.inspect.tflite_names import DTYPES, OPERATORS
from dae_edge.runtime.load import SHIPPED
from tests.foreign import F32, onnx_model, tflite_model, weights

Run = Callable[..., "object"]


@pytest.mark.parametrize("path", SHIPPED.values(), ids=list(SHIPPED))
def test_the_reader_sees_what_the_onnx_package_sees(path: Path) -> None:
    model, contents = onnx.load(path), inspect(path).contents
    nodes = list(every_node(model.graph))
    assert Counter(n.op_type for n in nodes) == Counter(
        {name.rpartition(".")[2]: count for name, count in contents.operators.items()}
    )
    attributes = [a for n in nodes for a in n.attribute]
    graphs = [model.graph, *(a.g for a in attributes if a.type == onnx.AttributeProto.GRAPH)]
    constants = [a.t for a in attributes if a.type == onnx.AttributeProto.TENSOR]
    constants += [t for graph in graphs for t in graph.initializer]
    assert contents.parameters == sum(math.prod(t.dims) for t in constants)
    assert [port.name for port in contents.inputs] == [value.name for value in model.graph.input]
    assert contents.opsets.keys() == {o.domain or "ai.onnx" for o in model.opset_import}


def test_shipped_files_are_told_in_full() -> None:
    int8, floats = (inspect(SHIPPED[name]) for name in ("lowlight", "lowlight-fp32"))
    assert set(int8.contents.convolutions) == {"8-bit"}
    assert set(floats.contents.convolutions) == {"32-bit floats"}
    assert int8.contents.quantized_share > 0.9  # what layers are told is in floats
    assert floats.contents.quantized_share == 0
    assert int8.sha256_matches is floats.sha256_matches is True
    assert next(port for port in int8.contents.inputs if port.name == "strength").optional
    assert int8.manifest is not None
    assert int8.manifest.name == "lowlight"


def test_a_foreign_onnx(tmp_path: Path) -> None:
    path = tmp_path / "foreign.onnx"
    path.write_bytes(onnx_model(author="somebody").SerializeToString())
    seen = inspect(path)
    assert seen.manifest is None
    assert seen.sha256_matches is None
    assert seen.contents.inputs == (Port("x", (1, 3, "H", "W"), "float32"),)
    assert seen.contents.operators == {"Conv": 1}
    assert seen.contents.stored == {"float32": 54}
    assert seen.contents.metadata == {"author": "somebody"}
    assert seen.contents.producer == "somebody"


def test_a_foreign_tflite(tmp_path: Path) -> None:
    path = tmp_path / "foreign.tflite"
    path.write_bytes(tflite_model())
    contents = inspect(path).contents
    assert contents.inputs == (Port("x", (1, 8, 8, 3), "float32"),)
    assert contents.outputs == (Port("y", (1, 8, 8, 2), "float32"),)
    assert contents.operators == {"CONV_2D": 1}
    assert contents.convolutions == {"8-bit weights": 1}
    assert contents.stored == {"int8": 54}


@pytest.mark.parametrize(
    ("zero", "bits"),
    [(TensorProto.UINT8, "8-bit"), (TensorProto.UINT16, "16-bit activations and 8-bit weights")],
)
def test_a_convolution_between_dequantizers_is_a_quantized_one(zero: int, bits: str) -> None:
    constants = [
        numpy_helper.from_array(np.ones((2, 3, 3, 3), np.int8), "w8"),
        numpy_helper.from_array(np.float32(1), "scale"),
        helper.make_tensor("zero", zero, [], [0]),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["x8"]),
        helper.make_node("DequantizeLinear", ["x8", "scale", "zero"], ["xf"]),
        helper.make_node("DequantizeLinear", ["w8", "scale"], ["wf"]),
        helper.make_node("Conv", ["xf", "wf"], ["y"]),
    ]
    assert read_onnx(onnx_model(constants, nodes).SerializeToString()).convolutions == {bits: 1}


def test_half_weights_are_told_from_half_arithmetic() -> None:
    half = numpy_helper.from_array(np.ones((2, 3, 3, 3), np.float16), "half")
    widened = [
        helper.make_node("Cast", ["half"], ["w"], to=F32),
        helper.make_node("Conv", ["x", "w"], ["y"]),
    ]
    contents = read_onnx(onnx_model([half], widened).SerializeToString())
    assert contents.convolutions == {"16-bit float weights": 1}
    straight = [helper.make_node("Conv", ["x", "half"], ["y"])]
    assert read_onnx(onnx_model([half], straight).SerializeToString()).convolutions == {"16-bit floats": 1}


def test_operators_inside_of_operators_count() -> None:
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["one"], value=weights("c"))], "branch", [],
        [helper.make_tensor_value_info("one", F32, None)],
    )  # fmt: skip
    nodes = [helper.make_node("If", ["flag"], ["y"], then_branch=branch, else_branch=branch)]
    contents = read_onnx(onnx_model([], nodes).SerializeToString())
    assert contents.operators == {"Constant": 2, "If": 1}
    assert contents.parameters == 108


def test_a_tflite_of_ours(tiny_tflite: Path) -> None:
    seen = inspect(tiny_tflite)
    assert seen.manifest is not None
    assert seen.sha256_matches
    assert {port.name for port in seen.contents.inputs} == {"frame", "state_average", "state_count"}
    from ai_edge_litert.interpreter import Interpreter

    operators = Interpreter(str(tiny_tflite), experimental_op_resolver_type=_plain())._get_ops_details()
    assert seen.contents.operators == Counter(o["op_name"] for o in operators)


def _plain() -> object:
    """No delegate, whose one operator would stand for many."""
    from ai_edge_litert.interpreter import OpResolverType

    return OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


def test_names_are_those_of_the_libraries() -> None:
    for names, numbers in ((OPERATORS, schema.BuiltinOperator), (DTYPES, schema.TensorType)):
        for name, number in vars(numbers).items():
            if isinstance(number, int) and number < len(names):
                assert names[number].upper() == name
    for name, number in TensorProto.DataType.items():
        if 0 < number < len(_DTYPES):
            known = {"float": "float32", "double": "float64"}.get(name.lower(), name.lower())
            assert _DTYPES[number] == known


@pytest.mark.parametrize(
    ("activation", "weight", "says"),
    [
        ("uint8", "int8", "8-bit"),
        ("int16", "int8", "16-bit activations and 8-bit weights"),
        ("float32", "int8", "8-bit weights"),
        ("float32", "float16", "16-bit float weights"),
        ("float16", "float16", "16-bit floats"),
        ("float32", "float32", "32-bit floats"),
    ],
)
def test_arithmetic_in_words(activation: str, weight: str, says: str) -> None:
    assert arithmetic(activation, weight) == says


def test_the_command_prints_and_writes(dae_edge: Run, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    ended = dae_edge("inspect", "lowlight", "--json", figures)
    assert ended.code == 0, ended.err
    for part in (
        "as in the sidecar",
        "8-bit",
        "state_average_next",
        "H/2",
        "QLinearConv",
        "next: dae-edge bench",
    ):
        assert part in ended.out
    known = json.loads(figures.read_text())
    assert known["schema"] == 1
    assert known["sha256_matches"] is True
    assert known["manifest"]["states"][0]["name"] == "state_average"
    assert known["contents"]["convolutions"] == {"8-bit": 17 + 9}  # nine stand for one: for each mosaic


def test_the_command_reads_foreign_files(dae_edge: Run, tmp_path: Path) -> None:
    for name, content in (("a.onnx", onnx_model().SerializeToString()), ("a.tflite", tflite_model())):
        (tmp_path / name).write_bytes(content)
        ended = dae_edge("inspect", tmp_path / name)
        assert ended.code == 0, ended.err
        assert "not made by dae-edge export" in ended.out
        assert "made by somebody" in ended.out


def test_a_wrong_digest_is_shown_and_fails(dae_edge: Run, tmp_path: Path) -> None:
    path = tmp_path / "lowlight.onnx"
    path.write_bytes(SHIPPED["lowlight"].read_bytes())
    sidecar(path).write_bytes(sidecar(SHIPPED["lowlight-fp32"]).read_bytes())
    ended = dae_edge("inspect", path)
    assert ended.code == 1
    assert "NOT the one in the sidecar" in ended.out
    assert "sha256 differs" in ended.err


def test_control_characters_do_not_reach_the_terminal(dae_edge: Run, tmp_path: Path) -> None:
    model = onnx_model()
    model.producer_name = "\x1b]0;owned\x07[bold]"
    (tmp_path / "a.onnx").write_bytes(model.SerializeToString())
    ended = dae_edge("inspect", tmp_path / "a.onnx")
    assert ended.code == 0, ended.err
    assert "\x1b" not in ended.out
    assert "[bold]" in ended.out
