"""What the page's tests share: frames to show, a page that watches, raw requests."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

import cv2
import numpy as np
from starlette.testclient import TestClient
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close
from websockets.sync.client import ClientConnection, connect

from dae_edge.camera.controls import Controls
from dae_edge.camera.view import Figures, View
from dae_edge.camera.web import WebPage, app
from dae_edge.camera.web.broadcast import Broadcast
from dae_edge.camera.web.guard import Guard

TOKEN = "a-token-of-twenty-two!"


def view(number: int = 1, *, size: tuple[int, int] = (64, 48), status: str = "") -> View:
    """Before is `number`, after 100 more; noise where it is large, so that its JPEG is large too."""
    width, height = size
    before = np.full((height, width, 3), number % 100, np.uint8)
    if width > 1000:
        before = np.random.default_rng(number).integers(0, 255, before.shape, dtype=np.uint8)
    after = np.full((height, width, 3), 100 + number % 100, np.uint8)
    return View(before, after, number, time.monotonic(), Figures(30.0, 20.0, 25.0, 3, status))


def until(true: Callable[[], object], seconds: float = 5.0) -> bool:
    """Wait for something to become true; whether it did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.01)
    return False


class Watcher:
    """A page, as far as the server can tell."""

    def __init__(self, page: WebPage, width: int = 320, **options: object) -> None:
        self.width = width
        self._open = ExitStack()
        address = f"ws://127.0.0.1:{page.port}/watch"
        self.socket: ClientConnection = self._open.enter_context(connect(address, open_timeout=5, **options))  # type: ignore[arg-type]

    def take(self) -> tuple[dict[str, object], np.ndarray | None]:
        """The next message, unanswered: its words and its picture."""
        message = self.socket.recv(timeout=5)
        assert isinstance(message, bytes)
        length = int.from_bytes(message[:4])
        jpeg = message[4 + length :]
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
        return json.loads(message[4 : 4 + length]), picture

    def answer(self, words: dict[str, object]) -> None:
        self.socket.send(f"{words['id']} {self.width}")

    def next(self) -> tuple[dict[str, object], np.ndarray | None]:
        words, picture = self.take()
        self.answer(words)
        return words, picture

    def picture(self) -> tuple[dict[str, object], np.ndarray]:
        """The next message that brings a picture."""
        while True:
            words, picture = self.next()
            if picture is not None:
                return words, picture

    def rest(self) -> tuple[int, Close]:
        """How many messages still come, unanswered, before the server closes, and its last words."""
        for received in range(1000):
            try:
                self.take()
            except ConnectionClosed as closed:
                return received, closed.rcvd or Close(1006, "without a word")
        raise AssertionError("it does not end")

    def close(self) -> None:
        self._open.close()


def client(
    controls: Controls, *, host: str = "127.0.0.1", token: str | None = None, **more: object
) -> TestClient:
    guarded = Guard(app.build(Broadcast(controls)), host=host, port=8000, token=token)
    return TestClient(guarded, base_url="http://127.0.0.1:8000", **more)  # type: ignore[arg-type]


def raw(page: WebPage, request: bytes) -> bytes:
    """What comes back for these very bytes."""
    with socket.create_connection(("127.0.0.1", page.port), timeout=5) as sock:
        sock.sendall(request)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while part := sock.recv(65536):
            answer += part
    return answer
