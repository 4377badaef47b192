"""Just enough of protobuf's wire format to take an .onnx file apart without its schema.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from typing import TypeAlias

Value: TypeAlias = int | memoryview

_DEEPEST = 100  # as in protobuf's own parsers
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class Message:
    """The fields of one message by number; ValueError where the bytes are no message."""

    def __init__(self, data: memoryview, depth: int = 0) -> None:
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        self._depth = depth
        self._fields: dict[int, list[Value]] = {}
        at = 0
        while at < len(data):
            key, at = _varint(data, at)
            value, at = _value(data, at, key & 7)
            if not 0 < key >> 3 < 1 << 29:
                raise ValueError("a field has a number out of range")
            self._fields.setdefault(key >> 3, []).append(value)

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def integers(self, number: int) -> list[int]:
        """A repeated signed integer field, packed or not."""
        found = []
        for value in self._fields.get(number, ()):
            if isinstance(value, int):
                found.append(value)
                continue
            at = 0
            while at < len(value):
                one, at = _varint(value, at)
                found.append(one)
        return [one - (1 << 64) if one >> 63 else one for one in found]

    def integer(self, number: int) -> int:
        """An integer field; 0 where it is absent, the last where it is repeated."""
        return (self.integers(number) or [0])[-1]

    def texts(self, number: int) -> list[str]:
        """A repeated text field."""
        values = self._fields.get(number, ())
        return [bytes(value).decode(errors="replace") for value in values if isinstance(value, memoryview)]

    def text(self, number: int) -> str:
        """A text field; "" where it is absent."""
        return (self.texts(number) or [""])[-1]

    def messages(self, number: int) -> list[Message]:
        """The messages in a field; all of them, where a field that may come once comes again."""
        values = self._fields.get(number, ())
        return [Message(value, self._depth + 1) for value in values if isinstance(value, memoryview)]


def _value(data: memoryview, at: int, kind: int) -> tuple[Value, int]:
    if kind == _VARINT:
        return _varint(data, at)
    if kind == _BYTES:
        length, at = _varint(data, at)
    elif kind in (_FIXED64, _FIXED32):
        length = 8 if kind == _FIXED64 else 4
    else:
        raise ValueError(f"a field has the wire type {kind}")
    if length > len(data) - at:
        raise ValueError("it is cut short")
    value = data[at : at + length]
    return value if kind == _BYTES else int.from_bytes(value, "little"), at + length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for position in range(10):
        if at + position >= len(data):
            raise ValueError("it is cut short")
        byte = data[at + position]
        value |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            return value & (1 << 64) - 1, at + position + 1
    raise ValueError("a number is longer than ten bytes")
