"""The low-light network's weights as its 8-bit graph wants them, and the ranges of its activations."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dae_edge.export.block_planes import PIXELS
from dae_edge.export.calibrated import Array, Calibrated
from dae_edge.export.lanes import Whole, lanes
from dae_edge.export.picture_model import NEXT, Frame, PictureModel, Tensors
from dae_edge.models.lowlight import BANDS

# Coarse bands in two lanes each. Three lanes in all were too narrow for the noise of a dark first frame; with
# colour in one, the noise of a bright, saturated surface fell outside and stayed.
_WHOLE = {
    0: Whole(0.0, 3**0.5, 2),
    1: Whole(-(0.5**0.5), 0.5**0.5, 2),
    2: Whole(-2 / 6**0.5, 2 / 6**0.5, 2),
}


class Network(Calibrated):
    """The Keras model's weights with the transform folded in, and the range of every activation.

    blocks:    residual blocks at 1/4 and at 1/8
    transform: (12 pixels, 12 bands)
    lanes:     15, of the head's bands
    """

    def __init__(self, model: PictureModel, examples: Iterable[tuple[Frame, Tensors]]) -> None:
        super().__init__(model, examples, {"average": model.model.output["state_average" + NEXT]})
        self.blocks = sum(layer.name.startswith("eighth_block_") for layer in model.model.layers) // 2
        self.transform: Array = self.kernel("analysis").reshape(PIXELS, BANDS)
        picture, logits = np.split(self.samples("head"), 2, axis=-1)
        share = (1 / (1 + np.exp(logits))).astype(np.float32)  # (1 - mask)
        self.lanes = lanes(picture, self.samples("average"), share, _WHOLE)

    def first(self, name: str, coarse_step: float, age_step: float) -> tuple[Array, Array]:
        """A first convolution over 12 pixels in levels, 3 block means and 1 age in these steps.

        In Keras it sees 12 bands, 3 coarse bands, and the age.
        """
        kernel, bias = self.weights(name)
        means = self.transform.reshape(4, 3, BANDS)[..., :3].sum(axis=0)  # (BGR, coarse bands)
        parts = [
            np.einsum("pb,hwbf->hwpf", self.transform / 255, kernel[:, :, :BANDS]),
            np.einsum("cb,hwbf->hwcf", means / 255 * coarse_step, kernel[:, :, BANDS : BANDS + 3]),
            kernel[:, :, BANDS + 3 :] * age_step,
        ]
        return np.concatenate(parts, axis=2).astype(np.float32), bias
