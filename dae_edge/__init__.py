"""dae-edge: denoising autoencoders, from training to a live camera on a CPU.

import dae_edge
denoise = dae_edge.load("lowlight")
clean = denoise(frame)                  # (H, W, 3) uint8 BGR -> the same
"""

from importlib.metadata import version

from dae_edge.runtime import Denoiser as Denoiser
from dae_edge.runtime import load as load

__version__ = version("dae-edge")
__all__ = ["Denoiser", "__version__", "load"]
