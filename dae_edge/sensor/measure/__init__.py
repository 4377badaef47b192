"""Measure a camera: photon transfer from frames of a still scene."""

from dae_edge.sensor.measure.calibrate import calibrate as calibrate
from dae_edge.sensor.measure.camera_file import CameraFile as CameraFile
from dae_edge.sensor.measure.camera_file import read_camera as read_camera
from dae_edge.sensor.measure.strength import strength_for as strength_for
