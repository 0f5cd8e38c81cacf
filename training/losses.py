"""Losses by name; a config chooses one, the loop knows none of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]


FLOOR = 2e-4
"""Added to the squared error (37 dB), so that nearly clean inputs do not dominate."""


def psnr_loss(restored: Tensor, clean: Tensor, floor: float = FLOOR) -> Tensor:
    """Mean over pictures of the log of the mean squared error, in nats.

    Minimising it maximises the mean PSNR that the protocol reports (Chen et al., NAFNet, ECCV
    2022, use the same loss): every picture weighs alike, however hard its degradation is. It
    stays close to the posterior mean, because what the logarithm divides by is nearly known
    from the input.

    Parameters
    ----------
    restored, clean : Tensor
        ``float32 (N, 3, H, W)`` on [0, 1].
    floor : float
        Added to the squared error.
    """
    error = (restored - clean).square().mean(dim=(1, 2, 3))
    return torch.log(error + floor).mean()


def charbonnier_loss(restored: Tensor, clean: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Smooth absolute error (Charbonnier et al., 1994; Lai et al., CVPR 2017)."""
    return torch.sqrt((restored - clean).square() + epsilon**2).mean()


LOSSES: dict[str, Loss] = {"psnr": psnr_loss, "charbonnier": charbonnier_loss}
