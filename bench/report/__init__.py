"""Evaluations and bench runs in the shapes people read: terminal, Markdown, one HTML page, plots."""
