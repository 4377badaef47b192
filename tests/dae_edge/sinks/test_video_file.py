"""Video files, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from dae_edge.camera import sinks
from dae_edge.camera.sinks import (
    VideoFile,
)
from dae_edge.camera.sinks import video_file as video_file_module
from dae_edge.errors import BadValueError, OutputError
from tests.dae_edge.sinks.support import read_video


@pytest.mark.parametrize("size", [(64, 48), (65, 49)])
@pytest.mark.parametrize("with_ffmpeg", [True, False])
def test_a_video_is_written_whole(
    tmp_path: Path, size: tuple[int, int], with_ffmpeg: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if with_ffmpeg and not sinks.ffmpeg_works():
        pytest.skip("no ffmpeg on this machine")
    if not with_ffmpeg:
        monkeypatch.setattr(video_file_module, "ffmpeg_works", lambda: False)
        if size[0] % 2:
            pytest.skip("OpenCV's own encoder takes even sizes only")
    target = tmp_path / "out.mp4"
    sink = VideoFile(target, rate=30000 / 1001)
    for _ in range(9):
        sink.write(np.full((size[1], size[0], 3), 99, np.uint8))
    assert not target.exists()
    sink.close()
    frames, rate = read_video(target)
    assert rate == pytest.approx(29.97, abs=0.01)
    assert [frame.shape for frame in frames] == [(size[1], size[0], 3)] * 9
    assert os.listdir(tmp_path) == ["out.mp4"]


def test_a_video_without_frames_or_not_to_keep_leaves_nothing(tmp_path: Path) -> None:
    VideoFile(tmp_path / "a.mp4", rate=10).close()
    sink = VideoFile(tmp_path / "b.mp4", rate=10)
    sink.write(np.zeros((48, 64, 3), np.uint8))
    sink.close(keep=False)
    assert os.listdir(tmp_path) == []


def test_a_frame_of_another_size_does_not_spoil_the_video(tmp_path: Path) -> None:
    sink = VideoFile(tmp_path / "a.mp4", rate=10)
    for size in ((48, 64, 3), (96, 128, 3), (48, 64, 3)):
        sink.write(np.full(size, 120, np.uint8))
    sink.close()
    frames, _ = read_video(tmp_path / "a.mp4")
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    assert np.abs(np.stack(frames).astype(int) - 120).max() < 8


def test_a_video_refuses_what_it_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(BadValueError, match=r"must end in \.mp4"):
        VideoFile(tmp_path / "a.txt", rate=10)
    (tmp_path / "b.mp4").write_text("older")
    with pytest.raises(OutputError, match="--force"):
        VideoFile(tmp_path / "b.mp4", rate=10)
