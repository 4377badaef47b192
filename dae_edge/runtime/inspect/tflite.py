"""A .tflite file, taken apart without running it and without LiteRT.

Slots are those of https://github.com/google-ai-edge/LiteRT/blob/main/tflite/schema/schema.fbs
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass

from dae_edge import manifest_rules
from dae_edge.errors import ModelLoadError
from dae_edge.manifest import MEMBER
from dae_edge.runtime.inspect.contents import Contents, Port, arithmetic, counted
from dae_edge.runtime.inspect.flatbuffer import Buffer, Table
from dae_edge.runtime.inspect.tflite_names import DTYPES, OPERATORS


class _MODEL:
    VERSION, CODES, GRAPHS, DESCRIPTION, BUFFERS, SIGNATURES, EXTERNAL_GROUPS, EXTERNAL = (
        0,
        1,
        2,
        3,
        4,
        7,
        8,
        9,
    )


class _CODE:
    OLD, CUSTOM, NUMBER = 0, 1, 3


class _BUFFER:
    DATA, SIZE = 0, 2


class _GRAPH:
    TENSORS, INPUTS, OUTPUTS, OPERATORS = 0, 1, 2, 3


class _OPERATOR:
    CODE, INPUTS, OUTPUTS = 0, 1, 2


class _TENSOR:
    SHAPE, DTYPE, BUFFER, NAME, OPEN_SHAPE, EXTERNAL = 0, 1, 2, 3, 7, 10


class _SIGNATURE:
    INPUTS, OUTPUTS = 0, 1


class _MAP:
    NAME, TENSOR = 0, 1


_CUSTOM = OPERATORS.index("CUSTOM")
_OLD_CODES = 127  # codes from here on are in a wider field


def read_tflite(content: bytes) -> Contents:
    """`ModelLoadError` where it is no TFLite model, is cut short, or refers to data outside itself."""
    if content[4:8] != b"TFL3":
        raise ModelLoadError("it is not a TFLite model.")
    try:
        return _read(Buffer(content).root(), manifest_text(content))
    except (ValueError, IndexError) as failure:
        raise ModelLoadError(f"it is not a whole TFLite model: {failure}.") from None


def manifest_text(content: bytes) -> str | None:
    """The manifest in the zip that ends the file; None where there is no such zip or member."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as members, members.open(MEMBER) as member:
            text = member.read(manifest_rules.LARGEST + 1)  # a zip can hold far more than its own size
    except KeyError:
        return None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
        return None
    return text.decode(errors="replace")


@dataclass
class _Tensor:
    name: str
    shape: tuple[int | str, ...]
    dtype: str
    stored: bool


def _read(model: Table, manifest: str | None) -> Contents:
    if model.length(_MODEL.EXTERNAL_GROUPS) or model.length(_MODEL.EXTERNAL):
        raise ModelLoadError("its weights lie in another file; only a model in one file is opened.")
    graphs = model.tables(_MODEL.GRAPHS)
    if not graphs:
        raise ValueError("it has no graph")
    codes = [_operator_name(code) for code in model.tables(_MODEL.CODES)]
    buffers = [b.length(_BUFFER.DATA) or b.number(_BUFFER.SIZE, "Q") for b in model.tables(_MODEL.BUFFERS)]
    operators, convolutions, stored = [], [], Counter[str]()
    tensors: list[list[_Tensor]] = []
    for graph in graphs:
        here = [_tensor(table, buffers) for table in graph.tables(_GRAPH.TENSORS)]
        tensors.append(here)
        nodes = [
            (codes[o.number(_OPERATOR.CODE, "I")], o.numbers(_OPERATOR.INPUTS), o.numbers(_OPERATOR.OUTPUTS))
            for o in graph.tables(_GRAPH.OPERATORS)
        ]
        operators += [name for name, _, _ in nodes]
        convolutions += _convolutions(nodes, here)
        for tensor in here:
            if tensor.stored:
                stored[tensor.dtype] += math.prod(side for side in tensor.shape if isinstance(side, int))
    inputs, outputs = _ports(model, graphs[0], tensors[0])
    return Contents(
        kind="TFLite",
        producer=model.text(_MODEL.DESCRIPTION),
        opsets={"schema": model.number(_MODEL.VERSION, "I")},
        inputs=inputs,
        outputs=outputs,
        operators=counted(operators),
        convolutions=counted(convolutions),
        stored=dict(stored.most_common()),
        metadata={} if manifest is None else {MEMBER: manifest},
    )


def _operator_name(code: Table) -> str:
    number = code.number(_CODE.OLD, "b")
    number = code.number(_CODE.NUMBER, "i") if number >= _OLD_CODES or not number else number
    if number == _CUSTOM:
        return f"CUSTOM.{code.text(_CODE.CUSTOM)}"
    return OPERATORS[number] if 0 <= number < len(OPERATORS) else f"operator {number}"


def _tensor(table: Table, buffers: list[int]) -> _Tensor:
    if table.number(_TENSOR.EXTERNAL, "I"):
        raise ModelLoadError("its weights lie in another file; only a model in one file is opened.")
    number, buffer = table.number(_TENSOR.DTYPE, "b"), table.number(_TENSOR.BUFFER, "I")
    sides = table.numbers(_TENSOR.OPEN_SHAPE) or table.numbers(_TENSOR.SHAPE)
    if len(sides) > 64 or math.prod(side for side in sides if side > 0) > 1 << 40:
        raise ValueError("a tensor has a shape that cannot be")
    shape = tuple("?" if side < 0 else side for side in sides)
    dtype = DTYPES[number] if 0 <= number < len(DTYPES) else f"type {number}"
    return _Tensor(table.text(_TENSOR.NAME), shape, dtype, stored=bool(buffer and buffers[buffer]))


def _ports(model: Table, graph: Table, tensors: list[_Tensor]) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """Inputs and outputs, under the names by which the file is called where it has a signature."""
    signatures = model.tables(_MODEL.SIGNATURES)[:1]

    def ports(indices: list[int], side: int) -> tuple[Port, ...]:
        named = {
            entry.number(_MAP.TENSOR, "I"): entry.text(_MAP.NAME)
            for signature in signatures
            for entry in signature.tables(side)
        }
        found = [(index, tensors[index]) for index in indices]
        return tuple(Port(named.get(index, t.name), t.shape, t.dtype) for index, t in found)

    return (
        ports(graph.numbers(_GRAPH.INPUTS), _SIGNATURE.INPUTS),
        ports(graph.numbers(_GRAPH.OUTPUTS), _SIGNATURE.OUTPUTS),
    )


def _convolutions(nodes: list[tuple[str, list[int], list[int]]], tensors: list[_Tensor]) -> list[str]:
    """The arithmetic of each convolution, by the dtypes of what goes in and of the weights."""
    widened = {
        out: tensors[ins[0]].dtype for name, ins, outs in nodes if name == "DEQUANTIZE" for out in outs
    }
    kinds = []
    for name, ins, _ in nodes:
        if name in ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "CONV_3D") and len(ins) > 2:
            activation = tensors[ins[2 if name == "TRANSPOSE_CONV" else 0]].dtype
            weights = tensors[ins[1]]
            kinds.append(arithmetic(activation, widened.get(ins[1], weights.dtype)))
    return kinds
