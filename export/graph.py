"""Which parts of a network go to 8 bits, decided on the shape of its graph alone.

Every convolution whose result goes to other convolutions only, and what lies between two of them.
The others draw the picture, or are added to it, or steer the memory: in 8 bits they cost up to a
decibel, in float almost no time. Everything around them (memory, blending, scaling) is arithmetic
that must not be rounded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

# By the names of ONNX and of TFLite.
CONVOLUTIONS = {
    "Conv", "ConvTranspose", "Gemm", "MatMul",
    "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED",
}  # fmt: skip
_ACTIVATIONS = {"Relu", "Clip", "LeakyRelu", "RELU", "RELU6", "LEAKY_RELU"}
_JOINTS = {
    "Add", "Sub", "Concat", "DepthToSpace", "MaxPool", "Reshape", "Transpose", "Squeeze", "Unsqueeze",
    "ADD", "SUB", "CONCATENATION", "DEPTH_TO_SPACE", "MAX_POOL_2D", "RESHAPE", "TRANSPOSE",
}  # fmt: skip
_SUMS = {"Add", "Sub", "ADD", "SUB"}


@dataclass(frozen=True)
class Node:
    """One operator: its data inputs (constants left out) and outputs by tensor name."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def to_quantize(nodes: Sequence[Node], floats: Collection[str] = ()) -> list[Node]:
    """The nodes that go to 8 bits; the convolutions named in `floats` do not."""
    users: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        for name in node.inputs:
            users[name].append(node)
    chosen = {n for n in nodes if n.op in CONVOLUTIONS and _feeds_convolutions(n, users)}
    while left := _added_to_floats(chosen, _with_joints(nodes, chosen), users):
        chosen -= left
    chosen = _with_joints(nodes, {n for n in chosen if n.name not in floats})
    shrunk = True
    while shrunk:  # a joint that leads to nothing in 8 bits would only add conversions
        leaving = {
            n for n in chosen if n.op in _JOINTS and not any(u in chosen for o in n.outputs for u in users[o])
        }
        chosen -= leaving
        shrunk = bool(leaving)
    return [n for n in nodes if n in chosen]


def _with_joints(nodes: Sequence[Node], convolutions: set[Node]) -> set[Node]:
    """An operator joins when all it takes in comes from 8 bits."""
    makers = {output: node for node in nodes for output in node.outputs}
    candidates = [n for n in nodes if n.op in _ACTIVATIONS | _JOINTS]
    chosen, grown = set(convolutions), True
    while grown:
        joining = {
            n
            for n in candidates
            if n not in chosen and n.inputs and all(makers.get(i) in chosen for i in n.inputs)
        }
        chosen |= joining
        grown = bool(joining)
    return chosen


def _added_to_floats(convolutions: set[Node], joined: set[Node], users: dict[str, list[Node]]) -> set[Node]:
    """Those whose result is added to something in float, or taken from it, before a convolution sees it:
    part of the picture."""
    return {
        n for n in convolutions for o in n.outputs if any(u.op in _SUMS and u not in joined for u in users[o])
    }


def _feeds_convolutions(node: Node, users: dict[str, list[Node]]) -> bool:
    """Whether all that uses the node's result, through activations and joints, is convolutions."""
    after = [user for output in node.outputs for user in users[output]]
    return bool(after) and all(
        user.op in CONVOLUTIONS or (user.op in _ACTIVATIONS | _JOINTS and _feeds_convolutions(user, users))
        for user in after
    )
