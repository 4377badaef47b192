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


class _MODEL:
    IR, PRODUCER, PRODUCER_VERSION, GRAPH, OPSETS, METADATA, TRAINING, FUNCTIONS = 1, 2, 3, 7, 8, 14, 20, 25


class _TRAINING:
    INITIALIZATION, ALGORITHM = 1, 2


class _FUNCTION:
    NODES, DEFAULTS = 7, 11


class _GRAPH:
    NODES, TENSORS, INPUTS, OUTPUTS, SPARSE = 1, 5, 11, 12, 15


class _NODE:
    INPUTS, OUTPUTS, KIND, ATTRIBUTES, DOMAIN = 1, 2, 4, 5, 7


class _ATTRIBUTE:
    TENSOR, GRAPH, TENSORS, GRAPHS, SPARSE, SPARSES = 5, 6, 10, 11, 22, 23


class _TENSOR:
    SIDES, DTYPE, NAME, EXTERNAL, LOCATION = 1, 2, 8, 13, 14


class _SPARSE:
    VALUES, INDICES = 1, 2


class _VALUE:
    NAME, TYPE = 1, 2


class _TYPE:
    TENSOR = 1


class _TENSOR_TYPE:
    DTYPE, SHAPE = 1, 2


class _SHAPE:
    SIDES = 1


class _SIDE:
    LENGTH, NAME = 1, 2


class _ENTRY:  # of metadata, operator sets and external data alike
    KEY, VALUE = 1, 2


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
    graphs, found = model.messages(_MODEL.GRAPH), _Found()
    opsets = {o.text(_ENTRY.KEY) or "ai.onnx": o.integer(_ENTRY.VALUE) for o in model.messages(_MODEL.OPSETS)}
    if not graphs or not opsets:
        raise ValueError("it has no graph or no operator set")
    for graph in graphs:
        _walk_graph(graph, found)
    for training in model.messages(_MODEL.TRAINING):
        for graph in (*training.messages(_TRAINING.INITIALIZATION), *training.messages(_TRAINING.ALGORITHM)):
            _walk_graph(graph, found)
    for function in model.messages(_MODEL.FUNCTIONS):
        _walk_nodes(function.messages(_FUNCTION.NODES), found)
        _walk_attributes(function.messages(_FUNCTION.DEFAULTS), found)
    initialized = {t.text(_TENSOR.NAME) for graph in graphs for t in graph.messages(_GRAPH.TENSORS)}
    inputs = [_port(value, initialized) for graph in graphs for value in graph.messages(_GRAPH.INPUTS)]
    return Contents(
        kind="ONNX",
        producer=" ".join(filter(None, (model.text(_MODEL.PRODUCER), model.text(_MODEL.PRODUCER_VERSION)))),
        opsets=opsets,
        # Before IR version 4 every stored tensor was an input as well: those are not for the user.
        inputs=tuple(port for port in inputs if not (port.optional and model.integer(_MODEL.IR) < 4)),
        outputs=tuple(_port(value) for graph in graphs for value in graph.messages(_GRAPH.OUTPUTS)),
        operators=counted(node.operator for node in found.nodes),
        convolutions=counted(_convolutions(found)),
        stored=dict(found.stored.most_common()),
        metadata={e.text(_ENTRY.KEY): e.text(_ENTRY.VALUE) for e in model.messages(_MODEL.METADATA)},
    )


def _walk_graph(graph: Message, found: _Found) -> None:
    for tensor in graph.messages(_GRAPH.TENSORS):
        _take(tensor, found)
    for sparse in graph.messages(_GRAPH.SPARSE):
        _take_sparse(sparse, found)
    for value in graph.messages(_GRAPH.INPUTS):
        port = _port(value)
        found.dtypes.setdefault(port.name, port.dtype)
    _walk_nodes(graph.messages(_GRAPH.NODES), found)


def _walk_nodes(nodes: list[Message], found: _Found) -> None:
    for node in nodes:
        domain, kind, outputs = node.text(_NODE.DOMAIN), node.text(_NODE.KIND), node.texts(_NODE.OUTPUTS)
        operator = kind if domain in _MAIN else f"{domain}.{kind}"
        found.nodes.append(_Node(operator, node.texts(_NODE.INPUTS), outputs))
        dtypes = _walk_attributes(node.messages(_NODE.ATTRIBUTES), found)
        if kind == "Constant" and dtypes and outputs:
            found.dtypes[outputs[0]] = dtypes[0]


def _walk_attributes(attributes: list[Message], found: _Found) -> list[str]:
    """The dtypes of the tensors among them."""
    dtypes = []
    for attribute in attributes:
        dtypes += [
            _take(t, found)
            for t in (*attribute.messages(_ATTRIBUTE.TENSOR), *attribute.messages(_ATTRIBUTE.TENSORS))
        ]
        for sparse in (*attribute.messages(_ATTRIBUTE.SPARSE), *attribute.messages(_ATTRIBUTE.SPARSES)):
            _take_sparse(sparse, found)
        for graph in (*attribute.messages(_ATTRIBUTE.GRAPH), *attribute.messages(_ATTRIBUTE.GRAPHS)):
            _walk_graph(graph, found)
    return dtypes


def _take(tensor: Message, found: _Found) -> str:
    """Count a stored tensor; its dtype."""
    if _TENSOR.EXTERNAL in tensor or tensor.integer(_TENSOR.LOCATION):
        entries = {e.text(_ENTRY.KEY): e.text(_ENTRY.VALUE) for e in tensor.messages(_TENSOR.EXTERNAL)}
        name, place = tensor.text(_TENSOR.NAME)[:60], entries.get("location", "")[:60]
        raise ModelLoadError(
            f"its tensor {name!r} lies in another file ({place!r}); only a model in one file is opened."
        )
    sides, dtype = tensor.integers(_TENSOR.SIDES), _dtype(tensor.integer(_TENSOR.DTYPE))
    if len(sides) > 64 or any(side < 0 for side in sides) or math.prod(sides) > _MOST:
        raise ValueError("a stored tensor has a shape that cannot be")
    found.stored[dtype] += math.prod(sides)
    found.dtypes[tensor.text(_TENSOR.NAME)] = dtype
    return dtype


def _take_sparse(sparse: Message, found: _Found) -> None:
    for tensor in (*sparse.messages(_SPARSE.VALUES), *sparse.messages(_SPARSE.INDICES)):
        _take(tensor, found)


def _port(value: Message, initialized: set[str] | frozenset[str] = frozenset()) -> Port:
    shape: list[int | str] = []
    dtype = "?"
    for type in value.messages(_VALUE.TYPE):
        for tensor in type.messages(_TYPE.TENSOR):
            dtype = _dtype(tensor.integer(_TENSOR_TYPE.DTYPE))
            dimensions = [d for s in tensor.messages(_TENSOR_TYPE.SHAPE) for d in s.messages(_SHAPE.SIDES)]
            shape = [
                d.integer(_SIDE.LENGTH) if _SIDE.LENGTH in d else d.text(_SIDE.NAME) or "?"
                for d in dimensions
            ]
    return Port(value.text(_VALUE.NAME), tuple(shape), dtype, optional=value.text(_VALUE.NAME) in initialized)


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
