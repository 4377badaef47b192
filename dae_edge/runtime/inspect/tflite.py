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
    if model.length(8) or model.length(9):
        raise ModelLoadError("its weights lie in another file; only a model in one file is opened.")
    graphs = model.tables(2)
    if not graphs:
        raise ValueError("it has no graph")
    codes = [_operator_name(code) for code in model.tables(1)]
    buffers = [table.length(0) or table.number(2, "Q") for table in model.tables(4)]
    operators, convolutions, stored = [], [], Counter[str]()
    tensors: list[list[_Tensor]] = []
    for graph in graphs:
        here = [_tensor(table, buffers) for table in graph.tables(0)]
        tensors.append(here)
        nodes = [(codes[o.number(0, "I")], o.numbers(1), o.numbers(2)) for o in graph.tables(3)]
        operators += [name for name, _, _ in nodes]
        convolutions += _convolutions(nodes, here)
        for tensor in here:
            if tensor.stored:
                stored[tensor.dtype] += math.prod(side for side in tensor.shape if isinstance(side, int))
    inputs, outputs = _ports(model, graphs[0], tensors[0])
    return Contents(
        kind="TFLite",
        producer=model.text(3),
        opsets={"schema": model.number(0, "I")},
        inputs=inputs,
        outputs=outputs,
        operators=counted(operators),
        convolutions=counted(convolutions),
        stored=dict(stored.most_common()),
        metadata={} if manifest is None else {MEMBER: manifest},
    )


def _operator_name(code: Table) -> str:
    number = code.number(0, "b")
    number = code.number(3, "i") if number >= _OLD_CODES or not number else number
    if number == _CUSTOM:
        return f"CUSTOM.{code.text(1)}"
    return OPERATORS[number] if 0 <= number < len(OPERATORS) else f"operator {number}"


def _tensor(table: Table, buffers: list[int]) -> _Tensor:
    if table.number(10, "I"):
        raise ModelLoadError("its weights lie in another file; only a model in one file is opened.")
    number, buffer = table.number(1, "b"), table.number(2, "I")
    sides = table.numbers(7) or table.numbers(0)
    if len(sides) > 64 or math.prod(side for side in sides if side > 0) > 1 << 40:
        raise ValueError("a tensor has a shape that cannot be")
    shape = tuple("?" if side < 0 else side for side in sides)
    dtype = DTYPES[number] if 0 <= number < len(DTYPES) else f"type {number}"
    return _Tensor(table.text(3), shape, dtype, stored=bool(buffer and buffers[buffer]))


def _ports(model: Table, graph: Table, tensors: list[_Tensor]) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """Inputs and outputs, under the names by which the file is called where it has a signature."""
    names: tuple[dict[int, str], dict[int, str]] = ({}, {})
    for signature in model.tables(7)[:1]:
        for side in (0, 1):
            for entry in signature.tables(side):
                names[side][entry.number(1, "I")] = entry.text(0)

    def ports(slot: int) -> tuple[Port, ...]:
        found = [(index, tensors[index]) for index in graph.numbers(slot)]
        return tuple(Port(names[slot - 1].get(i, t.name), t.shape, t.dtype) for i, t in found)

    return ports(1), ports(2)


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
