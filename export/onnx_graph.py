"""An ONNX graph written node by node, for networks whose speed is in how bytes are moved.

Convolutions here are onnxruntime's own `QLinearConv` with channels last: bytes in, bytes out, the
layout a camera's frame has already. Three facts found by measuring decide how it is used:
its outputs must be multiples of 16 channels (12 take three times as long as 16, or more), and 32 take
hardly longer than 16, so that a narrow layer had better work on two columns at a time; a transpose of bytes
is cheaper than any other way to change the layout, if it is not shared out in the wrong direction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from dae_edge.export.moments import Moments
from dae_edge.export.rounding import dividing, finest, round_each, round_together

OPSET = 17
_FILTERS = 32  # that a convolution is fast at
_ROW = 16  # numbers that a product of matrices makes at once
LOGITS = 8 / 127  # step of what goes into a sigmoid; beyond 8 it is flat
_CONTRIB = "com.microsoft"  # operators that onnxruntime brings itself


@dataclass(frozen=True)
class Bytes:
    """A tensor of uint8 and what its steps mean: real = (byte - zero) * scale."""

    name: str
    scale: float = 1.0
    zero: int = 0


class Graph:
    """Collects nodes and constants; every method adds a node and gives back its output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._numbers = count()  # of nodes, those inside of branches too
        self._constants: list[onnx.TensorProto] = []
        self._constant_numbers = count()
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, dtype: int, shape: tuple[int | str, ...], default: float | None = None) -> str:
        """A graph input; one with a `default` may be left out when the graph is run."""
        self._inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        if default is not None:
            self._constants.append(numpy_helper.from_array(np.array(default, np.float32), name))
        return name

    def output(self, tensor: str, name: str, dtype: int, shape: tuple[int | str, ...]) -> None:
        """Give `tensor`, a node's result, to the world as `name`."""
        for node in self._nodes:
            for names in (node.input, node.output):
                for index, used in enumerate(names):
                    if used == tensor:
                        names[index] = name
        self._outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def constant(self, value: NDArray[np.generic] | np.generic) -> str:
        name = f"constant_{next(self._constant_numbers)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        return self.split_op(kind, 1, *inputs, domain=domain, **attributes)[0]

    def split_op(
        self, kind: str, outputs: int, *inputs: str, domain: str = "", **attributes: Any
    ) -> list[str]:
        base = f"{kind}_{next(self._numbers)}"
        names = [base] if outputs == 1 else [f"{base}_{index}" for index in range(outputs)]
        self._nodes.append(helper.make_node(kind, inputs, names, name=base, domain=domain, **attributes))
        return names

    def either(
        self, condition: str, then: Callable[[], str], otherwise: Callable[[], str], dtype: int
    ) -> str:
        """What `then` adds where `condition`, a bool, holds, else what `otherwise` adds: only one is run."""
        branches = {"then_branch": self._branch(then, dtype), "else_branch": self._branch(otherwise, dtype)}
        return self.op("If", condition, **branches)

    def one_of(self, number: str, ways: Sequence[Callable[[], str]], dtype: int) -> str:
        """What the `number`-th of `ways` adds, counted from 0: only that one is run."""

        def rest(first: int) -> str:
            if first == len(ways) - 1:
                return ways[first]()
            this = self.op("Equal", number, self.integers(first))
            return self.either(this, ways[first], lambda: rest(first + 1), dtype)

        return rest(0)

    def _branch(self, add: Callable[[], str], dtype: int) -> onnx.GraphProto:
        """With constants of its own: weights from further out than one branch onnxruntime does not pack."""
        nodes, constants, self._nodes, self._constants = self._nodes, self._constants, [], []
        result = helper.make_tensor_value_info(add(), dtype, None)
        branch = helper.make_graph(self._nodes, result.name, [], [result], self._constants)
        self._nodes, self._constants = nodes, constants
        return branch

    # Shapes

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def whole(self, *values: int | str) -> str:
        """Whole numbers side by side; `values` are numbers or names of (1,) int64 tensors."""
        if all(isinstance(value, int) for value in values):
            return self.integers(*values)  # type: ignore[arg-type]
        return self.concat(*(self.integers(v) if isinstance(v, int) else v for v in values), axis=0)

    def reshape(self, tensor: str, *sides: int | str) -> str:
        """`sides` are numbers or names of (1,) int64 tensors."""
        return self.op("Reshape", tensor, self.whole(*sides))

    def transpose(self, tensor: str, *order: int) -> str:
        return self.op("Transpose", tensor, perm=order)

    def channels_last(self, planes: str) -> str:
        """(C, n) bytes -> (n, C), by one thread.

        onnxruntime shares a `Transpose` out by rows of what goes in. Where these are few channels, threads
        write to the same cache lines, and two take up to ten times as long as one. A `Scan` puts its rows
        together by a transpose that is not shared out.
        """
        row, same = (f"{name}_{next(self._numbers)}" for name in ("row", "same"))
        rows = [helper.make_tensor_value_info(name, UINT8, [None]) for name in (row, same)]
        copy = helper.make_node("Identity", [row], [same], name=same)
        body = helper.make_graph([copy], same, rows[:1], rows[1:])
        return self.op("Scan", planes, body=body, num_scan_inputs=1, scan_output_axes=[1])

    def concat(self, *tensors: str, axis: int) -> str:
        return self.op("Concat", *tensors, axis=axis)

    def split(self, tensor: str, sizes: tuple[int, ...], axis: int) -> list[str]:
        return self.split_op("Split", len(sizes), tensor, self.integers(*sizes), axis=axis)

    @staticmethod
    def scalar(value: float) -> onnx.TensorProto:
        """A number where an attribute wants a tensor."""
        return numpy_helper.from_array(np.array([value], np.float32))

    def number(self, value: float) -> str:
        return self.constant(np.float32(value))

    # Bytes

    def quantize(self, tensor: str, scale: float, zero: int = 0) -> Bytes:
        return Bytes(self.op("QuantizeLinear", tensor, *self._scheme(scale, zero)), scale, zero)

    def quantize_by(self, tensor: str, scale: str, zero: int) -> Bytes:
        """In steps that are known at run time only; to what reads it they are 1."""
        zero_point = self.constant(np.uint8(zero))
        return Bytes(self.op("QuantizeLinear", tensor, scale, zero_point), 1, zero)

    def dequantize(self, tensor: Bytes) -> str:
        return self.op("DequantizeLinear", tensor.name, *self._scheme(tensor.scale, tensor.zero))

    def convolution(
        self,
        x: Bytes,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32],
        scale: float,
        zero: int = 0,
        *,
        strides: int | tuple[int, int] = 1,
        dilation: int = 1,
        columns: int = 1,
        order: Sequence[int] | None = None,
        seen: Moments | None = None,
        exact: NDArray[np.float32] | None = None,
    ) -> Bytes:
        """(1, H, W, C) bytes -> (1, H, W, F) bytes; `kernel` (h, w, C, F) and `bias` (F,) real.

        Weights are rounded to 8 bits with one step a filter, the bias to 32 bits. With `zero` 0 the
        result is cut off below 0, which is the ReLU, free. "Same" padding as Keras has it. With what
        the kernel has `seen`, weights are rounded so that the result is off least on that. Weights that are
        multiples of `exact` (F,) are not rounded at all; infinity where any step will do. It works on so many
        `columns` of the result at a time, which must divide its width: the same numbers, sooner. With an
        `order` of the filters of all those columns, they stay side by side in it: (1, H, W / columns,
        columns * F).
        """
        *sizes, _, filters = kernel.shape
        steps = finest(kernel)
        if exact is not None:
            any_step = np.isinf(exact)
            steps = np.where(any_step, steps, dividing(kernel, np.where(any_step, 1, exact)))
        whole = round_each(kernel / steps) if seen is None else round_together(kernel / steps, seen)
        if seen is not None:
            bias = bias - seen.mean @ (whole * steps - kernel).reshape(-1, filters)
        offsets = np.rint(bias / (steps * x.scale)).clip(-(2**31), 2**31 - 1).astype(np.int32)
        down, across = (strides, strides) if isinstance(strides, int) else strides
        spans = ((size - 1) * dilation + 1 for size in sizes)
        margins = [max(span - apart, 0) for span, apart in zip(spans, (down, across), strict=True)]
        together = range(columns * filters) if order is None else order
        wide = _side_by_side(whole, columns, across)[..., together]
        name = self.op(
            "QLinearConv",
            x.name,
            *self._scheme(x.scale, x.zero),
            self.constant(wide.astype(np.int8).transpose(3, 2, 0, 1)),
            self.constant(np.tile(steps.astype(np.float32), columns)[together]),
            self.constant(np.zeros(columns * filters, np.int8)),
            *self._scheme(scale, zero),
            self.constant(np.tile(offsets, columns)[together]),
            domain=_CONTRIB,
            channels_last=1,
            kernel_shape=wide.shape[:2],
            strides=[down, columns * across],
            pads=[*(margin // 2 for margin in margins), *(margin - margin // 2 for margin in margins)],
            dilations=[dilation, dilation],
            group=1,
        )
        result = Bytes(name, scale, zero)
        return result if columns == 1 or order is not None else self.apart(result, filters)

    def apart(self, x: Bytes, filters: int) -> Bytes:
        """(1, H, W / columns, columns * F), columns that lie side by side -> (1, H, W, F)."""
        return replace(x, name=self.reshape(x.name, 0, 0, -1, filters))  # 0: as it is

    def twice(
        self,
        x: Bytes,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32],
        scale: float,
        height: int | str,
        larger: int | str,
        seen: Moments | None = None,
    ) -> Bytes:
        """(1, H, W, C) -> (1, 2 H, 2 W, F / 4): a 1x1 convolution and depth to space, zero at 128.

        A convolution for each row parity, so that putting the rows together copies whole ones.
        `height` and `larger` are H and 2 H, or names of them.
        """
        rows = [
            self.reshape(self.convolution(x, k, b, scale, 128, seen=seen).name, 1, height, 1, -1)
            for k, b in zip(np.split(kernel, 2, axis=3), np.split(bias, 2), strict=True)
        ]
        together = self.reshape(self.concat(*rows, axis=2), 1, larger, -1, len(bias) // 4)
        return Bytes(together, scale, 128)

    def add(self, a: Bytes, b: Bytes, scale: float, zero: int = 0) -> Bytes:
        return self._binary("QLinearAdd", a, b, scale, zero)

    def multiply(self, a: Bytes, b: Bytes, scale: float, zero: int = 0) -> Bytes:
        return self._binary("QLinearMul", a, b, scale, zero)

    def product(self, a: Bytes, b: Bytes, scale: float, zero: int = 0) -> Bytes:
        """Of two matrices."""
        return self._binary("QLinearMatMul", a, b, scale, zero, domain="")

    def product_in_floats(self, x: Bytes, kernel: NDArray[np.int8], bias: NDArray[np.float32]) -> str:
        """Of a matrix (n, C) and whole numbers (C, F), plus `bias` (F,): (n, F) float."""
        schemes = (
            self.number(x.scale),
            self.number(1),
            self.constant(np.uint8(x.zero)),
            self.constant(np.int8(0)),
        )
        inputs = (x.name, self.constant(kernel), *schemes, self.constant(bias))
        return self.op("MatMulIntegerToFloat", *inputs, domain=_CONTRIB)

    def in_floats(self, x: Bytes, *sides: int | str) -> str:
        """The real numbers, in the shape `sides`; of so many that they are a multiple of 16.

        A product with ones on the diagonal: `DequantizeLinear` is not shared out among threads, and what one
        of them wrote the other has to fetch. 1 to 2 % of all time.
        """
        rows = replace(x, name=self.reshape(x.name, -1, _ROW))
        ones, zeros = np.eye(_ROW, dtype=np.int8), np.zeros(_ROW, np.float32)
        return self.reshape(self.product_in_floats(rows, ones, zeros), *sides)

    def rounded(self, x: Bytes, scale: float, zero: int) -> Bytes:
        """The same numbers in other steps."""
        return self.multiply(x, Bytes(self.constant(np.uint8(1)), 1), scale, zero)

    def blend(self, a: str, b: str, share: str, rest: str) -> str:
        """Bytes `share` * a + `rest` * b, both factors float scalars known at run time only."""
        zero = self.constant(np.uint8(0))
        return self.op("QLinearAdd", a, share, zero, b, rest, zero, self.number(1), zero, domain=_CONTRIB)

    def _binary(
        self, kind: str, a: Bytes, b: Bytes, scale: float, zero: int, domain: str = _CONTRIB
    ) -> Bytes:
        schemes = [self._scheme(t.scale, t.zero) for t in (a, b, Bytes("", scale, zero))]
        name = self.op(kind, a.name, *schemes[0], b.name, *schemes[1], *schemes[2], domain=domain)
        return Bytes(name, scale, zero)

    def _scheme(self, scale: float, zero: int) -> tuple[str, str]:
        return self.number(scale), self.constant(np.uint8(zero))

    def model(self, name: str) -> onnx.ModelProto:
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(_CONTRIB, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
        onnx.checker.check_model(model)
        return model


def columns_at_once(filters: int) -> int:
    """How many columns a convolution of so many filters had better work on at a time."""
    return max(_FILTERS // filters, 1)


def _side_by_side(kernel: NDArray[np.floating], columns: int, apart: int) -> NDArray[np.float64]:
    """(h, w, C, F) -> (h, w + (columns - 1) * apart, C, columns * F): the kernel at each of these columns."""
    height, width, channels, filters = kernel.shape
    wide = np.zeros((height, width + (columns - 1) * apart, channels, columns * filters))
    for column in range(columns):
        start = column * apart
        wide[:, start : start + width, :, column * filters : (column + 1) * filters] = kernel
    return wide


UINT8, FLOAT, INT64 = TensorProto.UINT8, TensorProto.FLOAT, TensorProto.INT64
