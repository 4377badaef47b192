"""A simulated camera: clean frames in, the frames a sensor would have given out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.sensor import isp, optics, transport
from dae_edge.sensor.brightness import Brightness
from dae_edge.sensor.curves import decoding, encode
from dae_edge.sensor.demosaic import ORDERS, demosaic, mosaic
from dae_edge.sensor.h264 import H264
from dae_edge.sensor.photosites import Photosites
from dae_edge.sensor.sensor import Sensor

Frame = NDArray[np.uint8]


class SimulatedCamera:
    """One camera looking at a scene; every frame draws new noise from one seeded stream.

    `clean` gives the noise-free picture at the camera's exposure: the reference that a
    denoiser is measured against.
    """

    def __init__(self, sensor: Sensor, *, seed: int = 0) -> None:
        self.sensor = sensor
        self._photosites = Photosites(sensor, np.random.default_rng(seed))
        self._h264 = None if sensor.h264_crf is None else H264(sensor.h264_crf)
        self._balance = np.array(sensor.balance, np.float32)
        self._light = decoding(sensor.tone)
        self._captured, self._cleaned = (Brightness(sensor, seed) for _ in range(2))

    def clean(self, scene: Frame) -> Frame:
        """(H, W, 3) uint8 BGR scene -> the same at the camera's exposure, without noise.

        The n-th call belongs to the n-th `capture`: flicker and drift are the same in both. As sharp as the
        camera shows brightness and colours, so that nothing learns to sharpen.
        """
        exposed = encode(self._light * np.float32(next(self._cleaned)), self.sensor.tone)
        frame = cv2.LUT(self._focused(scene), exposed).astype(np.uint8, copy=False)
        frame = isp.desaturate(frame, self.sensor.saturation)
        frame = isp.reduce_noise(frame, self.sensor.luma_blur, self.sensor.chroma_blur)
        frame = isp.enlarge(frame, *scene.shape[:2])
        return isp.sharpen(frame, self.sensor.sharpening)

    def capture(self, scene: Frame) -> Frame:
        """(H, W, 3) uint8 BGR scene -> (H, W, 3) uint8 BGR as the camera delivers it.

        Scene light through the lens -> camera colours -> mosaic -> electrons with shot, read, row and
        fixed noise -> converter -> demosaic -> white balance -> sRGB colours, tone curve, 8 bits -> the
        camera's own saturation, noise reduction, zoom and sharpening -> colour subsampling, JPEG or H.264.
        """
        sensor = self.sensor
        exposed = self._light * np.float32(next(self._captured))
        light = cv2.LUT(self._focused(scene), exposed).astype(np.float32, copy=False)  # 1 = displayed white
        if sensor.colour_matrix is not None:
            light = np.maximum(isp.colour(light, sensor.colour_matrix, inverse=True), 0)
        electrons = light * (np.float32(sensor.electrons) / self._balance)

        if sensor.demosaic == "binned":
            bgr = self._photosites.expose(electrons)
        elif sensor.demosaic == "monochrome":
            grey = self._photosites.expose(electrons[..., 1])
            bgr = np.repeat(grey[..., None], 3, axis=2)
        else:
            bgr = self._mosaicked(electrons)

        bgr = np.minimum(bgr * self._balance, 1)
        if sensor.colour_matrix is not None:
            bgr = isp.colour(bgr, sensor.colour_matrix)
        frame = isp.desaturate(encode(bgr, sensor.tone), sensor.saturation)
        frame = isp.reduce_noise(frame, sensor.luma_blur, sensor.chroma_blur)
        frame = isp.sharpen(isp.enlarge(frame, *scene.shape[:2]), sensor.sharpening)
        if self._h264 is not None:
            return self._h264(frame)
        if sensor.jpeg_quality is not None:
            return transport.jpeg(frame, sensor.jpeg_quality, sensor.chroma)
        return transport.subsample(frame, sensor.chroma)

    def _focused(self, scene: Frame) -> Frame:
        """(H, W, 3) uint8 -> through the lens, onto as many photosites as zoom leaves."""
        if self.sensor.demosaic == "monochrome":
            scene = cv2.merge([cv2.cvtColor(scene, cv2.COLOR_BGR2GRAY)] * 3).astype(np.uint8, copy=False)
        return optics.shrink(optics.blur(scene, self.sensor.lens_blur), self.sensor.zoom)

    def _mosaicked(self, electrons: NDArray[np.float32]) -> NDArray[np.float32]:
        """(H, W, 3) electrons -> the same read through a colour mosaic, in units of white."""
        height, width = electrons.shape[:2]
        rows, columns = ORDERS[self.sensor.order]
        if rows or columns:  # a whole block more of what an RGGB sensor would have had around it
            electrons = cv2.copyMakeBorder(
                electrons, rows, 2 - rows, columns, 2 - columns, cv2.BORDER_REFLECT_101
            ).astype(np.float32, copy=False)
        bgr = demosaic(self._photosites.expose(mosaic(electrons)), self.sensor.demosaic)
        return bgr[rows : rows + height, columns : columns + width]
