"""A video file, by ffmpeg or by OpenCV."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import IO, Protocol

import numpy as np
from numpy.typing import NDArray

from dae_edge.camera.overlay import fit
from dae_edge.errors import BadValueError, OutputError
from dae_edge.files import check_output
from dae_edge.opencv import cv2

Frame = NDArray[np.uint8]

_TERMINATED = 255  # ffmpeg, told to end by whoever ended us, finishes its file first

VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".avi")


@functools.cache
def ffmpeg_works() -> bool:
    """Whether this machine has an ffmpeg that starts and encodes H.264."""
    program = shutil.which("ffmpeg")
    if program is None:
        return False
    asked = subprocess.run(
        [program, "-hide_banner", "-h", "encoder=libx264"], capture_output=True, text=True, check=False
    )
    return asked.returncode == 0 and asked.stdout.startswith("Encoder libx264")


class Writer(Protocol):
    """One open video file that takes frames of one size."""

    def write(self, frame: Frame) -> None: ...

    def close(self) -> None: ...


def check_video(path: Path, *, force: bool = False) -> None:
    """Refuse a name that a video could not or must not have, before the work begins."""
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        raise BadValueError(f"`--output` (={path}) must end in {', '.join(VIDEO_SUFFIXES)}.")
    check_output(path, force=force)


class VideoFile:
    """A video file that takes its name only when it is whole.

    H.264 where ffmpeg is on the machine, MPEG-4 by OpenCV otherwise. Size and rate are those of the
    frames; `sound_of`, where given, is a video whose sound is copied over (with ffmpeg).
    """

    def __init__(
        self,
        path: Path,
        *,
        rate: float,
        force: bool = False,
        sound_of: Path | None = None,
        live: bool = False,
    ) -> None:
        """live: encode quickly rather than well, beside a model that needs the processor too"""
        check_video(path, force=force)
        self.path, self._rate, self._sound_of, self._live = path, rate, sound_of, live
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
        except OSError as failure:
            raise OutputError(f"{path} cannot be written: {failure.strerror}.") from failure
        os.close(handle)
        self._temporary = Path(name)
        self._writer: Writer | None = None
        self._size = (0, 0)

    def write(self, frame: Frame) -> None:
        """Append one (H, W, 3) uint8 BGR frame; one of another size is fitted into the first one's."""
        size = (frame.shape[1], frame.shape[0])
        if self._writer is not None and size != self._size:
            frame = fit(frame, self._size)
        if self._writer is None:
            self._size = size
            self._writer = self._open(size)
        self._writer.write(frame)

    def _open(self, size: tuple[int, int]) -> Writer:
        if ffmpeg_works():
            return _FFmpegWriter(self._temporary, size, self._rate, self._sound_of, self._live)
        return _OpenCVWriter(self._temporary, size, self._rate)

    def close(self, *, keep: bool = True) -> None:
        """Finish the file and give it its name; without frames, or not `keep`, leave nothing."""
        try:
            if self._writer is not None:
                self._writer.close()
                if keep:
                    os.chmod(self._temporary, 0o644)
                    os.replace(self._temporary, self.path)
        finally:
            self._writer = None
            self._temporary.unlink(missing_ok=True)


class _OpenCVWriter:
    """MPEG-4 part 2 by the FFmpeg inside OpenCV's wheel."""

    def __init__(self, path: Path, size: tuple[int, int], rate: float) -> None:
        self._path, self._size = path, size
        code = cv2.VideoWriter.fourcc(*("MJPG" if path.suffix.lower() == ".avi" else "mp4v"))
        self._writer = cv2.VideoWriter(str(path), code, rate, size)
        if not self._writer.isOpened():
            raise OutputError(f"{path.name} cannot be written: this OpenCV has no encoder for it.")

    def write(self, frame: Frame) -> None:
        self._writer.write(frame)

    def close(self) -> None:
        self._writer.release()


class _FFmpegWriter:
    """H.264 by the machine's own ffmpeg, which takes raw frames on its standard input."""

    def __init__(
        self, path: Path, size: tuple[int, int], rate: float, sound_of: Path | None, live: bool
    ) -> None:
        even = size[0] % 2 == 0 and size[1] % 2 == 0  # 4:2:0 halves both sides
        exact = Fraction(rate).limit_denominator(1001)
        preset, quality = ("ultrafast", "23") if live else ("veryfast", "18")
        sound_in = ["-i", str(sound_of)] if sound_of else []
        # Another container may not hold the sound as it is; ffmpeg then encodes it for that one.
        as_it_is = sound_of is not None and sound_of.suffix.lower() == path.suffix.lower()
        sound_out = ["-map", "1:a?", *(["-c:a", "copy"] if as_it_is else [])] if sound_of else []
        command = [
            "ffmpeg", "-y", "-loglevel", "error",
            "-f", "rawvideo", "-pix_fmt", "bgr24",
            "-s", f"{size[0]}x{size[1]}", "-r", str(exact), "-i", "-",
            *sound_in, "-map", "0:v", *sound_out,
            "-c:v", "libx264", "-preset", preset, "-crf", quality,
            "-pix_fmt", "yuv420p" if even else "yuv444p", str(path),
        ]  # fmt: skip
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115, closed with the process
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C ends us, not the encoder in the middle of a file
        )
        assert self._process.stdin is not None
        self._pipe: IO[bytes] = self._process.stdin

    def write(self, frame: Frame) -> None:
        try:
            self._pipe.write(np.ascontiguousarray(frame).data)
        except OSError as failure:
            raise OutputError(self._explain()) from failure

    def close(self) -> None:
        try:
            self._pipe.close()
        except OSError as failure:
            if self._process.wait() != _TERMINATED:
                raise OutputError(self._explain()) from failure
        if self._process.wait() not in (0, _TERMINATED):
            raise OutputError(self._explain())
        self._errors.close()

    def _explain(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"ffmpeg could not write the video: {lines[-1] if lines else 'no reason given'}"
