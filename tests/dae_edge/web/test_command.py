"""`dae-edge live --web`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.dae_edge.web.support import TOKEN

Run = Callable[..., Any]


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
