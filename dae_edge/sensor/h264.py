"""H.264 over a sequence, as network cameras send it: what one frame loses, the next ones build on."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dae_edge.errors import MissingExtraError

Frame = NDArray[np.uint8]

RATES = (0, 51)  # of the constant rate factor: from without loss to hardly a picture
_GROUP = 60  # frames from one that stands alone to the next


class H264:
    """An encoder and its decoder without delay: frames in, the same frames out, colour 4:2:0.

    A frame of another size begins a new sequence.

    `crf` is the constant rate factor of x264, 0 (best) to 51; network cameras lie at 20 to 35.
    Raises `MissingExtraError` without PyAV.
    """

    def __init__(self, crf: float) -> None:
        try:
            import av
        except ImportError as failure:
            raise MissingExtraError("H.264", "h264") from failure
        self._av, self._crf = av, crf
        self._encoder: Any = None
        self._decoder: Any = None
        self._count = 0

    def __call__(self, frame: Frame) -> Frame:
        """(H, W, 3) uint8 BGR -> the same as its viewer sees it."""
        height, width = frame.shape[:2]
        even = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        if self._encoder is None or (self._encoder.height, self._encoder.width) != even.shape[:2]:
            self._open(even.shape[1], even.shape[0])
        picture = self._av.VideoFrame.from_ndarray(even, format="bgr24")
        picture.pts = self._count
        self._count += 1
        packets = self._encoder.encode(picture.reformat(format="yuv420p"))
        (seen,) = [decoded for packet in packets for decoded in self._decoder.decode(packet)]
        return np.ascontiguousarray(seen.to_ndarray(format="bgr24")[:height, :width])

    def _open(self, width: int, height: int) -> None:
        encoder = self._av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.time_base = Fraction(1, 30)
        encoder.gop_size = _GROUP
        encoder.thread_count = 1  # frame threads would hold frames back
        encoder.options = {"crf": str(self._crf), "preset": "veryfast", "tune": "zerolatency"}
        decoder = self._av.CodecContext.create("h264", "r")
        decoder.thread_count = 1
        decoder.flags |= self._av.codec.context.Flags.low_delay
        self._encoder, self._decoder = encoder, decoder
