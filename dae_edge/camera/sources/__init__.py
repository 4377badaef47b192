"""Where frames come from: a camera, a file, a folder, a stream, or the simulated low-light camera."""

from dae_edge.camera.sources.address import hide_credentials as hide_credentials
from dae_edge.camera.sources.demo import DemoCamera as DemoCamera
from dae_edge.camera.sources.device import CameraDevice as CameraDevice
from dae_edge.camera.sources.files import PictureFolder as PictureFolder
from dae_edge.camera.sources.files import VideoFile as VideoFile
from dae_edge.camera.sources.opening import is_live as is_live
from dae_edge.camera.sources.opening import open_source as open_source
from dae_edge.camera.sources.simulated import Simulated as Simulated
from dae_edge.camera.sources.source import DEFAULT_RATE as DEFAULT_RATE
from dae_edge.camera.sources.source import Frame as Frame
from dae_edge.camera.sources.source import Shot as Shot
from dae_edge.camera.sources.source import Source as Source
from dae_edge.camera.sources.stream import Stream as Stream
