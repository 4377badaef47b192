"""Where frames go: a window, a video file, a virtual camera, the standard output."""

from dae_edge.camera.sinks.names import dated as dated
from dae_edge.camera.sinks.names import numbered as numbered
from dae_edge.camera.sinks.recorder import Recorder as Recorder
from dae_edge.camera.sinks.snapshots import Snapshots as Snapshots
from dae_edge.camera.sinks.snapshots import check_snapshot as check_snapshot
from dae_edge.camera.sinks.snapshots import write_snapshot as write_snapshot
from dae_edge.camera.sinks.stdout import Stdout as Stdout
from dae_edge.camera.sinks.stdout import take_stdout as take_stdout
from dae_edge.camera.sinks.video_file import VIDEO_SUFFIXES as VIDEO_SUFFIXES
from dae_edge.camera.sinks.video_file import VideoFile as VideoFile
from dae_edge.camera.sinks.video_file import check_video as check_video
from dae_edge.camera.sinks.video_file import ffmpeg_works as ffmpeg_works
from dae_edge.camera.sinks.virtual_camera import VirtualCamera as VirtualCamera
from dae_edge.camera.sinks.window import Window as Window
from dae_edge.camera.sinks.window import window_missing as window_missing
