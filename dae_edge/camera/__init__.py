"""Sources, the loop that denoises what they give, and sinks for what comes out."""

from dae_edge.camera.controls import Controls as Controls
from dae_edge.camera.loop import Loop as Loop
from dae_edge.camera.models import Models as Models
from dae_edge.camera.sources import Source as Source
from dae_edge.camera.sources import open_source as open_source
from dae_edge.camera.summary import Summary as Summary
from dae_edge.camera.view import Figures as Figures
from dae_edge.camera.view import Sink as Sink
from dae_edge.camera.view import View as View
