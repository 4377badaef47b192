"""Every error a caller can meet, in one tree.

DaeEdgeError                  something went wrong; the message is one sentence for a person
├── BadValueError             an argument breaks its rule                  (also a ValueError)
│   └── FrameError            an array that is not a frame this model takes
├── MissingExtraError         a part of the package that is not installed  (also an ImportError)
├── OpenCVError               OpenCV is absent or cannot start             (also an ImportError)
├── OutputError               a file or folder that cannot or must not be written
├── MediaError                a picture, video or data set that cannot be read
├── CameraError               a live source that cannot be opened or that stopped
├── CalibrationError          a scene in which a camera's noise cannot be measured
├── ServeError                an address at which the web page cannot be served
├── ModelLoadError            a file that is not a model this package can run
├── TrainingError             a run that cannot go on
└── ExportError               a file that could not be made
    └── ParityError           a file was made, but does not do what the Keras model does

`exit_code` is what the command line ends with: 2 for bad use, 1 for a job that failed.
"""

from __future__ import annotations


class DaeEdgeError(Exception):
    """The root of the tree."""

    exit_code = 1


class BadValueError(DaeEdgeError, ValueError):
    """An argument's value breaks the argument's rule."""

    exit_code = 2


class FrameError(BadValueError):
    """An array that is not a frame of the model's shape and type."""


class MissingExtraError(DaeEdgeError, ImportError):
    """A part of the package was asked for that the installation does not have."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs the [{extra}] extra: pip install "dae-edge[{extra}]"')
        self.extra = extra


class OpenCVError(DaeEdgeError, ImportError):
    """`import cv2` failed."""


class OutputError(DaeEdgeError):
    """A file or folder that cannot be written, or that must not be overwritten."""


class MediaError(DaeEdgeError):
    """A picture, video or data set that cannot be read."""


class CameraError(DaeEdgeError):
    """A live source that cannot be opened or that stopped giving frames."""


class CalibrationError(DaeEdgeError):
    """A scene in which a camera's noise cannot be measured."""


class ServeError(DaeEdgeError):
    """An address at which the web page cannot be served."""


class ModelLoadError(DaeEdgeError):
    """A file that is not a model this package can run."""


class TrainingError(DaeEdgeError):
    """A training run that cannot start or cannot go on."""


class ExportError(DaeEdgeError):
    """An exported file could not be made."""


class ParityError(ExportError):
    """An exported file does not compute what the Keras model computes."""
