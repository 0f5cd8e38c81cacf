"""The attackers' task: covered faces in, the recogniser's descriptors of the clean ones out.

No names are needed: the recogniser's descriptor of the clean picture is the label. The loss asks
that a prediction be nearer to its own face's descriptor than to those of other training faces
(InfoNCE; van den Oord et al., 2018), and that its angle to it be small.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from seethrough import degrade
from seethrough.types import Image
from training import data
from training.identity_data import AttackMix, CoveredFaces, blank
from training.identity_network import Reader, ReaderConfig
from training.train import Task, TrainConfig


@dataclass(frozen=True)
class IdentityConfig(TrainConfig):
    """What decides what an attacker learns.

    Attributes
    ----------
    temperature : float
        Of the contrast between faces.
    others : int
        Training faces that each prediction is told apart from, drawn anew in every step.
    same : float
        Descriptors nearer than this may show the same person, and are not told apart.
    """

    network: ReaderConfig = field(default_factory=ReaderConfig)
    mix: AttackMix = field(default_factory=AttackMix)
    temperature: float = 0.1
    others: int = 4096
    same: float = 0.5

    def task(self, arguments: argparse.Namespace) -> IdentityTask:
        """Load faces and their descriptors."""
        self.require(arguments, "descriptors")
        return IdentityTask(self, arguments.faces, arguments.valid, arguments.descriptors)


class IdentityTask(Task):
    """See :class:`training.train.Task`.

    Parameters
    ----------
    descriptors : Path
        What :mod:`training.describe` wrote: ``train`` and ``flipped`` ``float32 (N, D)``,
        ``valid``, and ``virtual``.
    """

    def __init__(self, config: IdentityConfig, faces: Path, valid: Path, descriptors: Path) -> None:
        reader = Reader(config.network)
        self.net = reader
        self.config, self.sources = config, (faces, descriptors)
        with np.load(descriptors, allow_pickle=False) as file:
            plain = np.stack([file["train"], file["flipped"]])
            known = file["valid"]
            made = file["virtual"] if "virtual" in file.files else plain[0, :0]
        crops = data.read_crops(faces)
        if plain.shape[1] != len(crops):
            raise SystemExit(f"{descriptors} describes other pictures than {faces}")
        self.samples = CoveredFaces(crops, config.mix, config.seed, len(made))
        mean = plain.reshape(-1, plain.shape[-1]).mean(axis=0)
        plain = np.concatenate([plain, np.stack([made, made])], axis=1)
        reader.mean.copy_(torch.from_numpy(mean))
        self.plain = torch.from_numpy(plain)
        self.known = functional.normalize(torch.from_numpy(known - mean), dim=1)
        self.centred = functional.normalize(self.plain - reader.mean, dim=2)
        self._sets = validation_sets(data.read_crops(valid), config.mix)

    def loss(
        self, net: Callable[..., Tensor], batch: list[Tensor], device: torch.device, bf16: bool
    ) -> Tensor:
        covered, number, flipped = batch
        x = covered.to(device).float().div_(255).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            read = net(x)
        read = functional.normalize(read, dim=1)
        # Seeded by the batch, so that a run resumes at the exact step.
        draw = torch.Generator().manual_seed(self.config.seed + int(number.sum()))
        others = torch.randint(self.plain.shape[1], (self.config.others,), generator=draw)
        own = self.plain[flipped, number]
        too_near = torch.cdist(own, self.plain[0, others]) < self.config.same
        target = self.centred[flipped, number].to(device)
        right = (read * target).sum(dim=1)
        wrong = read @ self.centred[0, others].to(device).T
        wrong = wrong.masked_fill(too_near.to(device), -torch.inf)
        logits = torch.cat([right[:, None], wrong], dim=1) / self.config.temperature
        first = torch.zeros(len(read), dtype=torch.long, device=device)
        return functional.cross_entropy(logits, first) + (1 - right).mean()

    @torch.no_grad()
    def validate(
        self, net: nn.Module, device: torch.device, bf16: bool
    ) -> tuple[dict[str, float], None]:
        """Rank-1 in per cent: the held-out face itself among all held-out and training faces."""
        scores = {}
        gallery = torch.cat([self.known, self.centred[0, : len(self.samples.faces)]]).to(device)
        for name, covered in self._sets.items():
            x = torch.from_numpy(covered).permute(0, 3, 1, 2).float().to(device) / 255
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                read = torch.cat([net(part) for part in torch.split(x, 64)])
            scores[name] = rank_one(read, gallery)
        return scores, None


def rank_one(read: Tensor, gallery: Tensor) -> float:
    """Per cent of predictions whose nearest of ``gallery`` is their own, of the same number."""
    best = (read @ gallery.T).argmax(dim=1)
    return 100 * float((best == torch.arange(len(best), device=best.device)).float().mean())


def validation_sets(valid: npt.NDArray[np.uint8], mix: AttackMix) -> dict[str, Image]:
    """Fixed covers of held-out faces: name to ``uint8 (N, 128, 128, 3)``."""
    if mix.context:
        masks = {"mask-face": degrade.MASK_FACE, "mask-head": degrade.MASK_HEAD}
        return {n: np.stack([blank(c, m) for c in valid]) for n, m in masks.items()}
    operators = {
        "mosaic-8": degrade.Mosaic(8, (3, 5)),
        "mosaic-12": degrade.Mosaic(12, (5, 2)),
        "gauss-6": degrade.GaussianBlur(6),
        "gauss-8": degrade.GaussianBlur(8),
        "box-31": degrade.BoxBlur(31),
    }
    return {name: np.stack([op(c) for c in valid]) for name, op in operators.items()}
