"""The physics of camera noise: what a sensor does to a clean picture in low light."""

from dae_edge.sensor.camera import SimulatedCamera as SimulatedCamera
from dae_edge.sensor.drawn import draw_like as draw_like
from dae_edge.sensor.drawn import draw_sensor as draw_sensor
from dae_edge.sensor.presets import PRESETS as PRESETS
from dae_edge.sensor.presets import preset as preset
from dae_edge.sensor.sensor import Sensor as Sensor
