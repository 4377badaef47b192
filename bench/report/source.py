"""The JSON files that a report is made of, `dae-edge evaluate`'s and `dae-edge bench`'s alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dae_edge.errors import MediaError

EVALUATION, BENCH = "dae-edge evaluate", "dae-edge bench"
_SCHEMAS = {EVALUATION: 1, BENCH: 2}

Record = dict[str, Any]


class Source:
    """Records with the files that they come from, beside which their pictures lie."""

    def __init__(self, files: Sequence[tuple[Path, Record]]) -> None:
        self._files = list(files)

    @classmethod
    def read(cls, paths: Sequence[Path]) -> Source:
        """Raises `MediaError` for a file that is no such record."""
        return cls([(path, _read(path)) for path in paths])

    @property
    def evaluations(self) -> list[Record]:
        return [record for _, record in self._files if record["kind"] == EVALUATION]

    @property
    def benches(self) -> list[Record]:
        return [record for _, record in self._files if record["kind"] == BENCH]

    def picture(self, record: Record, name: str | None) -> bytes | None:
        """A picture of an evaluation; None where it is not there, as beside a copied JSON file."""
        for path, known in self._files:
            if known is record and name:
                inside = (path.parent / name).resolve()
                if inside.is_relative_to(path.parent.resolve()) and inside.is_file():
                    return inside.read_bytes()
        return None


def _read(path: Path) -> Record:
    try:
        record = json.loads(path.read_text())
        kind, schema = record["kind"], record["schema"]
    except OSError as failure:
        raise MediaError(f"{path} cannot be read: {failure.strerror}.") from failure
    except (ValueError, TypeError, KeyError) as failure:
        raise MediaError(f"{path} is not a record of `dae-edge evaluate` or `dae-edge bench`.") from failure
    if kind not in _SCHEMAS:
        raise MediaError(f"{path} is a record of {kind!r}, not of {EVALUATION!r} or {BENCH!r}.")
    if schema != _SCHEMAS[kind]:
        raise MediaError(f"{path} has schema {schema}; this package reads {_SCHEMAS[kind]} of {kind!r}.")
    return record
