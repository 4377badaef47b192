"""The low-light network's weights as its 8-bit graph wants them, and the ranges of its activations."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dae_edge.export.block_planes import PIXELS, WIDE
from dae_edge.export.calibrated import Array, Calibrated
from dae_edge.export.correction import Head, held_against, mask_shares, steps
from dae_edge.export.moments import Moments
from dae_edge.export.picture_model import NEXT, Frame, PictureModel, Tensors
from dae_edge.models.bands import BANDS
from dae_edge.models.camera import MOSAICS, TOLD
from dae_edge.models.lowlight import GIVEN


class Network(Calibrated):
    """The Keras model's weights with the transform folded in, and the range of every activation.

    blocks:    residual blocks at 1/4 and at 1/8
    transform: (12 pixels, 12 bands)
    to_pixels: (16 bands and details, 12 pixels), in levels
    head:      of 16 features, and of 16 planes that are seen, the first 12 of them the average's
    """

    edged = ("quarter_up in", "quarter_out", "half_up", "eighth_block_1_1")

    def __init__(
        self,
        model: PictureModel,
        examples: Iterable[tuple[Frame, Tensors]],
        *,
        whole: bool = False,
        edges: Iterable[tuple[Frame, Tensors]] = (),
    ) -> None:
        also = {
            "average": model.model.output["state_average" + NEXT],
            "details": model.model.get_layer("details").output,
        }
        super().__init__(model, examples, also, whole=whole, edges=edges)
        self.blocks = sum(layer.name.startswith("eighth_block_") for layer in model.model.layers) // 2
        for writer, reader in _alone(self.blocks):
            self.equalize([writer], [reader])
        for writers, readers in _added(self.blocks):
            self.equalize(writers, readers)
        self.transform: Array = self.kernel("analysis").reshape(PIXELS, BANDS)
        picture, mask = self.samples("head")[..., :GIVEN], mask_shares(self.samples("mask" + TOLD))
        held = np.concatenate([self.samples("average"), self.samples("details")], axis=-1)
        kernel, bias = self.weights("head")
        to_bands = np.zeros((WIDE, BANDS), np.float32)
        to_bands[:PIXELS] = self.transform / 255
        details = np.split(self.kernel("detail"), MOSAICS, axis=3)
        self.head = Head(
            picture=(kernel[..., :GIVEN], bias[:GIVEN]),
            mask=(kernel[..., GIVEN:], bias[GIVEN:]),
            features=self.moments("head"),
            held=tuple(held_against(to_bands, detail) for detail in details),
            planes=self.moments("detail").through(np.linalg.pinv(to_bands).T.astype(np.float64)),
            bands=BANDS,
            steps=steps(picture, held, mask, whole=whole),
        )
        given = np.concatenate([np.eye(BANDS), self.kernel("detail_bands")[0, 0]])
        self.to_pixels: Array = (255 * given @ np.linalg.inv(self.transform)).astype(np.float32)

    def first_of(self, name: str, coarse_step: float, age_step: float) -> tuple[Array, Array, Moments]:
        """A first convolution over 12 pixels in levels, 3 block means and 1 age in these steps.

        In Keras it sees 12 bands, 3 coarse bands, and the age. Kernel, bias, and moments of what it sees.
        """
        coarse = self.transform.reshape(4, 3, BANDS)[..., :3].sum(axis=0)  # (BGR, coarse bands)
        to_bands = np.zeros((WIDE, WIDE))  # from what is seen here to what Keras sees
        to_bands[:PIXELS, :BANDS] = self.transform / 255
        to_bands[PIXELS:-1, BANDS:-1] = coarse / 255 * coarse_step
        to_bands[-1, -1] = age_step
        return self.first(name, to_bands)


def _alone(blocks: int) -> list[tuple[str, str]]:
    """Layers that one convolution reads and nobody else.

    Not `quarter_out` with `half_up`: that left a tint of half a grey level with `lowlight-l` in the dark.
    """
    pairs = [
        ("gate_1", "gate_2"),
        ("gate_2", "gate_out"),
        ("quarter_down", "quarter_in"),
        ("eighth_down", "eighth_1"),
        ("eighth_1", "eighth_2"),
        ("half_out", "head"),
    ]
    if not blocks:
        return [*pairs, ("eighth_2", "quarter_up")]
    names = [f"{level}_block_{i + 1}" for level in ("quarter", "eighth") for i in range(blocks)]
    return pairs + [(f"{name}_1", f"{name}_2") for name in names]


def _added(blocks: int) -> list[tuple[list[str], list[str]]]:
    """Layers whose results are added up, and who reads them on the way; the last of these reads the sum."""

    def level(name: str, first: str, up: list[str], readers: list[str]) -> tuple[list[str], list[str]]:
        inside = [f"{name}_block_{index + 1}" for index in range(blocks)]
        return [first, *(f"{b}_2" for b in inside), *up], [*(f"{b}_1" for b in inside), *readers]

    sums = [
        (["half_in", "half_up"], ["quarter_down", "half_out"]),
        level("quarter", "quarter_in", ["quarter_up"], ["eighth_down", "quarter_out"]),
    ]
    return [*sums, level("eighth", "eighth_2", [], ["quarter_up"])] if blocks else sums
