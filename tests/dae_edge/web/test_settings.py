"""What a page can change, and that a bad request changes nothing."""

from __future__ import annotations

import pytest

from dae_edge.camera.controls import Controls
from dae_edge.camera.web import app
from tests.dae_edge.web.support import client


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
