"""Losses that say what a picture shows, kept from overruling what it looks like."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from training.losses import FLOOR

Judge = Callable[[Tensor, Tensor], Tensor]
"""Restored and clean pictures, ``float32 (N, 3, H, W)``, to a loss of each, ``(N,)``."""


def bounded_loss(judge: Judge, restored: Tensor, clean: Tensor, weight: float) -> Tensor:
    """A judge's loss, pulling at no picture harder than :func:`training.losses.psnr_loss` does.

    A frozen network's gradient is a hundred times as long in one picture as in another, and says
    nothing where nothing is left to see; a few such pictures would decide every step.

    Parameters
    ----------
    judge : callable
        Says how wrong each picture is.
    restored, clean : Tensor
        ``float32 (N, 3, H, W)`` on [0, 1]; gradients reach ``restored`` alone.
    weight : float
        Multiplies the loss.

    Returns
    -------
    Tensor
        Sum over the pictures; its gradient is limited as said.
    """
    seen = restored.detach().requires_grad_()
    with torch.enable_grad():
        wrong = judge(seen, clean)
        with torch.autocast(seen.device.type, enabled=False):
            (pull,) = torch.autograd.grad(weight * wrong.sum(), seen)
    error = (seen.detach() - clean).flatten(1)
    squared = error.square().sum(dim=1)
    limit = 2 * squared.sqrt() / (squared + FLOOR * error.shape[1])
    strength = pull.flatten(1).norm(dim=1).clamp_min(1e-12)
    pull = pull * (limit / strength).clamp_max(1)[:, None, None, None]
    moved = (pull * (restored - seen.detach())).sum()
    total: Tensor = weight * wrong.detach().sum() + moved
    return total
