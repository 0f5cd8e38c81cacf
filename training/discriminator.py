"""Tells restored pictures from real ones, class by class."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.network import KINDS

_LEAK = 0.2


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Shape of a :class:`Discriminator`.

    Attributes
    ----------
    channels : tuple of int
        Width after each halving of the resolution.
    conditional : bool
        Whether it also sees the degraded picture that the restored one came from.
    size : int
        Side of the pictures in pixels.
    """

    channels: tuple[int, ...] = (64, 128, 256, 256)
    conditional: bool = False
    size: int = 64


class Discriminator(nn.Module):
    """Strided 4 x 4 convolutions, and a verdict for each class: that of the picture's own counts.

    No normalisation over the batch: a picture is judged alone.

    Parameters
    ----------
    config : DiscriminatorConfig
        The shape.
    """

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        widths = (6 if config.conditional else 3, *config.channels)
        self.layers = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)
            for inputs, outputs in itertools.pairwise(widths)
        )
        self.side = config.size // 2 ** len(config.channels)
        self.verdict = nn.Conv2d(widths[-1], KINDS, self.side)

    def forward(
        self, picture: Tensor, degraded: Tensor, kind: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Judge pictures.

        Parameters
        ----------
        picture : Tensor
            ``float32 (N, 3, size, size)`` on [0, 1].
        degraded : Tensor
            ``float32 (N, 3, h, w)``, where it came from.
        kind : Tensor
            ``int64 (N,)``.

        Returns
        -------
        verdict : Tensor
            ``float32 (N,)``: logit of being real.
        features : list of Tensor
            Each layer's output, the pictures' description for feature matching.
        """
        x = 2 * picture - 1
        if self.config.conditional:
            enlarged = functional.interpolate(
                degraded, size=picture.shape[2:], mode="bicubic", align_corners=False
            )
            x = torch.cat([x, 2 * enlarged - 1], dim=1)
        features = []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), _LEAK)
            features.append(x)
        verdicts = self.verdict(x).flatten(1)
        return verdicts.gather(1, kind[:, None])[:, 0].float(), features
