"""A simulated camera: clean frames in, the frames a sensor would have given out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.sensor import isp, transport
from dae_edge.sensor.brightness import Brightness
from dae_edge.sensor.curves import LINEAR, encode
from dae_edge.sensor.demosaic import demosaic, mosaic
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
        balance = (sensor.blue_gain, 1.0, sensor.red_gain)  # BGR
        self._h264 = None if sensor.h264_crf is None else H264(sensor.h264_crf)
        self._balance = np.array(balance, np.float32)
        self._captured, self._cleaned = (Brightness(sensor, seed) for _ in range(2))

    def clean(self, scene: Frame) -> Frame:
        """(H, W, 3) uint8 BGR scene -> the same at the camera's exposure, without noise.

        The n-th call belongs to the n-th `capture`: flicker and drift are the same in both.
        """
        exposed = encode(LINEAR * np.float32(next(self._cleaned)))
        return isp.sharpen(cv2.LUT(scene, exposed).astype(np.uint8, copy=False), self.sensor.sharpening)

    def capture(self, scene: Frame) -> Frame:
        """(H, W, 3) uint8 BGR scene -> (H, W, 3) uint8 BGR as the camera delivers it.

        Scene light -> camera colours -> mosaic -> electrons with shot, read, row and fixed noise ->
        converter -> demosaic -> white balance -> sRGB colours and curve, 8 bits -> the camera's own
        noise reduction and sharpening -> colour subsampling, JPEG or H.264.
        """
        sensor = self.sensor
        exposed = LINEAR * np.float32(next(self._captured))
        light = cv2.LUT(scene, exposed).astype(np.float32, copy=False)  # 1 = displayed white
        if sensor.colour_matrix is not None:
            light = np.maximum(isp.colour(light, sensor.colour_matrix, inverse=True), 0)
        electrons = light * (np.float32(sensor.electrons) / self._balance)

        if sensor.demosaic == "binned":
            bgr = self._photosites.expose(electrons)
        else:
            bgr = demosaic(self._photosites.expose(mosaic(electrons)), sensor.demosaic)

        bgr = np.minimum(bgr * self._balance, 1)
        if sensor.colour_matrix is not None:
            bgr = isp.colour(bgr, sensor.colour_matrix)
        frame = isp.reduce_noise(encode(bgr), sensor.luma_blur, sensor.chroma_blur)
        frame = isp.sharpen(frame, sensor.sharpening)
        if self._h264 is not None:
            return self._h264(frame)
        if sensor.jpeg_quality is not None:
            return transport.jpeg(frame, sensor.jpeg_quality, sensor.chroma)
        return transport.subsample(frame, sensor.chroma)
