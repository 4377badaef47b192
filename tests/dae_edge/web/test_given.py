"""What the page's server gives, and that a picture is encoded once for all."""

from __future__ import annotations

import os
import re
import time
from contextlib import closing

import cv2
import numpy as np
import pytest

from dae_edge.camera.controls import Controls
from dae_edge.camera.view import Figures, View
from dae_edge.camera.web import WebPage, assets, pair
from tests.dae_edge.web.support import Watcher, client, until, view


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
