"""The page as a person meets it: a real browser, clicked."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dae_edge.camera.controls import Controls
from dae_edge.camera.view import Figures, View
from dae_edge.camera.web import WebPage

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
BEFORE, AFTER = 60, 180  # grey levels

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium: the machine's own, or playwright's."""
    own = next(filter(None, map(shutil.which, BROWSERS)), None)
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=own)
        except playwright.Error:
            pytest.skip("no browser on this machine: apt install chromium, or playwright install chromium")
        yield browser
        browser.close()


class Camera:
    """Feeds a page like the loop: grey before, lighter after, thirty times a second."""

    def __init__(self, page: WebPage, controls: Controls) -> None:
        self.status, self.lost = "", False
        self._page, self._controls = page, controls
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._stopping.wait(1 / 30):
            if not self.lost:
                number += 1
                before, after = (np.full((360, 640, 3), level, np.uint8) for level in (BEFORE, AFTER))
            figures = Figures(30.0, 21.0, 25.0, 4, self.status, "lowlight at 640x360")
            self._page.show(View(before, after, number, time.monotonic(), figures))
            for _ in range(self._controls.take_snapshots()):
                self._controls.say("wrote snapshot.png")

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()


@pytest.fixture
def controls() -> Controls:
    return Controls(model="lowlight", models=("lowlight", "lowlight-fp32"))


@pytest.fixture
def page(controls: Controls) -> Iterator[WebPage]:
    with closing(WebPage(controls, port=0, source="a grey camera")) as page:
        yield page


@pytest.fixture
def camera(page: WebPage, controls: Controls) -> Iterator[Camera]:
    with closing(Camera(page, controls)) as camera:
        yield camera


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open an address in a fresh browser profile; nothing may go wrong in its console."""
    complaints: list[str] = []
    contexts = []

    def complain(line: Any) -> None:
        if line.type == "error" and "ERR_CONNECTION_REFUSED" not in line.text:  # a program that was ended
            complaints.append(line.text)

    def open_(url: str, *, viewport: dict[str, int] = DESK, **options: object) -> Any:
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(10_000)
        tab.on("console", complain)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(url)
        playwright.expect(tab.locator("#state")).not_to_have_text("connecting")
        return tab

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def seam(tab: Any) -> float:
    """Where the picture changes from before to after, as a share of its width."""
    row = tab.evaluate(
        "() => { const c = document.getElementById('picture');"
        "return [...c.getContext('2d').getImageData(0, c.height / 2, c.width, 1).data] }"
    )
    greys = np.array(row[::4], int)
    assert ((abs(greys - BEFORE) < 6) | (abs(greys - AFTER) < 6)).all()
    assert (np.diff(greys) > -12).all()  # one change, from before to after
    return float((greys < 120).mean())


def until(true: Callable[[], object], tab: Any) -> bool:
    """Wait, and let the browser go on meanwhile."""
    for _ in range(100):
        if true():
            return True
        tab.wait_for_timeout(50)
    return False


def slide(tab: Any, name: str, share: float) -> None:
    """Drag a slider's thumb to a share of its way."""
    box = tab.locator(f"#{name}").bounding_box()
    left, way, middle = box["x"] + 11, box["width"] - 22, box["y"] + box["height"] / 2  # the thumb is 22 wide
    tab.mouse.move(left + way * float(tab.input_value(f"#{name}")) / 100, middle)
    tab.mouse.down()
    tab.mouse.move(left + way * share, middle, steps=5)
    tab.mouse.up()


def test_before_and_after_meet_at_the_divider_that_a_mouse_drags(
    page: WebPage, camera: Camera, open_page: Callable[..., Any]
) -> None:
    tab = open_page(page.url)
    assert until(lambda: abs(seam(tab) - 0.5) < 0.02, tab)
    box = tab.locator("#stage").bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 60, steps=4)
    tab.mouse.up()
    assert abs(seam(tab) - 0.25) < 0.02
    assert tab.get_attribute("#divider", "aria-valuenow") == "25"
    tab.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 60)  # let go of: it stays
    assert abs(seam(tab) - 0.25) < 0.02


def test_the_divider_goes_by_keyboard(page: WebPage, camera: Camera, open_page: Callable[..., Any]) -> None:
    tab = open_page(page.url)
    assert until(lambda: abs(seam(tab) - 0.5) < 0.02, tab)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "divider"
    for keys, share in (
        ("ArrowRight", 0.52),
        ("PageDown", 0.42),
        ("End", 1.0),
        ("Home", 0.0),
        ("ArrowLeft", 0.0),
    ):
        tab.keyboard.press(keys)
        assert abs(seam(tab) - share) < 0.02, keys
        assert float(tab.get_attribute("#divider", "aria-valuenow")) == pytest.approx(100 * share, abs=1)


def test_the_divider_goes_by_finger_on_a_phone(
    page: WebPage, camera: Camera, open_page: Callable[..., Any]
) -> None:
    tab = open_page(page.url, viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=3)
    assert until(lambda: abs(seam(tab) - 0.5) < 0.02, tab)
    box = tab.locator("#stage").bounding_box()
    tab.touchscreen.tap(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    assert until(lambda: abs(seam(tab) - 0.8) < 0.02, tab)


def test_sliders_model_freeze_and_record_change_the_loop(
    page: WebPage, camera: Camera, controls: Controls, open_page: Callable[..., Any]
) -> None:
    tab = open_page(page.url)
    slide(tab, "strength", 0.4)
    assert until(lambda: controls.strength == pytest.approx(0.4, abs=0.02), tab)
    slide(tab, "brighten", 0.7)
    assert until(lambda: controls.brighten == pytest.approx(0.7, abs=0.02), tab)
    tab.focus("#brighten")
    tab.keyboard.press("Home")
    assert until(lambda: controls.brighten == 0, tab)
    tab.select_option("#model", "lowlight-fp32")
    assert until(lambda: controls.model == "lowlight-fp32", tab)
    tab.get_by_role("button", name="Freeze").click()
    assert until(lambda: controls.frozen, tab)
    tab.get_by_role("button", name="Go on").click()
    assert until(lambda: not controls.frozen, tab)
    tab.get_by_role("button", name="Record").click()
    assert until(lambda: controls.recording, tab)
    tab.get_by_role("button", name=re.compile("Stop 0:0")).click()
    assert until(lambda: not controls.recording, tab)
    tab.get_by_role("button", name="Snapshot").click()
    assert until(lambda: tab.inner_text("#notice") == "wrote snapshot.png", tab)


def test_what_one_page_changes_another_shows(
    page: WebPage, camera: Camera, controls: Controls, open_page: Callable[..., Any]
) -> None:
    one, other = open_page(page.url), open_page(page.url, viewport=PHONE)
    slide(one, "strength", 0.3)
    assert until(lambda: other.inner_text("#strength-value") in ("29 %", "30 %", "31 %"), other)
    controls.update(frozen=True)  # by a key in the window
    assert until(lambda: one.inner_text("#state") == "frozen" == other.inner_text("#state"), one)


def test_the_figures_are_there_and_drawn(
    page: WebPage, camera: Camera, open_page: Callable[..., Any]
) -> None:
    tab = open_page(page.url)
    assert until(lambda: tab.inner_text("#fps") == "30.0", tab)
    assert tab.inner_text("#infer") == "21"
    assert tab.inner_text("#dropped") == "4"
    assert 0 < float(tab.inner_text("#age")) < 5000
    tab.wait_for_timeout(1200)
    for graph in ("rate-graph", "latency-graph"):
        colours = tab.evaluate(
            "id => { const c = document.getElementById(id);"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let n = 0; for (let i = 0; i < d.length; i += 4) n += d[i] > 200 && d[i + 2] < 130 && d[i + 3] > 200;"
            "return n }",
            graph,
        )
        assert colours > 5, graph  # the amber line


def test_a_camera_that_is_lost_is_said_and_a_remark_leaves_the_picture(
    page: WebPage, camera: Camera, open_page: Callable[..., Any]
) -> None:
    tab = open_page(page.url)
    assert until(lambda: tab.inner_text("#state") == "live", tab)
    assert tab.locator("#curtain").is_hidden()
    camera.status = "this model fails, so the camera's own picture is shown"
    assert until(lambda: tab.inner_text("#curtain") == camera.status, tab)
    assert tab.locator("#curtain").bounding_box()["height"] < 100
    camera.lost, camera.status = True, "camera lost, trying again in 4 s"
    assert until(lambda: tab.inner_text("#state") == "no picture", tab)
    assert tab.inner_text("#curtain") == camera.status
    assert tab.locator("#curtain").bounding_box()["height"] > 300
    camera.lost, camera.status = False, ""
    assert until(lambda: tab.inner_text("#state") == "live", tab)
    assert tab.locator("#curtain").is_hidden()


def test_a_page_finds_its_way_back_when_the_program_starts_again(
    page: WebPage, controls: Controls, browser: Any
) -> None:
    tab = browser.new_page()  # its console may complain of the connection
    tab.goto(page.url)
    page.show(
        View(*(np.full((360, 640, 3), 9, np.uint8),) * 2, 1, time.monotonic(), Figures(30, 20, 25, 0, ""))
    )
    assert until(lambda: tab.inner_text("#state") == "live", tab)
    page.close()
    assert until(lambda: tab.inner_text("#state") == "not connected", tab)
    assert "lost" in tab.inner_text("#curtain")
    with closing(WebPage(controls, port=page.port)) as again:
        again.show(
            View(*(np.full((360, 640, 3), 9, np.uint8),) * 2, 1, time.monotonic(), Figures(30, 20, 25, 0, ""))
        )
        assert until(lambda: tab.inner_text("#state") == "live", tab)
    tab.close()


@pytest.mark.parametrize(
    "viewport", [DESK, PHONE, {"width": 320, "height": 568}, {"width": 844, "height": 390}]
)
def test_nothing_is_wider_than_the_screen_and_all_can_be_reached(
    page: WebPage, camera: Camera, open_page: Callable[..., Any], viewport: dict[str, int]
) -> None:
    tab = open_page(page.url, viewport=viewport)
    tab.wait_for_timeout(300)
    assert tab.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    stage = tab.locator("#stage").bounding_box()
    assert stage["height"] <= viewport["height"]
    assert stage["width"] / stage["height"] == pytest.approx(16 / 9, rel=0.02)
    for control in ("snapshot", "record", "freeze", "strength", "brighten", "model"):
        box = tab.locator(f"#{control}").bounding_box()
        assert box["height"] >= 28, control
        assert box["x"] >= 0, control
        assert box["x"] + box["width"] <= viewport["width"], control
    order = []
    for _ in range(7):
        tab.keyboard.press("Tab")
        order.append(tab.evaluate("document.activeElement.id"))
    assert order == ["divider", "snapshot", "record", "freeze", "strength", "brighten", "model"]


def test_the_token_leaves_the_address_and_a_reload_still_works(
    controls: Controls, open_page: Callable[..., Any]
) -> None:
    with (
        closing(WebPage(controls, port=0, token="a token & more of it?")) as page,
        closing(Camera(page, controls)),
    ):
        tab = open_page(page.url)
        assert until(lambda: tab.inner_text("#state") == "live", tab)
        assert tab.url == f"http://127.0.0.1:{page.port}/"
        assert tab.evaluate("document.cookie") == ""  # no script reads it
        tab.reload()
        assert until(lambda: tab.inner_text("#state") == "live", tab)
        slide(tab, "strength", 0.5)
        assert until(lambda: controls.strength < 0.6, tab)


def test_a_page_whose_token_is_no_longer_good_is_told(controls: Controls, browser: Any) -> None:
    tab = browser.new_page()  # its console may complain
    with closing(WebPage(controls, port=0, token="the token of this day")) as page:
        tab.goto(page.url)
        assert until(lambda: page.viewers == 1, tab)
    with closing(WebPage(controls, port=page.port, token="the token of this day")) as same:
        assert until(lambda: same.viewers == 1, tab)
    with closing(WebPage(controls, port=page.port, token="the token of tomorrow")):
        assert until(lambda: "holds the token" in tab.inner_text("#curtain"), tab)
    tab.close()


def test_the_command_serves_saves_and_ends(tmp_path: Path, open_page: Callable[..., Any]) -> None:
    """The whole of it: the demo camera, a snapshot and a recording by clicks, kill -TERM."""
    command = [
        sys.executable,
        "-m",
        "dae_edge",
        "live",
        "--source",
        "demo:dim",
        "--size",
        "320x240",
        "--fps",
        "15",
        "--no-window",
        "--web",
        "--port",
        "0",
    ]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout is not None
        url = ""
        while not url:
            line = process.stdout.readline()
            assert line, "it ended before it served"
            url = line.removeprefix("page ").strip() if line.startswith("page ") else ""
        tab = open_page(url)
        assert until(lambda: tab.inner_text("#state") == "live", tab)
        tab.get_by_role("button", name="Snapshot").click()
        assert until(lambda: list(tmp_path.glob("[!.]*.png")), tab)
        saved = next(tmp_path.glob("[!.]*.png"))
        assert until(lambda: saved.name in tab.inner_text("#notice"), tab)
        tab.get_by_role("button", name="Record").click()
        assert until(lambda: "Stop" in tab.inner_text("#record"), tab)
        tab.wait_for_timeout(1500)
        tab.get_by_role("button", name=re.compile("Stop")).click()
        assert until(lambda: list(tmp_path.glob("[!.]*.mp4")), tab)
        tab.select_option("#model", "lowlight-fp32")
        assert until(lambda: "fp32" in tab.inner_text("#work"), tab)
        began = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)
        assert time.perf_counter() - began < 2
        assert process.returncode == 0
        tab.context.close()
    finally:
        process.kill()
        process.communicate()
    assert cv2.imread(str(saved)) is not None
    video = cv2.VideoCapture(str(next(tmp_path.glob("[!.]*.mp4"))))
    assert video.read()[0]
