"""What got slower or worse from one record to the next, beyond the noise of both."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from dae_edge.bench.record import Key, Record, Row
from dae_edge.errors import BadValueError

BAD = ("slower", "worse", "fails", "missing")  # verdicts that a release should not pass with


@dataclass(frozen=True)
class Change:
    """One row in both records.

    change: of the median time, 0.1 for 10 % slower; noise: how far it may be off by chance, half of
    both spreads; loss: dB of PSNR lost, None where the clips differ.
    verdicts: "slower", "faster", "unclear" (a change within the noise that would count outside of
    it), "worse", "better", "fails", "missing" or "new"; empty where nothing is to be said.
    """

    key: Key
    old_ms: float | None
    new_ms: float | None
    change: float | None
    noise: float | None
    loss: float | None
    verdicts: tuple[str, ...]
    problem: str = ""

    @property
    def bad(self) -> bool:
        return any(verdict in BAD for verdict in self.verdicts)

    def figures(self) -> dict[str, object]:
        return {**asdict(self), "bad": self.bad}


def compare(old: Record, new: Record, *, max_slowdown: float, max_loss: float) -> list[Change]:
    """Every row that was measured in one of the records, in the order of `new`, then what is missing.

    max_slowdown: share of time, 0.1 for 10 %; max_loss: dB of PSNR. Both 0 or more.
    """
    for name, value in (("max_slowdown", max_slowdown), ("max_loss", max_loss)):
        if not value >= 0:
            raise BadValueError(f"`{name}` (={value:g}) must be 0 or greater.")
    before, after = ({row.key: row for row in record.rows} for record in (old, new))
    measured = {key: row for key, row in before.items() if row.times is not None}
    same_clip = old.settings.clip == new.settings.clip
    changes = []
    for key, row in after.items():
        if key in measured and row.times is not None:
            changes.append(_change(measured.pop(key), row, max_slowdown, max_loss, same_clip))
        elif row.times is not None:
            changes.append(Change(key, None, row.times.median, None, None, None, ("new",)))
    return changes + [_gone(row, new) for row in measured.values()]


def warnings(old: Record, new: Record) -> list[str]:
    """Why the two may not be alike in more than the models."""
    found = []
    if old.machine.cpu != new.machine.cpu:
        found.append(f"measured on different machines: {old.machine.cpu}; {new.machine.cpu}")
    for engine in ("onnxruntime", "ai-edge-litert", "openvino"):
        versions = [record.machine.packages.get(engine) for record in (old, new)]
        if None not in versions and versions[0] != versions[1]:
            found.append(f"{engine} went from {versions[0]} to {versions[1]}")
    if old.settings.clip != new.settings.clip:
        found.append("the clips differ, so quality is not compared")
    for name, record in (("OLD", old), ("NEW", new)):
        if record.conditions.noisy:
            found.append(f"{name} is noisy: {'; '.join(record.conditions.noisy)}")
    return found


def _change(old: Row, new: Row, max_slowdown: float, max_loss: float, same_clip: bool) -> Change:
    assert old.times is not None
    assert new.times is not None
    change = new.times.median / old.times.median - 1
    noise = (old.times.spread + new.times.spread) / 2
    verdicts = []
    if change > max_slowdown or 1 / (1 + change) - 1 > max_slowdown:
        verdicts.append("unclear" if abs(change) <= noise else "slower" if change > 0 else "faster")
    loss = None
    if same_clip and old.quality is not None and new.quality is not None:
        loss = old.quality.psnr - new.quality.psnr
        if abs(loss) > max_loss:
            verdicts.append("worse" if loss > 0 else "better")
    return Change(new.key, old.times.median, new.times.median, change, noise, loss, tuple(verdicts))


def _gone(row: Row, new: Record) -> Change:
    """A row that was measured before and is not now; where loading failed, the file tells which it is."""
    assert row.times is not None
    now = [
        other
        for other in new.rows
        if other.status == "failed"
        and (other.file, other.engine, other.threads) == (row.file, row.engine, row.threads)
    ]
    verdict, problem = ("fails", now[0].problem) if now else ("missing", "it is not in NEW")
    return Change(row.key, row.times.median, None, None, None, None, (verdict,), problem)
