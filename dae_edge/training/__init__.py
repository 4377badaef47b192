"""Fit, checkpoints and reports: what a run folder holds and how it comes about."""
