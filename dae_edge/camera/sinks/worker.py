"""A thread behind a sink, so that what is slow does not slow the loop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Worker(Generic[Item]):
    """Calls `work` with every item in a thread of its own, and `finish` after the last.

    room: items that may wait; one more drops the oldest, or, where `every` counts, waits for room
    """

    def __init__(
        self,
        work: Callable[[Item], None],
        *,
        finish: Callable[[], None] = lambda: None,
        room: int = 2,
        every: bool = False,
    ) -> None:
        self._work, self._finish = work, finish
        self._room, self._every = room, every
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self.failure: Exception | None = None
        self.done = False
        self._thread = threading.Thread(target=self._run, name="sink", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Hand over an item; raises what `work` raised."""
        with self._changed:
            if self._every:
                self._changed.wait_for(lambda: len(self._items) < self._room or self.done)
            elif len(self._items) == self._room:
                self._items.popleft()
            if self.failure is not None:
                raise self.failure
            self._items.append(item)
            self._changed.notify_all()

    def close(self, timeout: float | None = None) -> bool:
        """Let it work off what waits and finish; False where that took longer than `timeout` seconds.

        With a `timeout` of 0 it finishes behind the caller's back.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if timeout != 0:
            self._thread.join(timeout)
        return self.done

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                self._work(item[0])
        except Exception as failure:  # told by the next `put` or by whoever asks
            self.failure = failure
        try:
            self._finish()
        except Exception as failure:
            self.failure = self.failure or failure
        with self._changed:
            self.done = True
            self._changed.notify_all()

    def _next(self) -> tuple[Item] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closing)
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return (item,)
