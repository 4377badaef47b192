import os
from pathlib import Path

import pytest

from dae_edge.errors import OutputError
from dae_edge.files import fresh_folder, writing


def test_a_file_takes_its_name_when_whole(tmp_path: Path) -> None:
    with writing(tmp_path / "deep" / "a.txt") as path:
        path.write_text("whole")
        assert not (tmp_path / "deep" / "a.txt").exists()
    assert (tmp_path / "deep" / "a.txt").read_text() == "whole"
    assert os.listdir(tmp_path / "deep") == ["a.txt"]


def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("older")

    def fail_halfway() -> None:
        with writing(target, force=True) as path:
            path.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert target.read_text() == "older"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_nothing_is_replaced_without_force(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("older")
    with pytest.raises(OutputError, match="--force"), writing(target):
        pass
    with writing(target, force=True) as path:
        path.write_text("newer")
    assert target.read_text() == "newer"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"), writing(tmp_path, force=True):
        pass


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"), writing(tmp_path / "file" / "a.txt"):
        pass


def test_a_full_folder_is_refused_or_emptied(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "old").write_text("")
    with pytest.raises(OutputError, match="not empty"):
        fresh_folder(tmp_path / "run")
    assert list(fresh_folder(tmp_path / "run", force=True).iterdir()) == []


def test_a_file_is_no_run_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        fresh_folder(tmp_path / "run", force=True)
