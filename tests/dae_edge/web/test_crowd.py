"""Slow pages, many pages, and the end."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from contextlib import closing

import pytest
from websockets.exceptions import InvalidStatus

from dae_edge.camera.controls import Controls
from dae_edge.camera.web import WebPage, viewer
from dae_edge.camera.web.broadcast import MOST_VIEWERS
from tests.dae_edge.web.support import TOKEN, Watcher, raw, until, view


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
