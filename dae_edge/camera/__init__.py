"""Sources, the loop that denoises what they give, and sinks for what comes out."""

from dae_edge.camera.loop import Loop as Loop
from dae_edge.camera.loop import Summary as Summary
from dae_edge.camera.sources import Source as Source
from dae_edge.camera.sources import open_source as open_source
