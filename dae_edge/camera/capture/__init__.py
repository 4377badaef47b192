"""Reading a source in a thread, so that the loop never waits inside a camera's driver."""

from dae_edge.camera.capture.capture import Capture as Capture
from dae_edge.camera.capture.capture import Captured as Captured
from dae_edge.camera.capture.file import FileCapture as FileCapture
from dae_edge.camera.capture.live import LiveCapture as LiveCapture
from dae_edge.camera.capture.patience import Patience as Patience
