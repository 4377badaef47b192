"""How long a connection may take: one that holds a place and does nothing with it is dropped.

uvicorn waits for ever for a request's head, and for a peer to read what it was sent.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

MOST_CONNECTIONS = 64
LONGEST = 15.0  # seconds for a request's head, for a response to be read, for a goodbye
_LOOK = 1.0  # seconds

_Step = tuple[object, ...]


class CountedHttp(H11Protocol):
    """HTTP/1.1 that closes a connection beyond the most at once."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()


async def drop_idle(state: ServerState) -> None:
    """Look every second, for ever; a connection that stays at one step too long is aborted."""
    since: dict[Any, tuple[_Step, float]] = {}
    while True:
        await asyncio.sleep(_LOOK)
        now = time.monotonic()
        since = {connection: _reached(connection, since, now) for connection in state.connections}
        for connection, (step, begun) in since.items():
            if step and now - begun > LONGEST:
                connection.transport.abort()


def abort_all(state: ServerState) -> None:
    """Drop every connection at once, whatever is left to be sent."""
    for connection in list(state.connections):
        connection.transport.abort()


def _reached(connection: Any, since: dict[Any, tuple[_Step, float]], now: float) -> tuple[_Step, float]:
    """The step that a connection is at, and since when."""
    step = _step(connection)
    before = since.get(connection)
    return before if before is not None and before[0] == step else (step, now)


def _step(connection: Any) -> _Step:
    """What must change for a connection to be alive; empty where nothing must.

    Over HTTP it is the request it is at, and whether that is answered. A WebSocket's viewer has a
    patience of its own, so only its end is looked at here.
    """
    closing = connection.transport.is_closing()
    if isinstance(connection, H11Protocol):
        cycle = connection.cycle
        return ("http", cycle, cycle is not None and cycle.response_complete, closing)
    return ("goodbye",) if closing else ()
