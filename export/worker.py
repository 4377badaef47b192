"""The converter's own process: `python -m dae_edge.export.worker`, jobs in, results out.

TensorFlow's converters leak memory and print whatever they like; here both end with the process.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dae_edge.errors import DaeEdgeError
from dae_edge.export.job import Job, Result

if TYPE_CHECKING:
    from dae_edge.export.export import Session


def main() -> None:
    """Answer jobs until standard input ends."""
    # The answers get the real standard output for themselves; what anything prints goes to the log.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def answer(kind: str, content: Any) -> None:
        print(json.dumps({kind: content}), file=answers)

    sessions: dict[tuple[str, str | None], Session] = {}
    for line in sys.stdin:
        raw = json.loads(line)
        job = Job(**{**raw, "size": tuple(raw["size"]) if raw["size"] else None})
        try:
            result = Result(figures=_work(job, sessions, lambda words: answer("say", words)))
        except DaeEdgeError as failure:
            result = Result(error=type(failure).__name__, message=str(failure))
        except MemoryError:
            result = Result(error="ExportError", message=f"{job.format} could not be made: out of memory.")
        answer("result", asdict(result))


def _work(job: Job, sessions: dict[tuple[str, str | None], Session], say: Any) -> dict[str, Any]:
    say("starting TensorFlow")
    from dae_edge.export.export import Session, model_path, open_model
    from dae_edge.formats import by_name

    key = (job.source, job.calibration)
    if key not in sessions:
        sessions.clear()  # one at a time: each keeps clips and what Keras made of them
        folder = Path(job.calibration) if job.calibration else None
        sessions[key] = Session(open_model(job.source), model_path(job.source), calibration=folder)
    return (
        sessions[key]
        .export(
            by_name(job.format),
            Path(job.output),
            size=job.size,
            force=job.force,
            max_loss=job.max_loss,
            sensitivity=job.sensitivity,
            say=say,
        )
        .figures()
    )


if __name__ == "__main__":
    main()
