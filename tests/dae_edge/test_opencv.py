"""A machine without libGL must get one sentence, not a traceback from the loader."""

import os
import subprocess
import sys
from pathlib import Path

from dae_edge.opencv import explain


def test_a_missing_library_names_both_ways_out() -> None:
    said = explain(ImportError("libGL.so.1: cannot open shared object file"))
    assert "libGL.so.1" in said
    assert "apt-get install" in said
    assert "opencv-python-headless" in said


def test_a_missing_wheel_says_which_to_install() -> None:
    assert "pip install opencv-python" in explain(ModuleNotFoundError("No module named 'cv2'"))


def test_the_command_says_it_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    ended = subprocess.run(
        [sys.executable, "-m", "dae_edge", "live", "--source", "demo", "--no-window"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "libGL.so.1" in ended.stderr
    assert "Traceback" not in ended.stderr
