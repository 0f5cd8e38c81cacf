"""A network that is trained against a generator: its steps, and what a checkpoint keeps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from training import parallel


class Opponent:
    """Base of the discriminator's and the critic's games.

    Parameters
    ----------
    net : nn.Module
        Who judges; moved to the device.
    rate : float
        Learning rate of its AdamW.
    device : torch.device
        Where both networks are.
    """

    def __init__(self, net: nn.Module, rate: float, device: torch.device) -> None:
        self.net = net.to(device)
        self._rate = rate
        self._optim = torch.optim.AdamW(
            self.net.parameters(), lr=rate, betas=(0.5, 0.99), weight_decay=0.0
        )

    def _learn(self, loss: Tensor, rate: float) -> float:
        """Take a step at a share of the learning rate; return the loss."""
        for group in self._optim.param_groups:
            group["lr"] = self._rate * rate
        self._optim.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        parallel.average_gradients(self.net.parameters())
        self._optim.step()
        return float(loss.detach())

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"net": self.net.state_dict(), "optim": self._optim.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.net.load_state_dict(state["net"])
        self._optim.load_state_dict(state["optim"])
