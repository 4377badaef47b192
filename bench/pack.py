"""A folder to copy to a device: models, clips and one Python file that measures them without dae-edge."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from dae_edge import errors
from dae_edge.bench import alone, engines, latency, limit, machine, record, there, turns
from dae_edge.bench.here import Here
from dae_edge.bench.latency import COLOUR, GREY, File, Say, Size, size_text
from dae_edge.bench.record import Settings
from dae_edge.errors import BadValueError, OutputError
from dae_edge.files import fresh_folder
from dae_edge.runtime import load

ENGINES = ("onnxruntime", "litert")  # that the runner can open

# What the runner is joined from, each after those it needs.
_PARTS = (errors, record, machine, turns, engines, limit, alone, latency, there)

_READ_ME = """\
Copy this folder to the device and run there, with Python 3.11 or newer:

    pip install {packages}
    python run.py

It measures the models in models/ on the clips in clips/ and writes bench.json. Bring that back:

    dae-edge bench --import bench.json

`python run.py --help` shows what can be changed; `--sustained 300` shows whether the device grows hot.
"""


def pack(
    folder: Path,
    files: Sequence[File],
    settings: Settings,
    *,
    threads: Sequence[int],
    sizes: Sequence[Size] = (),
    force: bool = False,
    say: Say = lambda _: None,
) -> list[str]:
    """Write the folder; gives one sentence for each file that the runner cannot open and that is left out.

    The folder must be new or empty, or is replaced with `force`.
    """
    able = [file for file in files if file.engine in ENGINES]
    if not able:
        raise BadValueError(f"`models` must name one at least that {' or '.join(ENGINES)} runs.")
    if folder.exists() and not force:
        fresh_folder(folder)  # refused now, not after the work
    with TemporaryDirectory() as temporary:
        made = Path(temporary) / "pack"
        made.mkdir()
        _fill(made, able, settings, threads, sizes, say)
        fresh_folder(folder, force=force)
        try:
            shutil.copytree(made, folder, dirs_exist_ok=True)
        except OSError as failure:
            shutil.rmtree(folder, ignore_errors=True)
            raise OutputError(f"{folder} cannot be written: {failure}.") from failure
    return [f"{f.path.name} is left out: the runner has no {f.engine}." for f in files if f not in able]


def _fill(
    folder: Path,
    files: Sequence[File],
    settings: Settings,
    threads: Sequence[int],
    sizes: Sequence[Size],
    say: Say,
) -> None:
    place = Here()
    models: list[dict[str, Any]] = []
    clips: dict[str, tuple[Size, int]] = {}
    (folder / "models").mkdir()
    for file in files:
        say(f"reading {file.path.name}")
        facts = place.open(file.path, file.engine, 1).facts
        where = _sizes(file, facts.size, sizes, facts.channels)
        clips |= {f"{size_text(size)}-{facts.channels}": (size, facts.channels) for size in where}
        name = _free_name(file.path, {one["file"] for one in models})
        shutil.copyfile(file.path, folder / "models" / name)
        manifest = json.loads(load(file.path).manifest.to_json())
        known = {"engine": file.engine, "sizes": where, "facts": asdict(facts), "manifest": manifest}
        models.append({"file": name, **known})
    shutil.copytree(limit.CHAINS, folder / "chains")
    (folder / "clips").mkdir()
    names = {}
    for name, (size, channels) in clips.items():
        say(f"drawing the clip {name}")
        clip = place.clip(size, channels)
        names[name] = clip.name
        half = len(clip.clean) // 2  # quality is measured on the second one alone
        np.savez_compressed(
            folder / "clips" / f"{name}.npz", noisy=np.stack(clip.noisy), clean=np.stack(clip.clean[half:])
        )
    contents = {
        "version": place.version,
        "settings": asdict(settings),
        "threads": list(threads),
        "clips": names,
        "models": models,
    }
    packages = "numpy onnxruntime" + (" ai-edge-litert" if any(f.engine == "litert" for f in files) else "")
    (folder / "pack.json").write_text(json.dumps(contents, indent=2) + "\n")
    (folder / "run.py").write_text(runner())
    (folder / "README.txt").write_text(_READ_ME.format(packages=packages))


def runner() -> str:
    """The text of run.py: the benchmark's own files one after the other, without imports of each other."""
    plain: set[str] = set()
    named: dict[str, set[str]] = defaultdict(set)
    bodies = []
    for part in _PARTS:
        text = inspect.getsource(part)
        lines = text.splitlines()
        tree = ast.parse(text)
        for node in tree.body:
            if isinstance(node, ast.Import):
                plain.add(ast.unparse(node))
            elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("dae_edge"):
                named[node.module or ""] |= {alias.name for alias in node.names}
        # What is left of a file: all but its docstring, its imports and the call of main.
        gone = [
            n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom | ast.If) or n is tree.body[0]
        ]
        for node in gone:
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or 0) - node.lineno + 1)
        about = "\n".join(f"# {line}".rstrip() for line in (ast.get_docstring(tree) or "").splitlines())
        title = part.__name__.rpartition(".")[2]
        body = re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines).strip())
        bodies.append(f"# ---- {title} {'-' * (90 - len(title))}\n{about}\n\n{body}")
    named.pop("__future__")
    imports = sorted(plain) + [f"from {m} import {', '.join(sorted(n))}" for m, n in sorted(named.items())]
    head = '"""Measure the models of this folder: joined from dae-edge\'s own files by its `bench --pack`."""'
    start = "from __future__ import annotations\n\n" + "\n".join(imports)
    return "\n\n\n".join([f"{head}\n\n{start}", *bodies, 'if __name__ == "__main__":\n    main()\n'])


def _sizes(file: File, fixed: Size | None, asked: Sequence[Size], channels: int) -> list[Size]:
    """Where the file is to be measured; a file made for one size is at that, whatever is asked."""
    if fixed is not None:
        return [fixed]
    return list(file.sizes or asked or [COLOUR if channels == 3 else GREY])


def _free_name(path: Path, taken: set[str]) -> str:
    """The file's name, or with its folder's where another has it."""
    return path.name if path.name not in taken else f"{len(taken)}-{path.name}"
