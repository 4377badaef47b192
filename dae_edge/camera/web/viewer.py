"""One watching page: what it is sent, and what it answers.

A message to the page is the length of a JSON text (4 bytes, big-endian), that text (`Viewer._words`)
and, where the picture is new, the JPEG of a `Pair`. The page answers each message, once it has drawn
it, with "ID WIDTH": the message's id and the width in pixels it can use. No more than two messages
are ever unanswered, so a slow page gets fewer frames, each of them new, and nothing piles up.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from dae_edge.camera.web.pair import NARROWEST, Pair

if TYPE_CHECKING:
    from dae_edge.camera.view import Frame, View
    from dae_edge.camera.web.broadcast import Broadcast

STALLED = 10.0  # seconds without an answer after which a page is dropped
_AHEAD = 2  # messages that may be unanswered: one on its way, one being drawn
_HEARTBEAT = 0.25  # seconds between messages while the picture stands still

# Seconds between looks for a new view. To be woken would cost the loop's thread a system call and
# the interpreter's lock at every frame: 0.06 ms, and 6 to 17 ms at p99 on a busy machine. As it is,
# it costs that thread 0.01 ms, and the picture grows some 2 ms older.
_LOOK = 0.004

_ANSWER = re.compile(r"^(\d{1,15}) (\d{1,5})$", re.ASCII)

VIOLATION, TOO_MANY = 1008, 1013  # codes of RFC 6455 and its registry that close a WebSocket


class Viewer:
    """Sends one page the newest view, again and again, until it leaves or stops answering."""

    def __init__(self, websocket: WebSocket, broadcast: Broadcast) -> None:
        self._websocket, self._broadcast = websocket, broadcast
        self._turns = asyncio.Semaphore(_AHEAD)
        self._unanswered: dict[int, float] = {}  # message id -> when its frame was taken
        self._sent: tuple[Frame, int] | None = None  # the picture and how wide
        self._sent_at = 0.0
        self._shown_ms: float | None = None
        self.width = NARROWEST

    async def watch(self) -> None:
        """Serve the page until it leaves; one that breaks the protocol or stalls is closed."""
        tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._hear())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except WebSocketDisconnect:
            pass
        except TimeoutError:
            await self._close(f"no answer for {STALLED:g} seconds")
        except ValueError as failure:
            await self._close(str(failure))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self) -> None:
        for number in range(2**53):  # what JavaScript counts exactly
            async with asyncio.timeout(STALLED):
                await self._turns.acquire()
            view = await self._newest()
            pair = self._broadcast.encode(view) if view is not None and self._lacks(view) else None
            if view is not None:
                self._sent = (view.after, self._broadcast.width)
            self._sent_at = time.monotonic()
            self._unanswered[number] = view.taken if view is not None else self._sent_at
            words = json.dumps(self._words(number, view, pair)).encode()
            message = b"".join((len(words).to_bytes(4), words, pair.jpeg if pair else b""))
            async with asyncio.timeout(STALLED):
                await self._websocket.send_bytes(message)

    async def _newest(self) -> View | None:
        """A view whose picture is new as soon as there is one; else the old one, now and then."""
        while True:
            view = self._broadcast.view
            due = time.monotonic() >= self._sent_at + _HEARTBEAT
            if due or (view is not None and self._lacks(view)):
                return view
            await asyncio.sleep(_LOOK)

    def _lacks(self, view: View) -> bool:
        """Whether the page has not got this picture, or only a narrower one."""
        if self._sent is None:
            return True
        frame, width = self._sent
        return view.after is not frame or width < min(self._broadcast.width, view.after.shape[1])

    async def _hear(self) -> None:
        while (message := await self._websocket.receive())["type"] == "websocket.receive":
            answer = _ANSWER.match(message.get("text") or "")
            taken = self._unanswered.pop(int(answer[1]), None) if answer else None
            if answer is None or taken is None:
                raise ValueError("that answers no message")
            self._shown_ms = 1000 * (time.monotonic() - taken)
            self.width = int(answer[2])
            self._turns.release()

    def _words(self, number: int, view: View | None, pair: Pair | None) -> dict[str, Any]:
        """What goes beside the picture; milliseconds and pixels."""
        words: dict[str, Any] = {
            "id": number,
            "source": self._broadcast.source,
            "settings": self._broadcast.controls.snapshot_state(),
            "shown_ms": self._shown_ms,  # the age of the last frame when the page had drawn it
        }
        if view is not None:
            figures = view.figures
            words |= {
                "size": [view.after.shape[1], view.after.shape[0]],
                "fps": figures.fps,
                "infer_ms": figures.infer_ms,
                "age_ms": figures.age_ms,
                "dropped": figures.dropped,
                "status": figures.status,
                "work": figures.work,
            }
        if pair is not None:
            words["pair"] = [pair.width, pair.height, pair.below]
        return words

    async def _close(self, reason: str) -> None:
        try:
            async with asyncio.timeout(1):
                await self._websocket.close(VIOLATION, reason)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            pass  # it does not even take that
