"""What does not get through, and that nobody can hurt the loop."""

from __future__ import annotations

import contextlib
import socket
from contextlib import closing

import pytest

from dae_edge.camera.controls import Controls
from dae_edge.camera.web import WebPage, app, patience
from tests.dae_edge.web.support import raw, until

PATHS = [
    "/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/%252e%252e/etc/passwd",
    "//etc/passwd", "/..\\..\\etc\\passwd", "/page/live.js", "/live.js/", "/live.js%00", "/./live.js",
    "/live.html", "/LIVE.JS", "/live.js/../assets.py", "file:///etc/passwd", "/%ff%fe", "/" + "a" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_path_trick_finds_nothing(standing: WebPage, path: str) -> None:
    answer = raw(standing, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), answer[:100]
    assert b"root:" not in answer


HEAD = b"POST /settings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
REQUESTS = {
    "too large, announced": (HEAD + b"Content-Length: 9000\r\n\r\n" + b" " * 9000, b"413"),
    "too large, in chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"800\r\n%s\r\n" % (b" " * 2048) * 4, b"413"),
    "cut off": (HEAD + b'Content-Length: 90\r\n\r\n{"strength"', None),
    "negative length": (HEAD + b"Content-Length: -1\r\n\r\n{}", b"400"),
    "both lengths": (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"400"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", b"400"),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n", b"400"),
    "large head": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 100_000, b"4"),
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 no TLS here\r\n\r\n", b"400"),
    "no upgrade": (b"GET /watch HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"404"),
    "upgrade to another": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", b"200"),
}  # fmt: skip


@pytest.mark.parametrize("case", REQUESTS)
def test_a_bad_request_is_refused_and_the_next_one_served(standing: WebPage, case: str) -> None:
    request, status = REQUESTS[case]
    try:
        answer = raw(standing, request)
        assert answer == b"" if status is None else answer.startswith(b"HTTP/1.1 " + status)
    except ConnectionError:  # shut before all of a request that is too large was taken
        assert case.startswith(("too large", "large"))
    assert raw(standing, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_a_body_that_trickles_in_is_given_up(page: WebPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_SLOWEST_BODY", 0.1)
    with socket.create_connection(("127.0.0.1", page.port), timeout=5) as slow:
        slow.sendall(HEAD + b"Content-Length: 90\r\n\r\n{")
        assert slow.recv(1000).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nHost: 127", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /"]
)
def test_a_connection_that_does_nothing_is_dropped(
    controls: Controls, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(patience, "LONGEST", 0.2)
    monkeypatch.setattr(patience, "_LOOK", 0.05)
    with (
        closing(WebPage(controls, port=0)) as page,
        socket.create_connection(("127.0.0.1", page.port), timeout=3) as idle,
    ):
        idle.sendall(sent)
        try:
            while idle.recv(65536):
                pass
        except ConnectionResetError:
            pass


def test_connections_beyond_the_most_are_shut_at_once(page: WebPage) -> None:
    crowd = [
        socket.create_connection(("127.0.0.1", page.port), timeout=5)
        for _ in range(patience.MOST_CONNECTIONS)
    ]
    try:
        assert until(lambda: len(page._server.server_state.connections) == patience.MOST_CONNECTIONS)
        with contextlib.suppress(OSError):  # it may be shut before all is asked
            assert raw(page, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") == b""
    finally:
        for sock in crowd:
            sock.close()
