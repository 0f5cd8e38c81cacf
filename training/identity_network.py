"""The trained attacker: a covered face in, a recogniser's descriptor out (PROTOCOL 4, A3).

A small residual network that reads identity without restoring the picture first. 8 x 8 pixels are
folded into channels, so nearly all of its work is done at 16, 8 and 4 px.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.network import Bands, Conv

FOLD = 8


@dataclass(frozen=True)
class ReaderConfig:
    """Shape of a :class:`Reader`.

    Attributes
    ----------
    channels, blocks : tuple of int
        Width and residual blocks at 1/8, 1/16 and 1/32 of the crop's resolution.
    descriptor : int
        Length of the recogniser's descriptor.
    size : int
        Side of a crop in pixels.
    """

    channels: tuple[int, ...] = (48, 160, 320)
    blocks: tuple[int, ...] = (1, 2, 2)
    descriptor: int = 128
    size: int = 128


class ReaderBlock(nn.Module):
    """Residual block: batch norm, 3 x 3, batch norm, 3 x 3 that starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(2))
        self.first = Conv(channels, channels, 3)
        self.second = Conv(channels, channels, 3)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(functional.silu(self.norms[0](x)))
        change: Tensor = self.second(functional.silu(self.norms[1](y)))
        return x + change


class Reader(nn.Module):
    """Covered crop in, descriptor out.

    Parameters
    ----------
    config : ReaderConfig
        The shape; it travels inside every checkpoint.

    Attributes
    ----------
    mean : Tensor
        Mean descriptor of the training faces, ``float32 (descriptor,)``: predictions are seen from
        there.
    """

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.channels
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(config.descriptor))
        self.bands = Bands(config.size)
        self.stem = Conv(3 * FOLD**2 + 4 * Bands.CHANNELS, widths[0], 1)
        self.levels = nn.ModuleList(
            nn.Sequential(*(ReaderBlock(width) for _ in range(count)))
            for width, count in zip(widths, config.blocks, strict=True)
        )
        self.reduce = nn.ModuleList(
            Conv(before, after, 2, 2) for before, after in itertools.pairwise(widths)
        )
        self.norm = nn.BatchNorm2d(widths[-1])
        side = config.size // FOLD // 2 ** (len(widths) - 1)
        self.head = Conv(widths[-1], config.descriptor, side, side)
        self.head.padding = 0

    def forward(self, degraded: Tensor) -> Tensor:
        """Read identities.

        Parameters
        ----------
        degraded : Tensor
            ``float32 (N, 3, size, size)``, RGB on [0, 1].

        Returns
        -------
        Tensor
            ``float32 (N, descriptor)``: directions in the recogniser's space, of any length, seen
            from the mean descriptor.
        """
        with torch.autocast(degraded.device.type, enabled=False):
            bands = functional.pixel_unshuffle(self.bands(degraded), 2)
            folded = functional.pixel_unshuffle(2 * degraded - 1, FOLD)
            x = self.stem(torch.cat([folded, bands], dim=1))
        for i, level in enumerate(self.levels):
            x = level(x if i == 0 else self.reduce[i - 1](x))
        read: Tensor = self.head(functional.silu(self.norm(x))).flatten(1).float()
        return read
