"""The page as a sink of the loop: a web server in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from urllib.parse import quote

import uvicorn

from dae_edge.camera.controls import Controls
from dae_edge.camera.view import View
from dae_edge.camera.web import app, patience
from dae_edge.camera.web.broadcast import Broadcast
from dae_edge.camera.web.guard import Guard, is_loopback
from dae_edge.errors import BadValueError, ServeError

SHORTEST_TOKEN = 16  # characters

_LARGEST_HEAD = 16 * 1024  # bytes of a request's head
_LARGEST_ANSWER = 64  # bytes of a watching page's message


class WebPage:
    """Serves the page until closed; `show` hands a view over and returns at once.

    controls: what the page changes
    host:     the address or name to listen at; 127.0.0.1 is for this machine alone
    port:     0 takes a free one
    token:    what a browser must know; required unless `host` is a loopback address
    source:   the camera's name, for people

    Raises `BadValueError` where the token is missing or short, `ServeError` where the address cannot
    be listened at.
    """

    def __init__(
        self,
        controls: Controls,
        *,
        host: str = "127.0.0.1",
        port: int = 8000,
        token: str | None = None,
        source: str = "",
    ) -> None:
        if token is None and not is_loopback(host):
            raise BadValueError(f"`host` (={host}) is open to the network, so `token` must be given.")
        if token is not None and len(token) < SHORTEST_TOKEN:
            raise BadValueError(f"`token` must have {SHORTEST_TOKEN} characters or more.")
        self._socket = _listen(host, port)
        self.port = int(self._socket.getsockname()[1])
        self.url = _url(host, self.port, token)
        self._broadcast = Broadcast(controls, source=source)
        self._server = uvicorn.Server(
            uvicorn.Config(
                Guard(app.build(self._broadcast), host=host, port=self.port, token=token),
                http=patience.CountedHttp,
                ws="websockets-sansio",
                ws_max_size=_LARGEST_ANSWER,
                ws_per_message_deflate=False,  # a JPEG does not get smaller
                h11_max_incomplete_event_size=_LARGEST_HEAD,
                lifespan="off",
                log_config=None,
                log_level="error",  # bad requests are refused, not told of
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="web page", daemon=True)
        self._thread.start()

    @property
    def viewers(self) -> int:
        """How many pages are watching."""
        return len(self._broadcast.viewers)

    def show(self, view: View) -> None:
        """Leave the view for the pages that watch."""
        self._broadcast.view = view

    def close(self) -> None:
        """Stop serving, in well under two seconds whatever the pages do."""
        self._server.should_exit = True
        self._thread.join(0.7)
        if self._thread.is_alive():
            self._server.force_exit = True
            with contextlib.suppress(RuntimeError):  # it has ended meanwhile
                self._loop.call_soon_threadsafe(patience.abort_all, self._server.server_state)
            self._thread.join(1.0)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        dropping = asyncio.create_task(patience.drop_idle(self._server.server_state))
        try:
            # Outside the main thread it leaves the signals alone.
            await self._server.serve(sockets=[self._socket])
        finally:
            dropping.cancel()


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as failure:
        raise ServeError(f"there is no address {host} to serve the page at: {failure}.") from failure
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(patience.MOST_CONNECTIONS)
    except OSError as failure:
        listening.close()
        raise ServeError(
            f"the page cannot be served at {host}, port {port}: {failure.strerror}; try another --port."
        ) from failure
    return listening


def _url(host: str, port: int, token: str | None) -> str:
    """What to type into a browser."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified:
            host = _address_of_this_machine()
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?token={quote(token, safe='')}" if token else "")


def _address_of_this_machine() -> str:
    """The address from which this machine would reach others; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address set aside for documents (RFC 5737)
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
