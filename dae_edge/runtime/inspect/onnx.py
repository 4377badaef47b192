"""An .onnx file, taken apart without running it and without the `onnx` package.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from dae_edge.errors import ModelLoadError
from dae_edge.runtime.inspect.contents import Contents, Port, arithmetic, counted
from dae_edge.runtime.inspect.protobuf import Message

# TensorProto.DataType, in order
_NAMES = (
    "? float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64 complex64 "
    "complex128 bfloat16 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz uint4 int4 float4e2m1 "
    "float8e8m0 uint2 int2"
)
_DTYPES = tuple(_NAMES.split())
_MOST = 1 << 40  # numbers in a tensor
_MAIN = ("", "ai.onnx")  # two spellings of the standard's own domain


def read_onnx(content: bytes) -> Contents:
    """`ModelLoadError` where it is no ONNX model, is cut short, or refers to data outside itself."""
    if content[4:8] == b"ORTM":
        raise ModelLoadError("it is in onnxruntime's own format, not in ONNX.")
    try:
        return _read(Message(memoryview(content)))
    except ValueError as failure:
        raise ModelLoadError(f"it is not a whole ONNX model: {failure}.") from None


@dataclass
class _Node:
    operator: str  # with its domain, where it is not the standard's
    inputs: list[str]
    outputs: list[str]


@dataclass
class _Found:
    """What the graphs hold, those inside of operators included."""

    nodes: list[_Node] = field(default_factory=list)
    dtypes: dict[str, str] = field(default_factory=dict)  # of stored tensors and of inputs, by name
    stored: Counter[str] = field(default_factory=Counter)


def _read(model: Message) -> Contents:
    graphs, found = model.messages(7), _Found()
    opsets = {o.text(1) or "ai.onnx": o.integer(2) for o in model.messages(8)}
    if not graphs or not opsets:
        raise ValueError("it has no graph or no operator set")
    for graph in graphs:
        _walk_graph(graph, found)
    for training in model.messages(20):
        for graph in (*training.messages(1), *training.messages(2)):
            _walk_graph(graph, found)
    for function in model.messages(25):
        _walk_nodes(function.messages(7), found)
        _walk_attributes(function.messages(11), found)
    initialized = {t.text(8) for graph in graphs for t in graph.messages(5)}
    inputs = [_port(value, initialized) for graph in graphs for value in graph.messages(11)]
    return Contents(
        kind="ONNX",
        producer=" ".join(filter(None, (model.text(2), model.text(3)))),
        opsets=opsets,
        # Before IR version 4 every stored tensor was an input as well: those are not for the user.
        inputs=tuple(port for port in inputs if not (port.optional and model.integer(1) < 4)),
        outputs=tuple(_port(value) for graph in graphs for value in graph.messages(12)),
        operators=counted(node.operator for node in found.nodes),
        convolutions=counted(_convolutions(found)),
        stored=dict(found.stored.most_common()),
        metadata={entry.text(1): entry.text(2) for entry in model.messages(14)},
    )


def _walk_graph(graph: Message, found: _Found) -> None:
    for tensor in graph.messages(5):
        _take(tensor, found)
    for sparse in graph.messages(15):
        _take_sparse(sparse, found)
    for value in graph.messages(11):
        port = _port(value)
        found.dtypes.setdefault(port.name, port.dtype)
    _walk_nodes(graph.messages(1), found)


def _walk_nodes(nodes: list[Message], found: _Found) -> None:
    for node in nodes:
        domain, kind, outputs = node.text(7), node.text(4), node.texts(2)
        operator = kind if domain in _MAIN else f"{domain}.{kind}"
        found.nodes.append(_Node(operator, node.texts(1), outputs))
        dtypes = _walk_attributes(node.messages(5), found)
        if kind == "Constant" and dtypes and outputs:
            found.dtypes[outputs[0]] = dtypes[0]


def _walk_attributes(attributes: list[Message], found: _Found) -> list[str]:
    """The dtypes of the tensors among them."""
    dtypes = []
    for attribute in attributes:
        dtypes += [_take(t, found) for t in (*attribute.messages(5), *attribute.messages(10))]
        for sparse in (*attribute.messages(22), *attribute.messages(23)):
            _take_sparse(sparse, found)
        for graph in (*attribute.messages(6), *attribute.messages(11)):
            _walk_graph(graph, found)
    return dtypes


def _take(tensor: Message, found: _Found) -> str:
    """Count a stored tensor; its dtype."""
    if 13 in tensor or tensor.integer(14):
        entries = {entry.text(1): entry.text(2) for entry in tensor.messages(13)}
        name, place = tensor.text(8)[:60], entries.get("location", "")[:60]
        raise ModelLoadError(
            f"its tensor {name!r} lies in another file ({place!r}); only a model in one file is opened."
        )
    sides, dtype = tensor.integers(1), _dtype(tensor.integer(2))
    if len(sides) > 64 or any(side < 0 for side in sides) or math.prod(sides) > _MOST:
        raise ValueError("a stored tensor has a shape that cannot be")
    found.stored[dtype] += math.prod(sides)
    found.dtypes[tensor.text(8)] = dtype
    return dtype


def _take_sparse(sparse: Message, found: _Found) -> None:
    for tensor in (*sparse.messages(1), *sparse.messages(2)):
        _take(tensor, found)


def _port(value: Message, initialized: set[str] | frozenset[str] = frozenset()) -> Port:
    shape: list[int | str] = []
    dtype = "?"
    for type in value.messages(2):
        for tensor in type.messages(1):
            dtype = _dtype(tensor.integer(1))
            dimensions = [d for sides in tensor.messages(2) for d in sides.messages(1)]
            shape = [d.integer(1) if 1 in d else d.text(2) or "?" for d in dimensions]
    return Port(value.text(1), tuple(shape), dtype, optional=value.text(1) in initialized)


def _convolutions(found: _Found) -> list[str]:
    """The arithmetic of each convolution; one between DequantizeLinear operators is an 8-bit one."""
    made_by = {output: node for node in found.nodes for output in node.outputs}

    def seen(name: str, through: tuple[str, ...] = ("DequantizeLinear",)) -> str:
        """The dtype that a runtime can compute with, where `name` is widened just before."""
        maker = made_by.get(name)
        if maker is None or maker.operator not in through:
            return found.dtypes.get(name, "?")
        number, _, zero = (*maker.inputs, "", "", "")[:3]
        narrow = found.dtypes.get(number) or found.dtypes.get(zero)
        return narrow or ("uint8" if maker.operator == "DequantizeLinear" else "?")

    kinds = []
    for node in found.nodes:
        kind = node.operator.rpartition(".")[2]
        if kind == "QLinearConv" and len(node.inputs) > 5:
            activation, weight = node.inputs[2], node.inputs[3]
            kinds.append(arithmetic(found.dtypes.get(activation, "uint8"), found.dtypes.get(weight, "int8")))
        elif kind == "ConvInteger" and len(node.inputs) > 1:
            kinds.append(arithmetic("uint8", found.dtypes.get(node.inputs[1], "int8")))
        elif kind in ("Conv", "ConvTranspose", "FusedConv", "NhwcFusedConv") and len(node.inputs) > 1:
            weight = seen(node.inputs[1], ("DequantizeLinear", "Cast"))
            # Weights of 16 bits that nothing widens are multiplied in 16 bits.
            narrow = found.dtypes.get(node.inputs[1]) == "float16"
            kinds.append(arithmetic("float16" if narrow else seen(node.inputs[0]), weight))
    return kinds


def _dtype(number: int) -> str:
    return _DTYPES[number] if 0 <= number < len(_DTYPES) else f"type {number}"
