"""Which nodes go to 8 bits, on graphs small enough to read."""

from dae_edge.export.graph import Node, to_quantize


def chain(*ops: str) -> list[Node]:
    return [Node(f"{i}:{op}", op, (f"t{i}",), (f"t{i + 1}",)) for i, op in enumerate(ops)]


def chosen(nodes: list[Node]) -> list[str]:
    return [node.op for node in to_quantize(nodes)]


def test_the_last_convolution_stays_float() -> None:
    nodes = chain("Mul", "Conv", "Relu", "Conv", "Relu", "Conv", "Clip")
    assert [n.name for n in to_quantize(nodes)] == ["1:Conv", "2:Relu", "3:Conv", "4:Relu"]


def test_one_convolution_is_the_last() -> None:
    assert chosen(chain("Conv")) == []


def test_joints_between_convolutions_join_them() -> None:
    nodes = [
        Node("in", "Conv", ("x",), ("a",)),
        Node("down", "Conv", ("a",), ("b",)),
        Node("up", "DepthToSpace", ("b",), ("c",)),
        Node("skip", "Add", ("a", "c"), ("d",)),
        Node("out", "Conv", ("d",), ("e",)),
        Node("head", "Conv", ("e",), ("f",)),
    ]
    assert [n.name for n in to_quantize(nodes)] == ["in", "down", "up", "skip", "out"]


def test_a_convolution_that_steers_arithmetic_stays_float() -> None:
    nodes = [
        Node("first", "CONV_2D", ("x",), ("a",)),
        Node("gate", "CONV_2D", ("a",), ("b",)),
        Node("sigmoid", "LOGISTIC", ("b",), ("p",)),
        Node("mix", "MUL", ("p", "state"), ("next",)),
        Node("second", "CONV_2D", ("next",), ("c",)),
        Node("head", "CONV_2D", ("c",), ("y",)),
    ]
    assert [n.name for n in to_quantize(nodes)] == ["first", "second"]


def test_a_sum_with_the_input_stays_float() -> None:
    nodes = [
        Node("first", "Conv", ("x",), ("a",)),
        Node("last", "Conv", ("a",), ("r",)),
        Node("residual", "Sub", ("x", "r"), ("y",)),
    ]
    assert [n.name for n in to_quantize(nodes)] == ["first"]


def test_what_is_added_to_a_float_picture_stays_float() -> None:
    """Even where a fixed transform, a convolution too, follows."""
    nodes = [
        Node("first", "Conv", ("x",), ("a",)),
        Node("features", "Conv", ("a",), ("b",)),
        Node("details", "Conv", ("b",), ("c",)),
        Node("sum", "Add", ("c", "average"), ("d",)),
        Node("transform", "Conv", ("d",), ("e",)),
        Node("up", "DepthToSpace", ("e",), ("y",)),
    ]
    assert [n.name for n in to_quantize(nodes)] == ["first", "features"]


def test_what_is_taken_from_features_joins_them() -> None:
    """A network that is told of the camera by thresholds before a ReLU."""
    nodes = [
        Node("first", "CONV_2D", ("x",), ("a",)),
        Node("inner", "CONV_2D", ("a",), ("b",)),
        Node("code", "FULLY_CONNECTED", ("numbers",), ("c",)),
        Node("thresholds", "FULLY_CONNECTED", ("c",), ("d",)),
        Node("told", "SUB", ("b", "d"), ("e",)),
        Node("relu", "RELU", ("e",), ("f",)),
        Node("last", "CONV_2D", ("f",), ("g",)),
        Node("head", "CONV_2D", ("g",), ("y",)),
    ]
    assert [n.name for n in to_quantize(nodes)] == [n.name for n in nodes[:-1]]


def test_what_is_taken_from_a_float_picture_stays_float() -> None:
    nodes = [
        Node("first", "Conv", ("x",), ("a",)),
        Node("noise", "Conv", ("a",), ("b",)),
        Node("clean", "Sub", ("x", "b"), ("c",)),
        Node("transform", "Conv", ("c",), ("d",)),
        Node("up", "DepthToSpace", ("d",), ("y",)),
    ]
    assert [n.name for n in to_quantize(nodes)] == ["first"]
