"""The web page's server: what it gives to whom, and that nobody can hurt the loop."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Close
from websockets.sync.client import ClientConnection, connect

from dae_edge.camera.controls import Controls
from dae_edge.camera.view import Figures, View
from dae_edge.camera.web import WebPage, app, assets, pair, patience, viewer
from dae_edge.camera.web.broadcast import MOST_VIEWERS, Broadcast
from dae_edge.camera.web.guard import Guard
from dae_edge.errors import BadValueError, ServeError

Run = Callable[..., Any]

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


@pytest.fixture
def controls() -> Controls:
    return Controls(models=("lowlight", "lowlight-fp32"))


@pytest.fixture
def page(controls: Controls) -> Iterator[WebPage]:
    with closing(WebPage(controls, port=0, source="a camera")) as page:
        yield page


@pytest.fixture(scope="module")
def standing() -> Iterator[WebPage]:
    """One page for the requests that change nothing."""
    with closing(WebPage(Controls(), port=0)) as page:
        yield page


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


# What it gives


def test_every_file_of_the_page_is_served_and_every_name_in_it_is_there() -> None:
    table = assets.load()
    folder = os.path.dirname(assets.__file__) + "/page"
    assert {*table} - {"/"} == {f"/{name}" for name in os.listdir(folder)} - {"/live.html"}
    named = {
        name.decode()
        for content, _ in table.values()
        for name in re.findall(rb"""(?:href|src)="(/[^"]*)"|from "(/[^"]*)\"""", content)
        for name in name
        if name
    }
    assert named == {*table} - {"/"}


def test_nothing_comes_from_elsewhere() -> None:
    for content, _ in assets.load().values():
        addresses = set(re.findall(rb"https?://[^\s\"'<>`$]+", content)) - {b"http://www.w3.org/2000/svg"}
        assert not addresses
        assert b" style=" not in content  # the policy forbids it


def test_a_page_is_not_kept_framed_or_fed_from_elsewhere(controls: Controls) -> None:
    headers = client(controls).get("/").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "set-cookie" not in headers


def test_both_halves_are_of_the_newest_frame(page: WebPage) -> None:
    with closing(Watcher(page)) as watcher:
        for number in (3, 4, 5):
            page.show(view(number, status="all is not well"))
        words, picture = watcher.picture()
        assert words["source"] == "a camera"
        assert words["status"] == "all is not well"
        assert words["size"] == [64, 48]
        assert words["pair"] == [64, 48, 64]
        assert np.abs(picture[:48].astype(int) - 5).max() <= 3
        assert np.abs(picture[64:].astype(int) - 105).max() <= 3


@pytest.mark.parametrize(
    ("size", "asked", "width", "height", "below"),
    [
        ((1280, 720), 640, 640, 360, 384),
        ((1280, 720), 5000, 1280, 720, 736),
        ((1920, 1080), 5000, 1280, 720, 736),
        ((1280, 720), 1, 320, 180, 208),
        ((101, 67), 640, 101, 67, 96),
    ],
)
def test_a_pair_is_no_wider_than_asked_and_does_not_bleed(
    size: tuple[int, int], asked: int, width: int, height: int, below: int
) -> None:
    both = pair.PairEncoder()(view(1, size=size), asked)
    assert (both.width, both.height, both.below) == (width, height, below)
    picture = cv2.imdecode(np.frombuffer(both.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (below + height, width, 3)
    assert np.abs(picture[below:].astype(int) - 101).max() <= 3  # though noise ends right above it


def test_a_picture_is_encoded_once_for_all_and_not_at_all_for_nobody(
    page: WebPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []
    encode = pair._encode
    monkeypatch.setattr(pair, "_encode", lambda v, width: encoded.append(v.number) or encode(v, width))
    page.show(view(1))
    time.sleep(0.1)
    assert encoded == []
    with closing(Watcher(page)) as one, closing(Watcher(page)) as other:
        one.picture(), other.picture()
        page.show(view(2))
        one.picture(), other.picture()
        assert encoded == [1, 2]
    assert until(lambda: page.viewers == 0)
    page.show(view(3))
    time.sleep(0.1)
    assert encoded == [1, 2]


def test_a_picture_that_stands_still_is_sent_once_and_the_words_go_on(page: WebPage) -> None:
    held = view(7)
    page.show(held)
    with closing(Watcher(page)) as watcher:
        pictures = []
        for _ in range(4):
            words, picture = watcher.next()
            pictures.append(picture is not None)
            page.show(View(held.before, held.after, 7, held.taken, Figures(0, 20, 900, 3, "camera lost")))
        assert pictures == [True, False, False, False]
        assert words["status"] == "camera lost"


def test_a_page_that_can_use_more_gets_the_held_picture_larger(page: WebPage) -> None:
    page.show(view(1, size=(1280, 720)))
    with closing(Watcher(page, width=900)) as watcher:
        words, _ = watcher.picture()
        assert words["pair"] == [320, 180, 208]
        words, _ = watcher.picture()
        assert words["pair"][0] == 900  # type: ignore[index]


def test_a_page_hears_how_old_its_pictures_are_when_drawn(page: WebPage) -> None:
    page.show(view(1))
    with closing(Watcher(page)) as watcher:
        words, _ = watcher.take()
        assert words["shown_ms"] is None
        time.sleep(0.1)
        watcher.answer(words)
        while (shown := watcher.next()[0]["shown_ms"]) is None:
            pass
        assert shown >= 100  # type: ignore[operator]


# What can be changed


def test_settings_are_changed_by_post(controls: Controls) -> None:
    answer = client(controls).post(
        "/settings", json={"strength": 0.25, "model": "lowlight-fp32", "frozen": True}
    )
    assert answer.status_code == 200
    assert (controls.strength, controls.model, controls.frozen) == (0.25, "lowlight-fp32", True)
    assert answer.json()["strength"] == 0.25


def test_a_snapshot_is_asked_for(controls: Controls) -> None:
    assert client(controls).post("/snapshot", json={}).status_code == 202
    assert controls.take_snapshots() == 1


BAD_BODIES = {
    "too much": ('{"strength": 2}', 400, "`strength` (=2.0) must be a number from 0 to 1."),
    "not a number": ('{"strength": NaN}', 400, "`strength`"),
    "too many digits": ('{"strength": 1%s}' % ("0" * 3000), 400, "`strength`"),
    "a text": ('{"strength": "1"}', 400, "`strength`"),
    "a list": ('{"model": []}', 400, "`model`"),
    "another's path": ('{"model": "../../etc/passwd"}', 400, "`model`"),
    "no truth": ('{"frozen": 1}', 400, "`frozen`"),
    "unknown": ('{"self": 1}', 400, "`self` is no setting"),
    "not offered": ('{"compare": "off"}', 400, "`compare` is no setting of the page"),
    "one good, one bad": ('{"strength": 0.5, "brighten": -1}', 400, "`brighten`"),
    "not an object": ("[1]", 400, "must be a JSON object"),
    "not JSON": ("strength=1", 400, "is not JSON"),
    "not text": (b"\xff\xfe{", 400, "is not JSON"),
    "deep": ("[" * 4000, 400, "is not JSON"),
    "nothing": ("", 400, "is not JSON"),
    "too large": (" " * (app.LARGEST_BODY + 1), 413, "At most 4096 bytes"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_bad_body_is_refused_in_words_and_changes_nothing(controls: Controls, case: str) -> None:
    body, status, says = BAD_BODIES[case]
    before = controls.snapshot_state()
    answer = client(controls).post("/settings", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert says in answer.json()["error"]
    assert controls.snapshot_state() == before


def test_only_json_is_taken(controls: Controls) -> None:
    """A form, which another site's page can send without asking, is not."""
    assert client(controls).post("/settings", data={"strength": "0"}).status_code == 415
    assert (
        client(controls).post("/settings", content="{}", headers={"content-type": "text/plain"}).status_code
        == 415
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/"),
        ("PUT", "/settings"),
        ("GET", "/settings"),
        ("GET", "/snapshot"),
        ("POST", "/"),
        ("TRACE", "/"),
        ("PATCH", "/live.js"),
        ("BREW", "/"),
    ],
)
def test_other_methods_are_refused(controls: Controls, method: str, path: str) -> None:
    assert client(controls).request(method, path).status_code == 405


# Who may ask


@pytest.mark.parametrize(
    ("bound", "host", "status"),
    [
        ("127.0.0.1", "127.0.0.1:8000", 200),
        ("127.0.0.1", "localhost:9999", 200),  # through a tunnel
        ("127.0.0.1", "[::1]:8000", 200),
        ("127.0.0.1", "evil.example", 400),
        ("127.0.0.1", "127.0.0.1.evil.example:8000", 400),
        ("127.0.0.1", "192.168.1.5:8000", 400),
        ("127.0.0.1", "0.0.0.0:8000", 400),
        ("127.0.0.1", "localhost:8000@evil.example", 400),
        ("127.0.0.1", "localhost evil.example", 400),
        ("127.0.0.1", "", 400),
        ("0.0.0.0", "192.168.1.5:8000", 200),
        ("0.0.0.0", "[fe80::1]:8000", 200),
        ("0.0.0.0", f"{socket.gethostname()}:8000", 200),
        ("0.0.0.0", "evil.example:8000", 400),
        ("camera.example", "camera.example:8000", 200),
    ],
)  # fmt: skip
def test_only_a_host_that_is_ours_is_served(controls: Controls, bound: str, host: str, status: int) -> None:
    token = None if bound == "127.0.0.1" else TOKEN
    headers = {"host": host, "authorization": f"Bearer {TOKEN}"}
    assert client(controls, host=bound, token=token).get("/", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8000", 200),
        ("https://127.0.0.1:8000", 200),  # behind a proxy that speaks TLS
        ("http://127.0.0.1:8001", 403),
        ("http://localhost:8000", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_only_the_pages_own_origin_may_post(controls: Controls, origin: str, status: int) -> None:
    answer = client(controls).post("/settings", json={"strength": 0.5}, headers={"origin": origin})
    assert answer.status_code == status
    assert controls.strength == (0.5 if status == 200 else 1.0)


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"origin": "http://evil.example"}, 403), ({"origin": "null"}, 403), ({"host": "evil.example"}, 400)],
)
def test_a_strange_page_cannot_watch(controls: Controls, headers: dict[str, str], status: int) -> None:
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        client(controls).websocket_connect("ws://127.0.0.1:8000/watch", headers=headers),
    ):
        pass
    assert refused.value.status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": "Bearer "},
        {"authorization": f"Bearer {TOKEN}x"},
        {"cookie": f"dae-edge-8000={TOKEN}"},
        {"cookie": "dae-edge-8000="},
        {"cookie": 'dae-edge-8000="\\777'},
        {"authorization": "Bearer töken".encode("latin-1")},
    ],
)
def test_without_the_token_nothing_is_served(controls: Controls, headers: dict[str, str]) -> None:
    browser = client(controls, host="0.0.0.0", token=TOKEN)
    for path in (
        "/",
        "/live.js",
        "/icon.svg",
        "/none",
        "/?token=wrong",
        "/?token=",
        f"/?token={TOKEN}&token=x",
        f"/live.js?token={TOKEN}",
    ):
        answer = browser.get(path, headers=headers)
        assert answer.status_code == 401, path
        assert "set-cookie" not in answer.headers
    assert browser.post("/settings", json={"strength": 0}, headers=headers).status_code == 401
    with (
        pytest.raises(WebSocketDenialResponse),
        browser.websocket_connect("ws://127.0.0.1:8000/watch", headers=headers),
    ):
        pass
    assert controls.strength == 1.0


def test_the_token_is_shown_once_and_then_a_cookie_will_do(controls: Controls) -> None:
    browser = client(controls, host="0.0.0.0", token=TOKEN)
    first = browser.get("/", params={"token": TOKEN})
    assert first.status_code == 200
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    assert browser.get("/live.js").status_code == 200
    assert browser.post("/settings", json={"strength": 0.5}).status_code == 200


def test_a_script_shows_the_token_in_a_header(controls: Controls) -> None:
    script = client(controls, host="0.0.0.0", token=TOKEN, headers={"authorization": f"Bearer {TOKEN}"})
    assert script.get("/live.js").status_code == 200


def test_a_network_needs_a_token_and_no_short_one(controls: Controls) -> None:
    with pytest.raises(BadValueError, match=r"`host` \(=0\.0\.0\.0\) is open to the network, so `token`"):
        WebPage(controls, host="0.0.0.0", port=0)
    with pytest.raises(BadValueError, match="16 characters"):
        WebPage(controls, host="0.0.0.0", port=0, token="short")


def test_an_address_that_cannot_be_had_is_one_sentence(page: WebPage, controls: Controls) -> None:
    with pytest.raises(ServeError, match=rf"127\.0\.0\.1, port {page.port}: Address already in use"):
        WebPage(controls, port=page.port)
    with pytest.raises(ServeError, match=r"there is no address none\.invalid"):
        WebPage(controls, host="none.invalid", port=0, token=TOKEN)


def test_the_printed_address_opens_the_page(controls: Controls) -> None:
    token = "a token & more = / ? #"
    with closing(WebPage(controls, port=0, token=token)) as page:
        target = page.url.removeprefix(f"http://127.0.0.1:{page.port}").encode()
        assert raw(page, b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % target).startswith(b"HTTP/1.1 200")


# What does not get through


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


# Slow pages, many pages, the end


def test_a_page_that_does_not_answer_holds_up_nobody_and_is_dropped(
    page: WebPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "STALLED", 1.5)
    with closing(Watcher(page)) as stalled, closing(Watcher(page)) as good:
        for number in range(1, 20):
            page.show(view(number))
            _, picture = good.picture()
            assert abs(int(picture[0, 0, 0]) - number) <= 3
        received, why = stalled.rest()
        assert received == 2  # no third message before an answer
        assert "no answer" in why.reason
        assert until(lambda: page.viewers == 1)


def test_a_page_that_does_not_even_read_holds_up_nobody(
    controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its two messages fill the kernel's buffers or not; either way it is gone soon and the end is quick."""
    monkeypatch.setattr(viewer, "STALLED", 1.5)
    with closing(WebPage(controls, port=0)) as page:
        page.show(view(1, size=(1280, 720)))
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.connect(("127.0.0.1", page.port))
            deaf.sendall(
                b"GET /watch HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            assert until(lambda: page.viewers == 1)
            with closing(Watcher(page, width=1280)) as good:
                for number in range(2, 5):
                    page.show(view(number, size=(1280, 720)))
                    good.picture()
            assert until(lambda: page.viewers == 0)
            began = time.perf_counter()
            page.close()
            assert time.perf_counter() - began < 2
            assert not page._thread.is_alive()


@pytest.mark.parametrize(
    "answer", ["", "next", "999 320", "0 320x", "0 -1", b"0 320", "0 320 1", "\u0660 320", "9" * 60]
)
def test_an_answer_that_is_none_ends_the_page(page: WebPage, answer: str | bytes) -> None:
    page.show(view(1))
    with closing(Watcher(page)) as watcher:
        watcher.take()
        watcher.socket.send(answer)
        assert watcher.rest()[1].code == viewer.VIOLATION


def test_so_many_pages_and_no_more(page: WebPage) -> None:
    page.show(view(1))
    watchers = [Watcher(page) for _ in range(MOST_VIEWERS)]
    try:
        assert until(lambda: page.viewers == MOST_VIEWERS)
        with closing(Watcher(page)) as late:
            received, why = late.rest()
        assert received == 0
        assert why.code == viewer.TOO_MANY
        watchers.pop().close()
        assert until(lambda: page.viewers == MOST_VIEWERS - 1)
        with closing(Watcher(page)) as next_one:
            next_one.picture()
    finally:
        for watcher in watchers:
            watcher.close()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="descriptors are counted in /proc")
def test_fifty_pages_come_and_go_and_leave_nothing(page: WebPage) -> None:
    def held() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    page.show(view(0))
    with closing(Watcher(page)) as first:
        first.picture()
    assert until(lambda: page.viewers == 0)
    before = held()
    longest = 0.0
    for number in range(50):
        watcher = Watcher(page)
        began = time.perf_counter()
        page.show(view(number))
        longest = max(longest, time.perf_counter() - began)
        watcher.picture()
        if number % 2:
            watcher.close()
        else:
            watcher.socket.socket.shutdown(socket.SHUT_RDWR)  # gone without a goodbye
            watcher.close()
    assert until(lambda: page.viewers == 0)
    assert until(lambda: all(now <= then for now, then in zip(held(), before, strict=True))), (held(), before)
    assert longest < 0.5  # the hand-over never waits for a page


def test_the_end_is_quick_with_pages_open_and_frees_all(controls: Controls) -> None:
    threads = threading.active_count()
    page = WebPage(controls, port=0)
    page.show(view(1))
    watchers = [Watcher(page) for _ in range(3)]
    idle = socket.create_connection(("127.0.0.1", page.port), timeout=5)
    watchers[0].picture()
    began = time.perf_counter()
    page.close()
    assert time.perf_counter() - began < 2
    assert not page._thread.is_alive()
    page.show(view(2))  # a loop that has not heard of it yet
    page.close()
    watchers[1].rest()
    for watcher in watchers:
        watcher.close()
    idle.close()
    assert until(lambda: threading.active_count() <= threads)
    WebPage(controls, port=page.port).close()  # the port is free again


def test_a_page_watches_with_its_cookie_and_not_without(controls: Controls) -> None:
    with closing(WebPage(controls, port=0, token=TOKEN)) as page:
        with pytest.raises(InvalidStatus) as refused:
            Watcher(page)
        assert refused.value.response.status_code == 401
        first = raw(page, f"GET /?token={TOKEN} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()).decode()
        cookie = re.search(r"set-cookie: ([^;]+);", first)
        assert cookie is not None
        page.show(view(1))
        with closing(Watcher(page, additional_headers={"Cookie": cookie[1]})) as watcher:
            watcher.picture()


# The command


LIVE = ("live", "--source", "demo", "--size", "160x120", "--no-window", "--seconds", "0.5")


def test_the_command_serves_this_machine_and_says_where(dae_edge: Run) -> None:
    ended = dae_edge(*LIVE, "--web", "--port", 0)
    assert ended.code == 0, ended.err
    assert re.search(r"^page http://127\.0\.0\.1:\d+/$", ended.out, re.MULTILINE)


def test_the_command_makes_a_token_up_for_a_network(dae_edge: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = []
    for _ in range(2):
        ended = dae_edge(*LIVE, "--web", "--port", 0, "--host", "0.0.0.0")
        assert ended.code == 0, ended.err
        tokens += re.findall(r"^page http://[\d.]+:\d+/\?token=([\w-]{24})$", ended.out, re.MULTILINE)
    assert len(set(tokens)) == 2
    monkeypatch.setenv("DAE_EDGE_TOKEN", TOKEN)
    assert "token=a-token-of-twenty-two%21" in dae_edge(*LIVE, "--web", "--port", 0, "--host", "0.0.0.0").out
    monkeypatch.setenv("DAE_EDGE_TOKEN", "short")
    assert dae_edge(*LIVE, "--web", "--port", 0).code == 2


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--host", "0.0.0.0"], 2, "`--host` goes with --web"),
        (["--port", "8000"], 2, "`--port` goes with --web"),
        (["--web", "--port", "0", "--host", "0.0.0.0", "-q"], 2, "with --quiet needs --token"),
        (["--web", "--port", "0", "--token", "short"], 2, "16 characters"),
        (
            ["--web", "--port", "0", "--host", "192.0.2.1", "--token", TOKEN],
            1,
            "cannot be served at 192.0.2.1",
        ),
    ],
)
def test_the_command_refuses_in_one_sentence(dae_edge: Run, options: list[str], code: int, says: str) -> None:
    ended = dae_edge(*LIVE, *options)
    assert ended.code == code
    assert says in ended.err
    assert ended.err.count("\n") == 1


def test_the_missing_extra_is_named(dae_edge: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from dae_edge.cli import extras

    monkeypatch.setitem(extras._MODULES, "web", ("no_such_module",))
    ended = dae_edge(*LIVE, "--web")
    assert ended.code == 1
    assert 'pip install "dae-edge[web]"' in ended.err
