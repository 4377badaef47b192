"""Who may ask: this machine's own addresses, the page's own origin, those who know the token."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest
from starlette.testclient import WebSocketDenialResponse

from dae_edge.camera.controls import Controls
from dae_edge.camera.web import WebPage
from dae_edge.errors import BadValueError, ServeError
from tests.dae_edge.web.support import TOKEN, client, raw


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
