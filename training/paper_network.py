"""The seed paper's generator, as we read its abstract (Xu et al., ICCV 2017).

It enlarges first and convolves at full resolution: two learned 2 x up-convolutions, eight 5 x 5
convolutions, an output convolution. What is known of it and what is our choice stands in
``docs/paper.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.network import Conv

_LEAK = 0.2
_OUTPUT_GAIN = 0.1
"""As in :mod:`training.network`: what an optimiser's first steps may do to the picture."""


@dataclass(frozen=True)
class PaperConfig:
    """Shape of a :class:`PaperGenerator`.

    Attributes
    ----------
    channels : int
        Of every layer but the last.
    layers : int
        5 x 5 convolutions at full resolution.
    size : int
        Side of the output in pixels; the input has a quarter of it.
    """

    channels: int = 64
    layers: int = 8
    size: int = 64


class UpConv(nn.Module):
    """Transposed 6 x 6 convolution of stride 2, its weight stored as a matrix for Muon."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.shape = (inputs, outputs, 6, 6)
        # Each output pixel is reached by nine of the 36 taps.
        self.weight = nn.Parameter(torch.randn(inputs, outputs * 36) * (9 * inputs) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.view(self.shape)
        return functional.conv_transpose2d(x, weight, self.bias, stride=2, padding=2)


class PaperGenerator(nn.Module):
    """Small degraded picture in, picture of four times its side out.

    Parameters
    ----------
    config : PaperConfig
        The shape.
    """

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.config = config
        width = config.channels
        self.up = nn.ModuleList([UpConv(3, width), UpConv(width, width)])
        self.layers = nn.ModuleList(Conv(width, width, 5) for _ in range(config.layers))
        self.output = Conv(width, 3, 5)

    def forward(self, degraded: Tensor, kind: Tensor) -> Tensor:
        """Restore small pictures.

        Parameters
        ----------
        degraded : Tensor
            ``float32 (N, 3, size / 4, size / 4)``, RGB on [0, 1].
        kind : Tensor
            Not looked at: one generator for every class, told apart by its discriminator alone.

        Returns
        -------
        Tensor
            ``float32 (N, 3, size, size)``, not clipped.
        """
        x = degraded - 0.5
        for layer in (*self.up, *self.layers):
            x = functional.leaky_relu(layer(x), _LEAK)
        restored: Tensor = 0.5 + _OUTPUT_GAIN * self.output(x).float()
        return restored
