"""The restorer's task: degraded crops of faces and text in, clean ones out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training import data
from training.losses import LOSSES
from training.network import NetworkConfig, Restorer
from training.train import Task, TrainConfig


@dataclass(frozen=True)
class RestorerConfig(TrainConfig):
    """What decides what a restorer learns."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    mix: data.Mix = field(default_factory=data.Mix)
    loss: str = "psnr"

    def task(self, arguments: argparse.Namespace) -> RestorationTask:
        """Load faces and glyphs."""
        self.require(arguments, "atlas")
        return RestorationTask(
            self, arguments.faces, arguments.valid, arguments.atlas, arguments.valid_count
        )


class RestorationTask(Task):
    """See :class:`training.train.Task`."""

    def __init__(
        self, config: RestorerConfig, faces: Path, valid: Path, atlas: Path, count: int
    ) -> None:
        self.net = Restorer(config.network)
        self.samples = data.Pairs(
            data.read_crops(faces), atlas, config.mix, config.seed, data.sharp_photos(faces)
        )
        self.sources = (faces, atlas)
        self._loss = LOSSES[config.loss]
        self._sets = data.validation_sets(data.read_crops(valid), atlas, count)

    def loss(
        self, net: Callable[..., Tensor], batch: list[Tensor], device: torch.device, bf16: bool
    ) -> Tensor:
        degraded, clean, kind = batch
        x = degraded.to(device).float().div_(255).contiguous(memory_format=torch.channels_last)
        y = clean.to(device).float().div_(255)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            restored = net(x, kind.to(device))
        return self._loss(restored, y)

    def validate(
        self, net: nn.Module, device: torch.device, bf16: bool
    ) -> tuple[dict[str, float], np.ndarray[Any, Any]]:
        return validate(net, self._sets, device, bf16)


def psnr(restored: Tensor, clean: Tensor) -> float:
    """Mean PSNR in dB of pictures on [0, 1], after rounding to 8 bit."""
    levels = torch.round(restored.clamp(0, 1) * 255) / 255
    return float((-10 * torch.log10((levels - clean).square().mean(dim=(1, 2, 3)))).mean())


@torch.no_grad()
def validate(
    net: nn.Module, sets: Mapping[str, tuple[Any, Any, int]], device: torch.device, bf16: bool
) -> tuple[dict[str, float], np.ndarray[Any, Any]]:
    """PSNR on every validation set, and a grid of pictures: degraded, restored, clean."""
    scores, rows = {}, []
    for name, (degraded, clean, kind) in sets.items():
        restored = []
        for start in range(0, len(degraded), 16):
            part = torch.from_numpy(degraded[start : start + 16]).to(device)
            x = part.permute(0, 3, 1, 2).float() / 255
            kinds = torch.full((len(x),), kind, device=device)
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                restored.append(net(x, kinds).cpu())
        result = torch.cat(restored)
        truth = torch.from_numpy(clean).permute(0, 3, 1, 2).float() / 255
        scores[name] = psnr(result, truth)
        levels = (result[:8].clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
        rows += picture_rows(degraded, levels, clean)
    return scores, np.concatenate(rows)


def picture_rows(*sets: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """One row of a grid for each set of pictures, ``uint8 (N, H, W, 3)``."""
    return [_row(pictures) for pictures in sets]


def _row(pictures: np.ndarray[Any, Any], columns: int = 8) -> np.ndarray[Any, Any]:
    """Set pictures side by side, as many as there are columns; empty ones stay black."""
    row = np.zeros((columns, *pictures.shape[1:]), np.uint8)
    row[: len(pictures)] = pictures[:columns]
    return np.concatenate(list(row), axis=1)
