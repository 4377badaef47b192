"""The newest view, left by the loop's thread and found by the server's."""

from __future__ import annotations

import asyncio
import contextlib

from dae_edge.camera.view import View


class Feed:
    """Holds one view, the newest; whoever was too slow for the one before never sees it.

    `put` is for the loop's thread and takes some ten microseconds; all else is for the server's.
    """

    def __init__(self) -> None:
        self.view: View | None = None
        self.watched = False  # while nobody watches, the server need not be woken
        self._server: asyncio.AbstractEventLoop | None = None
        self._arrival = asyncio.Event()

    def attach(self) -> None:
        """Name the running event loop as the one that `put` wakes."""
        self._server = asyncio.get_running_loop()

    def put(self, view: View) -> None:
        """Leave a view; never waits."""
        self.view = view
        if self.watched and self._server is not None:
            with contextlib.suppress(RuntimeError):  # the server has just ended
                self._server.call_soon_threadsafe(self._announce)

    async def wait(self, seconds: float) -> None:
        """Until a view arrives, or so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._arrival.wait()

    def _announce(self) -> None:
        arrival, self._arrival = self._arrival, asyncio.Event()
        arrival.set()
