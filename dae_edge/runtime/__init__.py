"""A file on disk -> a Denoiser. Needs numpy and an engine, nothing else."""

from dae_edge.runtime.denoiser import Denoiser as Denoiser
from dae_edge.runtime.load import load as load
