"""The restoring attacker's task: pictures that a recogniser takes for the right person.

A posterior mean is the best guess of each pixel, not of who it is. Here the restorer goes on from
its shipped weights with a recogniser behind it: what dlib reads in the restored face must be nearer
to what it reads in the clean one than to other faces', and the angle between the two small. The
picture stays the way through: the network cannot name a face, only draw it, so it learns
fewer faces by heart than one that predicts descriptors.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from seethrough import degrade
from seethrough.auditor.space import spaces
from seethrough.types import Image
from seethrough.weights import ASSETS
from training import data
from training.frozen import FrozenRecogniser
from training.losses import psnr_loss
from training.network import SHIPPED, NetworkConfig, Restorer
from training.restoration import picture_rows
from training.train import Task, TrainConfig


@dataclass(frozen=True)
class IdentityRestorerConfig(TrainConfig):
    """What decides what the attacker's restorer learns, after ``--warm`` from the shipped one.

    Attributes
    ----------
    pixel : float
        Weight of the posterior mean's own loss.
    angle : float
        Weight of one minus the cosine between directions.
    contrast : float
        Weight of telling a face apart from others.
    temperature : float
        Of the contrast.
    others : int
        The last faces that were seen; each is told apart from them.
    """

    network: NetworkConfig = SHIPPED
    mix: data.Mix = field(
        default_factory=lambda: data.Mix(
            text=0.0, x4=0.1, x8=0.06, mosaic=0.38, gauss=0.34, box=0.06, photos=0.0
        )
    )
    pixel: float = 0.1
    angle: float = 1.0
    contrast: float = 0.2
    temperature: float = 0.1
    others: int = 1024

    def task(self, arguments: argparse.Namespace) -> IdentityRestorerTask:
        """Load faces and glyphs."""
        self.require(arguments, "atlas")
        return IdentityRestorerTask(self, arguments)


class IdentityRestorerTask(Task):
    """See :class:`training.train.Task`."""

    def __init__(self, config: IdentityRestorerConfig, arguments: argparse.Namespace) -> None:
        self.config = config
        self.net = Restorer(config.network)
        self._recogniser = FrozenRecogniser(ASSETS / "recogniser-dlib.onnx", "dlib")
        self._recogniser.eval().requires_grad_(False)
        self._mean = torch.from_numpy(spaces()["dlib"].mean)
        faces = data.read_crops(arguments.faces)
        photos = data.sharp_photos(arguments.faces)
        self.samples = data.Pairs(faces, arguments.atlas, config.mix, config.seed, photos)
        self.sources = (arguments.faces, arguments.atlas)
        self._valid = data.read_crops(arguments.valid)
        self._sets = validation_sets(self._valid)
        self._faces = faces
        self._seen = torch.zeros(0, len(self._mean))

    def prepare(self, device: torch.device) -> None:
        self._recogniser.to(device)
        self._mean = self._mean.to(device)
        self._seen = self._seen.to(device)
        with torch.no_grad():
            crops = np.concatenate([self._valid, self._faces[:3000]])
            self._gallery = torch.cat([self._directions(p) for p in self._batches(crops, device)])

    @staticmethod
    def _batches(crops: Image, device: torch.device) -> list[Tensor]:
        parts = torch.split(torch.from_numpy(crops), 32)
        return [part.to(device).permute(0, 3, 1, 2).float() / 255 for part in parts]

    def _directions(self, crops: Tensor) -> Tensor:
        found: Tensor = self._recogniser(crops).float() - self._mean
        return functional.normalize(found, dim=1)

    def loss(
        self, net: Callable[..., Tensor], batch: list[Tensor], device: torch.device, bf16: bool
    ) -> Tensor:
        degraded, clean, kind = (part.to(device) for part in batch)
        x, y = (
            part.float().div(255).contiguous(memory_format=torch.channels_last)
            for part in (degraded, clean)
        )
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            restored = net(x, kind)
            with torch.no_grad():
                known = self._directions(y)
            read = self._directions(restored)
        right = (read * known).sum(dim=1)
        loss = self.config.pixel * psnr_loss(restored, y) + self.config.angle * (1 - right).mean()
        others = torch.cat([known, self._seen])
        self._seen = others[: self.config.others]
        logits = read @ others.T / self.config.temperature
        # Two photos of one person, or the same photo twice, are not told apart.
        alike = known @ others.T > 0.6
        alike[:, : len(read)].fill_diagonal_(False)
        logits = logits.masked_fill(alike, -torch.inf)
        own = torch.arange(len(read), device=device)
        total: Tensor = loss + self.config.contrast * functional.cross_entropy(logits, own)
        return total

    def state(self) -> dict[str, Any]:
        return {"seen": self._seen}

    def load(self, state: dict[str, Any]) -> None:
        self._seen = state.get("seen", self._seen).to(self._mean.device)

    @torch.no_grad()
    def validate(
        self, net: nn.Module, device: torch.device, bf16: bool
    ) -> tuple[dict[str, float], npt.NDArray[Any]]:
        """Rank-1 in per cent of held-out faces among themselves and 3,000 training faces."""
        scores, rows = {}, []
        for name, covered in self._sets.items():
            parts = []
            for x in self._batches(covered, device):
                kinds = torch.full((len(x),), data.FACE, device=device)
                with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                    parts.append(net(x, kinds).clamp(0, 1))
            read = torch.cat([self._directions(part) for part in parts])
            best = (read @ self._gallery.T).argmax(dim=1)
            own = torch.arange(len(best), device=device)
            scores[name] = 100 * float((best == own).float().mean())
            shown = (parts[0][:8] * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
            rows += picture_rows(covered, shown, self._valid)
        return scores, np.concatenate(rows)


def validation_sets(valid: Image) -> dict[str, Image]:
    """Fixed covers of held-out faces: name to ``uint8 (N, 128, 128, 3)``."""
    operators = {
        "mosaic-8": degrade.Mosaic(8, (3, 5)),
        "mosaic-12": degrade.Mosaic(12, (5, 2)),
        "gauss-6": degrade.GaussianBlur(6),
        "gauss-8": degrade.GaussianBlur(8),
    }
    return {name: np.stack([op(c) for c in valid]) for name, op in operators.items()}
