"""A simulated camera: clean frames in, the frames a sensor would have given out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dae_edge.opencv import cv2
from dae_edge.sensor.curves import LINEAR, encode
from dae_edge.sensor.sensor import Sensor

Frame = NDArray[np.uint8]

# The raw mosaic travels through OpenCV's demosaic as 16-bit numbers; the pedestal keeps the
# negative half of the read noise, as a real black level does.
_BLACK = 8192
_WHITE = 49152 - _BLACK


class SimulatedCamera:
    """One camera looking at a scene; every frame draws new noise from one seeded stream.

    `clean` gives the noise-free picture at the camera's exposure: the reference that a
    denoiser is measured against.
    """

    def __init__(self, sensor: Sensor, *, seed: int = 0) -> None:
        self.sensor = sensor
        self._random = np.random.default_rng(seed)
        self._exposed = (LINEAR * sensor.exposure).astype(np.float32)
        self._clean_code = encode(self._exposed)

    def clean(self, scene: Frame) -> Frame:
        """(H, W, 3) uint8 BGR scene -> the same at the camera's exposure, without noise."""
        return cv2.LUT(scene, self._clean_code).astype(np.uint8, copy=False)

    def capture(self, scene: Frame) -> Frame:
        """(H, W, 3) uint8 BGR scene -> (H, W, 3) uint8 BGR as the sensor sees it.

        Scene light -> Bayer mosaic (RGGB) in electrons -> shot, read and row noise -> converter ->
        bilinear demosaic -> white balance -> sRGB curve -> 8 bits -> JPEG, where set.
        """
        sensor = self.sensor
        light = cv2.LUT(scene, self._exposed).astype(
            np.float32, copy=False
        )  # (H, W, 3) float32, 1 = displayed white
        raw = self._expose(light)  # (H, W) float32, 1 = the electrons of displayed white
        steps = (1 << sensor.bit_depth) - 1
        raw = np.rint(raw * steps) * np.float32(_WHITE / steps) + _BLACK
        mosaic = np.clip(raw, 0, 65535).astype(np.uint16)
        bgr = cv2.demosaicing(mosaic, cv2.COLOR_BayerRGGB2BGR).astype(np.float32)
        balance = np.array([sensor.blue_gain, 1, sensor.red_gain], np.float32) / _WHITE
        frame = encode((bgr - np.float32(_BLACK)) * balance)
        if sensor.jpeg_quality is None:
            return frame
        quality = [cv2.IMWRITE_JPEG_QUALITY, sensor.jpeg_quality]
        _, packet = cv2.imencode(".jpg", frame, quality)
        decoded = cv2.imdecode(packet, cv2.IMREAD_COLOR)
        assert decoded is not None  # it was encoded on the line above
        return decoded.astype(np.uint8, copy=False)

    def _expose(self, light: NDArray[np.float32]) -> NDArray[np.float32]:
        """(H, W, 3) light, BGR -> (H, W) noisy raw, in units of the electrons of white."""
        sensor = self.sensor
        electrons = np.empty(light.shape[:2], np.float32)
        electrons[0::2, 0::2] = light[0::2, 0::2, 2] * (sensor.electrons / sensor.red_gain)
        electrons[0::2, 1::2] = light[0::2, 1::2, 1] * sensor.electrons
        electrons[1::2, 0::2] = light[1::2, 0::2, 1] * sensor.electrons
        electrons[1::2, 1::2] = light[1::2, 1::2, 0] * (sensor.electrons / sensor.blue_gain)

        deviation = np.sqrt(electrons + np.float32(sensor.read_noise**2))
        noise = self._random.standard_normal(electrons.shape, dtype=np.float32) * deviation
        rows = self._random.standard_normal((len(electrons), 1), dtype=np.float32)
        noisy: NDArray[np.float32] = electrons + noise + rows * np.float32(sensor.row_noise)
        return noisy / np.float32(sensor.electrons)
