"""The restorer's task: degraded crops of faces and text in, clean ones out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seethrough.weights import ASSETS
from training import data
from training.bounded import bounded_loss
from training.lined_pairs import LinedPairs
from training.losses import LOSSES
from training.network import NetworkConfig, Restorer
from training.train import Task, TrainConfig


@dataclass(frozen=True)
class RestorerConfig(TrainConfig):
    """What decides what a restorer learns.

    Attributes
    ----------
    loss : str
        Of pixels; one of :data:`training.losses.LOSSES`.
    reader : float
        Weight of what a frozen reader misreads in restored text (:mod:`training.reader`).
    judged : int
        Texts of a batch that it reads, and faces that the recogniser sees: either costs as much as
        restoring.
    identity : float
        Weight of how unlike the person a restored face is, by MobileFaceNet
        (:mod:`training.frozen`).
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    mix: data.Mix = field(default_factory=data.Mix)
    loss: str = "psnr"
    reader: float = 0.0
    judged: int = 8
    identity: float = 0.0

    def task(self, arguments: argparse.Namespace) -> RestorationTask:
        """Load faces and glyphs."""
        self.require(arguments, "atlas")
        if self.reader > 0:
            self.require(arguments, "reader")
        return RestorationTask(self, arguments)


class RestorationTask(Task):
    """See :class:`training.train.Task`."""

    def __init__(self, config: RestorerConfig, arguments: argparse.Namespace) -> None:
        self.net = Restorer(config.network)
        self.sources = (arguments.faces, arguments.atlas)
        self._config = config
        self._loss = LOSSES[config.loss]
        self._reader: nn.Module | None = None
        self._recogniser: nn.Module | None = None
        # A bare GPU machine has no ONNX; only these two ask for it.
        if config.identity > 0:
            from training.frozen import FrozenRecogniser

            recogniser = FrozenRecogniser(ASSETS / "recogniser-mobilefacenet.onnx")
            self._recogniser = recogniser.eval().requires_grad_(False)
        kind = data.Pairs
        if config.reader > 0:
            from training.reader import FrozenReader, read_model

            kind = LinedPairs
            self._reader = FrozenReader(read_model(arguments.reader)).eval().requires_grad_(False)
            self.sources = (*self.sources, arguments.reader)
        self.samples = kind(
            data.read_crops(arguments.faces),
            arguments.atlas,
            config.mix,
            config.seed,
            data.sharp_photos(arguments.faces),
        )
        self._sets = data.validation_sets(
            data.read_crops(arguments.valid), arguments.atlas, arguments.valid_count
        )

    def prepare(self, device: torch.device) -> None:
        for frozen in (self._reader, self._recogniser):
            if frozen is not None:
                frozen.to(device)

    def loss(
        self, net: Callable[..., Tensor], batch: list[Tensor], device: torch.device, bf16: bool
    ) -> Tensor:
        degraded, clean, kind, *lines = batch
        x = degraded.to(device).float().div_(255).contiguous(memory_format=torch.channels_last)
        y = clean.to(device).float().div_(255)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            restored = net(x, kind.to(device))
            further = restored.new_zeros(())
            if self._reader is not None:
                further = further + self._unread(restored, y, lines[0].to(device))
            if self._recogniser is not None:
                further = further + self._unlike(restored, y, kind.to(device))
        return self._loss(restored, y) + further / len(y)

    def _unread(self, restored: Tensor, clean: Tensor, lines: Tensor) -> Tensor:
        kept = torch.nonzero(lines[:, 1] > 0)[: self._config.judged, 0]
        if not len(kept):
            return restored.new_zeros(())
        from training.reader import misread

        reader = self._reader
        assert reader is not None

        def judge(a: Tensor, b: Tensor) -> Tensor:
            return misread(reader, a, b, lines[kept])

        return bounded_loss(judge, restored[kept], clean[kept], self._config.reader)

    def _unlike(self, restored: Tensor, clean: Tensor, kind: Tensor) -> Tensor:
        faces = torch.nonzero(kind == data.FACE)[: self._config.judged, 0]
        if not len(faces):
            return restored.new_zeros(())
        recogniser = self._recogniser
        assert recogniser is not None

        def judge(a: Tensor, b: Tensor) -> Tensor:
            with torch.no_grad():
                known = recogniser(b).float()
            alike: Tensor = (recogniser(a).float() * known).sum(dim=1)
            return 1 - alike

        return bounded_loss(judge, restored[faces], clean[faces], self._config.identity)

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
