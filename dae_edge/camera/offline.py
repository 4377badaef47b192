"""Denoise what lies on the disk: a picture, a folder of pictures, a video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dae_edge.camera.sinks import VIDEO_SUFFIXES, VideoFile
from dae_edge.camera.sources import VideoFile as VideoSource
from dae_edge.data.pictures import SUFFIXES as PICTURE_SUFFIXES
from dae_edge.data.pictures import pictures_in, read_picture
from dae_edge.errors import BadValueError, FrameError, MediaError, OutputError
from dae_edge.files import fresh_folder, writing
from dae_edge.metrics import MeanError, finite
from dae_edge.opencv import cv2
from dae_edge.runtime import Denoiser
from dae_edge.sensor import SimulatedCamera

Frame = NDArray[np.uint8]
Progress = Callable[[int, int], None]  # frames done, frames in all (0 where unknown)


@dataclass
class Result:
    """What a job did; the errors are known where the input was clean and made noisy here."""

    output: Path
    frames: int = 0
    noisy: MeanError = field(default_factory=MeanError)
    denoised: MeanError = field(default_factory=MeanError)

    def figures(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "output": str(self.output),
            "frames": self.frames,
            **finite({"noisy_psnr_db": self.noisy.psnr, "denoised_psnr_db": self.denoised.psnr}),
        }


class Job:
    """One denoising of files; `simulate` makes clean input noisy first and measures the gain."""

    def __init__(
        self,
        denoise: Denoiser,
        *,
        simulate: SimulatedCamera | None = None,
        force: bool = False,
        progress: Progress = lambda done, total: None,
    ) -> None:
        self._denoise, self._camera = denoise, simulate
        self._force, self._progress = force, progress
        self._grey = denoise.manifest.channels == 1

    def run(self, source: Path, output: Path, *, sequence: bool = False) -> Result:
        """Denoise `source` to `output`, which is of the same kind: picture, folder or video.

        sequence: a folder's pictures are a clip in order of name; otherwise each stands alone.
        """
        if source.is_dir():
            return self._folder(source, output, sequence=sequence)
        if not source.is_file():
            raise MediaError(f"{source} is neither a file nor a folder.")
        if sequence:
            raise BadValueError(f"`--sequence` is for a folder of pictures; {source} is a file.")
        if source.suffix.lower() in PICTURE_SUFFIXES:
            return self._picture(source, output)
        return self._video(source, output)

    def _picture(self, source: Path, output: Path) -> Result:
        if output.suffix.lower() not in PICTURE_SUFFIXES:
            raise BadValueError(f"`OUT` (={output}) must end in {', '.join(PICTURE_SUFFIXES)}.")
        result = Result(output)
        with writing(output, force=self._force) as path:
            self._one(source, path, result)
        self._progress(1, 1)
        return result

    def _folder(self, source: Path, output: Path, *, sequence: bool) -> Result:
        pictures = pictures_in(source)
        if output.suffix.lower() in (*PICTURE_SUFFIXES, *VIDEO_SUFFIXES):
            raise BadValueError(f"`OUT` (={output}) must be a folder, as {source} is one.")
        if output.resolve() == source.resolve():
            raise OutputError(f"{output} is the input itself; name another folder.")
        read_picture(pictures[0], grey=self._grey)  # a wrong input must not cost an old output
        fresh_folder(output, force=self._force)
        result = Result(output)
        for index, picture in enumerate(pictures):
            if not sequence:
                self._denoise.reset()
            with writing(output / picture.name) as path:
                self._one(picture, path, result)
            self._progress(index + 1, len(pictures))
        return result

    def _video(self, source: Path, output: Path) -> Result:
        if output.suffix.lower() not in VIDEO_SUFFIXES:
            raise BadValueError(f"`OUT` (={output}) must end in {', '.join(VIDEO_SUFFIXES)}.")
        if self._grey:
            raise FrameError(f"this model takes grey pictures; {source} is a video.")
        if output.exists() and output.resolve() == source.resolve():
            raise OutputError(f"{output} is the input itself; name another file.")
        video = VideoSource(source)
        result = Result(output)
        sink = VideoFile(output, rate=video.rate, force=self._force, sound_of=source)
        whole = False
        try:
            while (shot := video.read()) is not None:
                sink.write(self._clean(shot.frame, result))
                self._progress(result.frames, video.frames)
            whole = True
        finally:
            video.close()
            sink.close(keep=whole)
        return result

    def _one(self, source: Path, target: Path, result: Result) -> None:
        denoised = self._clean(read_picture(source, grey=self._grey), result)
        if not cv2.imwrite(str(target), denoised):
            raise OutputError(f"{target.name} cannot be encoded as {target.suffix}.")

    def _clean(self, frame: Frame, result: Result) -> Frame:
        result.frames += 1
        if self._camera is None:
            return self._denoise(frame)
        reference, noisy = self._camera.clean(frame), self._camera.capture(frame)
        denoised = self._denoise(noisy)
        result.noisy.add(noisy, reference)
        result.denoised.add(denoised, reference)
        return denoised
