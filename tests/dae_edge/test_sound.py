"""A video's sound comes along where ffmpeg is on the machine."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dae_edge.camera.sinks import ffmpeg_works


@pytest.mark.skipif(not ffmpeg_works(), reason="no ffmpeg on this machine")
def test_sound_is_copied_over(dae_edge: Callable[..., object], tmp_path: Path) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=1",
         "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", str(source)],
        check=True,
    )  # fmt: skip
    assert dae_edge("denoise", source, target).code == 0  # type: ignore[attr-defined]
    streams = subprocess.run(
        [
            "ffprobe",
            "-loglevel",
            "error",
            "-show_entries",
            "stream=codec_type",
            "-of",
            "csv=p=0",
            str(target),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(streams.stdout.split()) == ["audio", "video"]
