"""Just enough of the FlatBuffers format to take a .tflite file apart without its schema.

https://flatbuffers.dev/internals/
"""

from __future__ import annotations

import struct


class Buffer:
    """The file's bytes, each access checked; ValueError where one leads outside.

    Offsets may lead to the same place again and again, so that a small file could ask for
    endless work: no more things are read from a file than a whole one can hold.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = len(data)

    def number(self, kind: str, at: int) -> int:
        """The little-endian number of struct's format letter `kind`."""
        self.need(at, struct.calcsize(kind))
        return int(struct.unpack_from("<" + kind, self._data, at)[0])

    def need(self, at: int, length: int) -> None:
        """Raise where `length` bytes from `at` are not all there."""
        if not 0 <= at <= len(self._data) - length:
            raise ValueError("an offset leads outside of it")

    def spend(self, count: int) -> None:
        """Note that `count` things are about to be read."""
        self._left -= count
        if self._left < 0:
            raise ValueError("it refers to more than it holds")

    def text(self, at: int, length: int) -> str:
        self.spend(length)
        self.need(at, length)
        return self._data[at : at + length].decode(errors="replace")

    def root(self) -> Table:
        return Table(self, self.number("I", 0))


class Table:
    """One table; a field is known by its slot, its place in the schema."""

    def __init__(self, buffer: Buffer, at: int) -> None:
        buffer.spend(1)
        self._buffer, self._at = buffer, at
        self._slots = at - buffer.number("i", at)
        self._length = buffer.number("H", self._slots)

    def number(self, slot: int, kind: str, default: int = 0) -> int:
        """A number field of struct's format letter `kind`."""
        at = self._field(slot)
        return default if at is None else self._buffer.number(kind, at)

    def text(self, slot: int) -> str:
        """A text field; "" where it is absent."""
        start, length = self._vector(slot)
        return self._buffer.text(start, length)

    def length(self, slot: int) -> int:
        """How many elements a vector has; 0 where it is absent."""
        return self._vector(slot)[1]

    def numbers(self, slot: int) -> list[int]:
        """A vector of 32-bit signed integers."""
        start, length = self._vector(slot)
        self._buffer.spend(length)
        return [self._buffer.number("i", start + 4 * index) for index in range(length)]

    def tables(self, slot: int) -> list[Table]:
        """A vector of tables."""
        start, length = self._vector(slot)
        self._buffer.spend(length)
        places = range(start, start + 4 * length, 4)
        return [Table(self._buffer, at + self._buffer.number("I", at)) for at in places]

    def _field(self, slot: int) -> int | None:
        entry = 4 + 2 * slot
        if entry + 2 > self._length:
            return None
        offset = self._buffer.number("H", self._slots + entry)
        return self._at + offset if offset else None

    def _vector(self, slot: int) -> tuple[int, int]:
        """Where its elements begin, and how many there are."""
        at = self._field(slot)
        if at is None:
            return 0, 0
        start = at + self._buffer.number("I", at)
        length = self._buffer.number("I", start)
        self._buffer.need(start + 4, length)  # an element has a byte at least
        return start + 4, length
