"""Tells restored pictures from real ones by what a frozen network sees in them.

A discriminator that begins with pixels needs millions of pictures before it knows an eye from a
smudge; one that begins with a trained network's features needs thousands (Sauer et al., "Projected
GANs converge faster", NeurIPS 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from training.opponent import Opponent
from training.perceptual import WIDTHS

_LEAK = 0.2


@dataclass(frozen=True)
class CriticConfig:
    """Shape of a :class:`Critic` and its part in the game.

    Attributes
    ----------
    stages : tuple of int
        Which of VGG-16's stages it looks at, counted from 0.
    channels : int
        Width of each stage's judge.
    weight : float
        Of the game in the generator's loss; 0: no critic.
    rate : float
        Of its AdamW.
    """

    stages: tuple[int, ...] = (1, 2, 3, 4)
    channels: int = 96
    weight: float = 0.0
    rate: float = 4e-4


class Critic(nn.Module):
    """A small judge of each stage, who sees the degraded picture's features beside the picture's.

    Spectral normalisation (Miyato et al., ICLR 2018) keeps the judges smooth.

    Parameters
    ----------
    config : CriticConfig
        The shape.
    """

    def __init__(self, config: CriticConfig) -> None:
        super().__init__()
        self.config = config
        self.judges = nn.ModuleList(
            nn.Sequential(
                spectral_norm(nn.Conv2d(2 * WIDTHS[stage], config.channels, 1)),
                nn.LeakyReLU(_LEAK),
                spectral_norm(nn.Conv2d(config.channels, config.channels, 3, padding=1)),
                nn.LeakyReLU(_LEAK),
                nn.Conv2d(config.channels, 1, 1),
            )
            for stage in config.stages
        )

    def forward(self, features: Sequence[Tensor], degraded: Sequence[Tensor]) -> list[Tensor]:
        """Judge what :meth:`training.perceptual.Perceptual.features` returned.

        Parameters
        ----------
        features, degraded : sequence of Tensor
            For each of VGG-16's stages ``float32 (N, C, h, w)``, unit vectors over channels: of the
            picture to judge, and of the degraded one that it came from.

        Returns
        -------
        list of Tensor
            ``float32 (N, 1, h, w)`` for each stage: logits of being real, place by place.
        """
        verdicts = []
        for judge, stage in zip(self.judges, self.config.stages, strict=True):
            # Unit vectors become vectors of unit components.
            gain = WIDTHS[stage] ** 0.5
            seen = torch.cat([features[stage], degraded[stage]], dim=1)
            verdicts.append(judge(gain * seen).float())
        return verdicts


class CriticGame(Opponent):
    """A critic that is trained beside a generator, real against restored place by place.

    Parameters
    ----------
    config : CriticConfig
        The game.
    device : torch.device
        Where both networks are.
    """

    def __init__(self, config: CriticConfig, device: torch.device) -> None:
        super().__init__(Critic(config), config.rate, device)
        self.config = config

    def teach(
        self,
        restored: Sequence[Tensor],
        real: Sequence[Tensor],
        degraded: Sequence[Tensor],
        rate: float = 1.0,
    ) -> float:
        """Take one step of the critic; return its loss.

        Parameters
        ----------
        restored, real, degraded : sequence of Tensor
            ``float32 (N, C, h, w)`` for each stage: what
            :meth:`training.perceptual.Perceptual.features` returned.
        rate : float
            The schedule's share of the learning rate.
        """
        right = self.net(real, degraded)
        wrong = self.net([part.detach() for part in restored], degraded)
        # A hinge: whom it can tell apart well enough, it need not learn to tell apart better.
        terms = [functional.relu(1 + w - r).mean() for r, w in zip(right, wrong, strict=True)]
        loss = _mean(terms)
        return self._learn(loss, rate)

    def judge(
        self, restored: Sequence[Tensor], real: Sequence[Tensor], degraded: Sequence[Tensor]
    ) -> Tensor:
        """Return what the critic adds to the generator's loss."""
        self.net.requires_grad_(False)
        wrong = self.net(restored, degraded)
        with torch.no_grad():
            right = self.net(real, degraded)
        self.net.requires_grad_(True)
        terms = [(r - w).mean() for r, w in zip(right, wrong, strict=True)]
        return self.config.weight * _mean(terms)


def _mean(terms: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(terms)).mean()
