"""Exports run in a process of their own, so that a crash, a leak or a page of warnings stays there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from dae_edge import errors
from dae_edge.errors import DaeEdgeError, ExportError
from dae_edge.export.job import Job, Result
from dae_edge.files import check_output, writing_together
from dae_edge.manifest import sidecar
from dae_edge.runtime.load import COMPANIONS

JOBS_A_PROCESS = 25  # then a new one: the converters keep some megabytes of each
_LAST_LINES = 3  # of the log, quoted where the process died
Say = Callable[[str], None]


class Converter:
    """Makes files one after another; the process starts with the first and ends with the block.

    with Converter() as convert:
        figures = convert(Job("lowlight", "onnx-int8", "model.onnx"))

    Raises what the export raised, and `ExportError` with the log's last lines where the process died;
    the next job gets a new one. Nothing is written but whole files with their sidecar.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._done = 0

    def __enter__(self) -> Converter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def __call__(self, job: Job, say: Say = lambda _: None) -> dict[str, Any]:
        """Make the file; gives its figures, as `--json` has them."""
        output = Path(job.output)
        suffixes = COMPANIONS.get(output.suffix, ())
        targets = [output, *map(output.with_suffix, suffixes), sidecar(output)]
        for target in targets:
            check_output(target, force=job.force)
        process = self._running()
        assert self._folder is not None
        # The process writes into a folder of ours; only what is whole leaves it, also when it is killed.
        made = Path(self._folder.name) / output.name
        result = self._ask(process, replace(job, output=str(made), force=True), say)
        if result.error:
            raise _rebuilt(result)
        sources = [made, *map(made.with_suffix, suffixes), sidecar(made)]
        with writing_together(targets, force=job.force) as temporaries:
            for source, temporary in zip(sources, temporaries, strict=True):
                shutil.copyfile(source, temporary)
                source.unlink()
        return {**result.figures, "path": str(output)}

    def _ask(self, process: subprocess.Popen[str], job: Job, say: Say) -> Result:
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it died between two jobs: the end of answers says so
            print(json.dumps(asdict(job)), file=process.stdin, flush=True)
        for line in process.stdout:
            answer = json.loads(line)
            if "result" in answer:
                self._done += 1
                return Result(**answer["result"])
            say(answer["say"])
        raise ExportError(f"{job.format} could not be made: {self._post_mortem(process)}")

    def _running(self) -> subprocess.Popen[str]:
        if self._process is not None and self._done >= JOBS_A_PROCESS:
            self._end()
        if self._process is None:
            self._done = 0
            self._folder = tempfile.TemporaryDirectory(prefix="dae-edge-")
            handle, name = tempfile.mkstemp(prefix="dae-edge-export-", suffix=".log")
            self._log = os.fdopen(handle, "wb")
            self._log_path = Path(name)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dae_edge.export.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                env={"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ, "TMPDIR": self._folder.name},
                start_new_session=True,  # Ctrl-C reaches us alone, and we end it
            )
        return self._process

    def _post_mortem(self, process: subprocess.Popen[str]) -> str:
        """What is known of a process that died; its log stays."""
        code = process.wait()
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
        path = self._log_path
        lines = [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]
        self._end(keep_log=True)
        last = " | ".join(lines[-_LAST_LINES:]) or "it said nothing"
        return f"the converter died {how} ({last}); its log is {path}."

    def _end(self, *, keep_log: bool = False) -> None:
        process, log, folder = self._process, self._log, self._folder
        self._process = self._log = self._folder = None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # it holds nothing that matters
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        if folder is not None:
            folder.cleanup()
        if log is not None:
            log.close()
            if not keep_log:
                self._log_path.unlink(missing_ok=True)


def _rebuilt(result: Result) -> DaeEdgeError:
    """The error that the process met, as one of ours here."""
    kind = getattr(errors, result.error, ExportError)
    error: DaeEdgeError = kind.__new__(kind)
    Exception.__init__(error, result.message)
    return error
