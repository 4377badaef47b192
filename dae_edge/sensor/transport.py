"""What the wire does to a frame: colour at lower resolution, JPEG."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2

Frame = NDArray[np.uint8]

CHROMAS = ("4:4:4", "4:2:2", "4:2:0")
_SAMPLING = {
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}


def subsample(frame: Frame, chroma: str) -> Frame:
    """(H, W, 3) uint8 BGR through YCrCb with colour at full, half or quarter resolution, 8 bits each."""
    if chroma == "4:4:4":
        return frame
    height, width = frame.shape[:2]
    luma, *colours = cv2.split(cv2.cvtColor(frame, cv2.COLOR_BGR2YCrCb))
    small = (max(width // 2, 1), height if chroma == "4:2:2" else max(height // 2, 1))
    for index, plane in enumerate(colours):
        shrunk = cv2.resize(plane, small, interpolation=cv2.INTER_AREA)
        colours[index] = cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.cvtColor(cv2.merge([luma, *colours]), cv2.COLOR_YCrCb2BGR).astype(np.uint8, copy=False)


def jpeg(frame: Frame, quality: int, chroma: str) -> Frame:
    """(H, W, 3) uint8 BGR through JPEG of `quality` 1 to 100 and back; "4:4:4" here means 4:2:0.

    Webcams send MJPEG as 4:2:0 or 4:2:2; full colour does not occur.
    """
    sampling = _SAMPLING["4:2:0" if chroma == "4:4:4" else chroma]
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, packet = cv2.imencode(".jpg", frame, options)
    decoded = cv2.imdecode(packet, cv2.IMREAD_COLOR)
    assert decoded is not None  # it was encoded on the line above
    return decoded.astype(np.uint8, copy=False)
