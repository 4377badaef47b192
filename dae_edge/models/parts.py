"""What the streaming denoisers are made of."""

from __future__ import annotations

from typing import Protocol

from keras import KerasTensor, layers, ops


class Convolve(Protocol):
    """A convolution with everything settled but where it stands."""

    def __call__(
        self, x: KerasTensor, filters: int, name: str, *, size: int = 3, strides: int = 1, relu: bool = True
    ) -> KerasTensor: ...


def convolution(
    x: KerasTensor,
    filters: int,
    name: str,
    *,
    size: int = 3,
    strides: int = 1,
    relu: bool = True,
    precision: str,
) -> KerasTensor:
    return layers.Conv2D(
        filters,
        size,
        strides,
        padding="same",
        activation="relu" if relu else None,
        kernel_initializer="he_normal" if relu else "glorot_uniform",
        dtype=precision,
        name=name,
    )(x)


def step_up(x: KerasTensor, filters: int, name: str, convolve: Convolve) -> KerasTensor:
    """Twice the size: a 1x1 convolution and depth to space, the only form fast everywhere."""
    return ops.depth_to_space(convolve(x, 4 * filters, name, size=1, relu=False), 2)
