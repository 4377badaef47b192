"""A video's sound comes along where ffmpeg is on the machine."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dae_edge.camera.sinks import ffmpeg_works


@pytest.mark.skipif(not ffmpeg_works(), reason="no ffmpeg on this machine")
@pytest.mark.parametrize(("container", "codec"), [("in.mp4", "aac"), ("in.avi", "pcm_s16le")])
def test_sound_comes_along(
    dae_edge: Callable[..., object], tmp_path: Path, container: str, codec: str
) -> None:
    """Also where the new container cannot hold it as it is, as .mp4 cannot hold PCM."""
    source, target = tmp_path / container, tmp_path / "out.mp4"
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=1",
         "-f", "lavfi", "-i", "sine=duration=1", "-c:a", codec, str(source)],
        check=True,
    )  # fmt: skip
    ended = dae_edge("denoise", source, target)
    assert ended.code == 0, ended.err  # type: ignore[attr-defined]
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
