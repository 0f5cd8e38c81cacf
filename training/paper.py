"""The seed paper's experiment: one or several classes, with and without a discriminator.

Small pictures of 16 px in, 64 px out. Every row of the ablation sees the same pictures in the same
order; what differs is the generator, the classes and the losses.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from seethrough import degrade
from seethrough.types import Image
from training import data, typeface
from training.adversary import Adversary, AdversaryConfig
from training.network import NetworkConfig, Restorer
from training.paper_network import PaperConfig, PaperGenerator
from training.restoration import picture_rows, psnr
from training.text_render import random_text
from training.train import Task, TrainConfig

SIZE = 64
FACTOR = 4
CHANNELS = 32
"""Of the paper's generator in the ablation: the 64 that we read it to have take three hours of one
core a row."""
FEATURES = 0.01
"""Weight of feature matching in SCGAN and MCGAN as we read them: of the size of the
squared error."""


@dataclass(frozen=True)
class AblationConfig(TrainConfig):
    """One row of the ablation.

    Attributes
    ----------
    network : PaperConfig or NetworkConfig
        The paper's generator or our body.
    text : float
        Share of text among the pictures: 0 and 1 are single-class rows. A picture that both a
        multi-class and a single-class row draw is the same in both.
    adversary : AdversaryConfig or None
        The discriminator, where there is one.
    """

    network: PaperConfig | NetworkConfig = field(
        default_factory=lambda: PaperConfig(channels=CHANNELS)
    )
    text: float = 0.5
    adversary: AdversaryConfig | None = None
    batch: int = 16
    muon: float = 0.006
    adamw: float = 1e-3
    ema: int = 4_000

    def task(self, arguments: argparse.Namespace) -> AblationTask:
        """Load faces and glyphs."""
        self.require(arguments, "atlas")
        return AblationTask(
            self, arguments.faces, arguments.valid, arguments.atlas, arguments.valid_count
        )


class Enlarging(nn.Module):
    """Our body behind a cubic enlargement, so that both generators take the same input."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.body = Restorer(config)

    def forward(self, degraded: Tensor, kind: Tensor) -> Tensor:
        """Bring ``(N, 3, 16, 16)`` to ``(N, 3, 64, 64)``."""
        enlarged = functional.interpolate(
            degraded, scale_factor=FACTOR, mode="bicubic", align_corners=False
        )
        restored: Tensor = self.body(enlarged, kind)
        return restored


def generator(config: PaperConfig | NetworkConfig) -> nn.Module:
    """Build a row's generator."""
    return PaperGenerator(config) if isinstance(config, PaperConfig) else Enlarging(config)


def reduced(picture: Image) -> Image:
    """Bring ``uint8 (128, 128, 3)`` to 64 px by area averaging."""
    return np.asarray(cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)


class SmallPairs:
    """Index to ``(degraded 16 px, clean 64 px, kind)``; see :class:`training.data.Pairs`.

    Parameters
    ----------
    faces : ndarray
        ``uint8 (N, 128, 128, 3)``.
    atlas : Path
        What :mod:`training.glyphs` wrote.
    text : float
        Share of text.
    seed : int
        With the index, the source of every choice.
    """

    def __init__(self, faces: npt.NDArray[np.uint8], atlas: Path, text: float, seed: int) -> None:
        typefaces, self._words = typeface.load(atlas)
        self._typefaces = [face for face in typefaces if not typeface.is_held_out(face.family)]
        self._faces, self._text, self._seed = faces, text, seed

    def __getitem__(self, index: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], int]:
        rng = np.random.default_rng([self._seed, index])
        is_text = bool(rng.random() < self._text)
        if is_text:
            clean = random_text(self._typefaces, self._words, rng)
        else:
            clean = self._faces[rng.integers(len(self._faces))]
            if rng.random() < 0.5:
                clean = clean[:, ::-1]
        clean = reduced(np.ascontiguousarray(clean))
        small = degrade.low_resolution(FACTOR, rng)(clean, rng)
        return small.transpose(2, 0, 1), clean.transpose(2, 0, 1), int(is_text)


class AblationTask(Task):
    """See :class:`training.train.Task`."""

    def __init__(
        self, config: AblationConfig, faces: Path, valid: Path, atlas: Path, count: int
    ) -> None:
        self.config = config
        self.net = generator(config.network)
        self.samples = SmallPairs(data.read_crops(faces), atlas, config.text, config.seed)
        self.sources = (faces, atlas)
        self._sets = validation_sets(data.read_crops(valid)[:count], atlas)
        self._adversary: Adversary | None = None

    def prepare(self, device: torch.device) -> None:
        if self.config.adversary is not None:
            self._adversary = Adversary(self.config.adversary, device)

    def loss(
        self, net: Callable[..., Tensor], batch: list[Tensor], device: torch.device, bf16: bool
    ) -> Tensor:
        degraded, clean, kind = (part.to(device) for part in batch)
        x, y = degraded.float() / 255, clean.float() / 255
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            restored = net(x, kind)
        loss = functional.mse_loss(restored, y)
        if self._adversary is not None:
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                self._adversary.teach(restored, y, x, kind, self.rate)
                loss = loss + self._adversary.judge(restored, y, x, kind)
        return loss

    @torch.no_grad()
    def validate(
        self, net: nn.Module, device: torch.device, bf16: bool
    ) -> tuple[dict[str, float], npt.NDArray[Any]]:
        scores, rows = {}, []
        for name, (degraded, clean, kind) in self._sets.items():
            x = torch.from_numpy(degraded).permute(0, 3, 1, 2).float().to(device) / 255
            kinds = torch.full((len(x),), kind, device=device)
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                parts = zip(torch.split(x, 16), torch.split(kinds, 16), strict=True)
                restored = torch.cat([net(*part) for part in parts]).cpu()
            truth = torch.from_numpy(clean).permute(0, 3, 1, 2).float() / 255
            scores[name] = psnr(restored, truth)
            levels = (restored[:8].clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
            enlarged = [
                cv2.resize(d, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) for d in degraded[:8]
            ]
            rows += picture_rows(np.stack(enlarged), levels, clean)
        return scores, np.concatenate(rows)

    def state(self) -> dict[str, Any]:
        return {} if self._adversary is None else {"adversary": self._adversary.state()}

    def load(self, state: dict[str, Any]) -> None:
        if self._adversary is not None and "adversary" in state:
            self._adversary.load(state["adversary"])


def validation_sets(
    valid: npt.NDArray[np.uint8], atlas: Path
) -> dict[str, tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], int]]:
    """Fixed pairs: held-out faces, and text in families that training sees."""
    typefaces, words = typeface.load(atlas)
    typefaces = [face for face in typefaces if not typeface.is_held_out(face.family)]
    rng = np.random.default_rng(20261128)
    faces = np.stack([reduced(face) for face in valid])
    lines = np.stack([reduced(random_text(typefaces, words, rng)) for _ in range(len(valid) // 2)])
    sets = {}
    for name, clean, kind in (("face", faces, data.FACE), ("text", lines, data.TEXT)):
        small = np.stack([degrade.low_resolution(FACTOR, rng)(c, rng) for c in clean])
        sets[name] = (small, clean, kind)
    return sets
