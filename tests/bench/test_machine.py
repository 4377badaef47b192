"""The machine on record, and how its unrest is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dae_edge.bench import machine
from dae_edge.bench.machine import Surroundings, Watch


def test_the_machine_is_on_record() -> None:
    record = machine.machine()
    assert record.cpu
    assert record.cores >= 1
    assert "onnxruntime" in record.packages
    assert "numpy" in record.packages


def watched(monkeypatch: pytest.MonkeyPatch, busy: float, steal: float, own: float) -> Watch:
    """Two processors for ten seconds, of which `busy`, `steal` and `own` seconds."""
    ticks, cpu = iter([(1000.0, 400.0, 5.0), (1020.0, 400.0 + busy, 5.0 + steal)]), iter([7.0, 7.0 + own])
    monkeypatch.setattr(machine, "_ticks", lambda: next(ticks))
    monkeypatch.setattr(machine.time, "process_time", lambda: next(cpu))
    watch = Watch()
    with watch.on():
        pass
    return watch


def test_a_quiet_machine_is_not_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watched(monkeypatch, busy=10.2, steal=0.1, own=10.0)
    assert watch.others == pytest.approx(0.01)
    assert watch.steal == pytest.approx(0.005)
    assert watch.doubts() == []


def test_other_programs_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watched(monkeypatch, busy=16, steal=0, own=10).doubts() == [
        "other programs used 30% of the processors"
    ]


def test_other_machines_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watched(monkeypatch, busy=10, steal=1, own=10).doubts() == [
        "the hypervisor gave 5% of the processors to other machines"
    ]


def test_watches_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Watch()
    both.add(watched(monkeypatch, busy=16, steal=0, own=10))
    both.add(watched(monkeypatch, busy=10, steal=0, own=10))
    assert both.others == pytest.approx(0.15)


def test_a_system_that_does_not_say_is_not_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_ticks", lambda: None)
    watch = Watch()
    with watch.on():
        pass
    assert (watch.others, watch.steal, watch.doubts()) == (None, None, [])


def test_the_files_of_a_raspberry_pi_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "thermal_zone0").mkdir()
    (tmp_path / "thermal_zone0" / "temp").write_text("61234\n")
    (tmp_path / "get_throttled").write_text("50005\n")
    (tmp_path / "scaling_governor").write_text("ondemand\n")
    (tmp_path / "cpuinfo_max_freq").write_text("2400000\n")
    monkeypatch.setattr(machine, "_THERMAL", tmp_path)
    monkeypatch.setattr(machine, "_THROTTLED", tmp_path / "get_throttled")
    monkeypatch.setattr(machine, "_CPU", tmp_path)
    monkeypatch.setattr(
        machine, "_cpuinfo", lambda: {"Model": "Raspberry Pi 5", "Features": "fp asimd asimddp"}
    )
    record = machine.machine()
    assert (record.cpu, record.features) == ("Raspberry Pi 5", ["asimd", "asimddp"])
    assert (record.governor, record.mhz) == ("ondemand", 2400)
    conditions = Surroundings().conditions(Watch(), [])
    assert conditions.celsius_after == pytest.approx(61.234)
    assert conditions.throttled
    assert conditions.noisy == ["the board has lowered its clock (heat or voltage)"]


def test_what_cannot_be_read_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("_THERMAL", "_THROTTLED", "_CPU"):
        monkeypatch.setattr(machine, name, tmp_path / "none")
    record = machine.machine()
    assert (record.governor, record.mhz) == ("", None)
    assert (machine.celsius(), machine.throttled()) == (None, None)
