"""What a discriminator adds to a training: its own steps, and its part of the generator's loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from training.discriminator import Discriminator, DiscriminatorConfig
from training.opponent import Opponent


@dataclass(frozen=True)
class AdversaryConfig:
    """How the two networks play.

    Attributes
    ----------
    network : DiscriminatorConfig
        The discriminator.
    game : {"basic", "relativistic"}
        ``basic``: the non-saturating game (Goodfellow et al., 2014). ``relativistic``: each real
        picture against a restored one (Jolicoeur-Martineau, 2019), which keeps all modes when both
        gradient penalties are paid (Huang et al., NeurIPS 2024).
    weight : float
        Of the game in the generator's loss.
    features : float
        Of feature matching: mean absolute difference between the discriminator's descriptions of
        the restored and of the real picture.
    penalty : float
        Half the weight of the squared gradient with respect to real (R1) and restored (R2)
        pictures (Mescheder et al., 2018); 0: none.
    rate : float
        Of the discriminator's AdamW.
    """

    network: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    game: Literal["basic", "relativistic"] = "basic"
    weight: float = 1e-3
    features: float = 0.0
    penalty: float = 0.0
    rate: float = 2e-4


class Adversary(Opponent):
    """A discriminator that is trained beside a generator.

    Parameters
    ----------
    config : AdversaryConfig
        The game.
    device : torch.device
        Where both networks are.
    """

    def __init__(self, config: AdversaryConfig, device: torch.device) -> None:
        super().__init__(Discriminator(config.network), config.rate, device)
        self.config = config

    def teach(
        self, restored: Tensor, real: Tensor, degraded: Tensor, kind: Tensor, rate: float = 1.0
    ) -> float:
        """Take one step of the discriminator; return its loss.

        Parameters
        ----------
        restored, real, degraded, kind : Tensor
            As :class:`training.discriminator.Discriminator` takes them.
        rate : float
            The schedule's share of the learning rate.
        """
        penalised = self.config.penalty > 0
        restored = restored.detach().requires_grad_(penalised)
        real = real.detach().requires_grad_(penalised)
        right, _ = self.net(real, degraded, kind)
        wrong, _ = self.net(restored, degraded, kind)
        if self.config.game == "relativistic":
            loss = functional.softplus(wrong - right).mean()
        else:
            loss = functional.softplus(-right).mean() + functional.softplus(wrong).mean()
        if penalised:
            steepness = _steepness(right, real) + _steepness(wrong, restored)
            loss = loss + self.config.penalty / 2 * steepness
        return self._learn(loss, rate)

    def judge(self, restored: Tensor, real: Tensor, degraded: Tensor, kind: Tensor) -> Tensor:
        """Return what the discriminator adds to the generator's loss."""
        self.net.requires_grad_(False)
        wrong, seen = self.net(restored, degraded, kind)
        with torch.no_grad():
            right, expected = self.net(real, degraded, kind)
        self.net.requires_grad_(True)
        margin = wrong - right if self.config.game == "relativistic" else wrong
        loss = self.config.weight * functional.softplus(-margin).mean()
        if self.config.features > 0:
            loss = loss + self.config.features * _distance(seen, expected)
        return loss


def _steepness(verdict: Tensor, picture: Tensor) -> Tensor:
    """Mean squared length of the verdict's gradient with respect to the picture."""
    (gradient,) = torch.autograd.grad(verdict.sum(), picture, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


def _distance(seen: Sequence[Tensor], expected: Sequence[Tensor]) -> Tensor:
    """Mean over layers of the mean absolute difference."""
    parts = [(a - b).abs().mean() for a, b in zip(seen, expected, strict=True)]
    return torch.stack(parts).mean()
