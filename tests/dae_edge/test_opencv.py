"""A machine without libGL must get one sentence, not a traceback from the loader."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dae_edge.opencv import cv2, explain, many_threaded, single_threaded


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


def test_threads_are_let_go_and_taken_back() -> None:
    outside = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        with many_threaded():
            assert cv2.getNumThreads() == 3
        with single_threaded():
            assert cv2.getNumThreads() == 1
            with many_threaded():
                assert cv2.getNumThreads() == 3
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 3
        with pytest.raises(KeyError), single_threaded(), many_threaded():
            raise KeyError
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(outside)
