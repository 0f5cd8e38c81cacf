"""The realistic restorer: shows what a squared error averages away.

It begins as the posterior mean's weights. What it shows must look real to a discriminator that
sees the degraded picture as well, must stay near the clean picture in a network's eyes, must
explain the input when it is degraded again, must be left alone when it is restored again, and must
show the same person. Where ``network.refines``, the frozen posterior mean is an input as well.
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

from seethrough.weights import ASSETS
from training import data
from training.adversary import Adversary, AdversaryConfig
from training.critic import CriticConfig, CriticGame
from training.dial import blended, without_checkerboard
from training.discriminator import DiscriminatorConfig
from training.explain import axes, explained
from training.frozen import FrozenRecogniser
from training.network import SHIPPED, NetworkConfig, Restorer
from training.perceptual import Perceptual
from training.restoration import picture_rows, psnr
from training.spectrum import excess
from training.train import Task, TrainConfig
from training.warm_start import load_matching

SHARE = 8
"""One picture in so many is restored again."""
DEFAULT = 0.7
"""The dial's default."""


@dataclass(frozen=True)
class RealismConfig(TrainConfig):
    """What decides what the realistic restorer learns; each number is a loss's weight.

    Attributes
    ----------
    base : NetworkConfig
        Of the posterior mean; used where ``network.refines``.
    pixel : float
        Mean absolute difference from the clean picture.
    critic : CriticConfig
        The discriminator that begins with VGG-16's features.
    watched : int
        Pictures of a batch that VGG-16 looks at, for both.
    perceptual : float
        LPIPS on VGG-16.
    explains : float
        Squared difference from the clean picture after both are degraded again.
    idempotent : float
        Mean absolute change when the result is restored again.
    spectrum : float
        What is too strong at a frequency: grids and chequers (:mod:`training.spectrum`).
    identity : float
        One minus the cosine of MobileFaceNet's descriptors.
    lowest : float
        Every picture is judged at a place of the dial between this one and 1, blended with the
        frozen posterior mean; at 1 the network's pictures are judged as they are.
    """

    network: NetworkConfig = SHIPPED
    base: NetworkConfig = SHIPPED
    mix: data.Mix = field(default_factory=lambda: data.Mix(text=0.0))
    adversary: AdversaryConfig = field(
        default_factory=lambda: AdversaryConfig(
            network=DiscriminatorConfig(
                channels=(32, 64, 128, 192, 256), conditional=True, size=data.SIZE
            ),
            game="relativistic",
            weight=0.3,
            features=0.05,
            penalty=0.2,
        )
    )
    critic: CriticConfig = field(default_factory=lambda: CriticConfig(weight=0.05))
    watched: int = 3
    pixel: float = 1.0
    perceptual: float = 2.0
    explains: float = 50.0
    idempotent: float = 0.2
    spectrum: float = 0.0
    identity: float = 0.3
    lowest: float = 1.0

    def task(self, arguments: argparse.Namespace) -> RealismTask:
        """Load faces, glyphs, the frozen networks."""
        self.require(arguments, "atlas", "perceptual")
        return RealismTask(self, arguments)


class ExplainedPairs(data.Pairs):
    """Pairs, with the operator as matrices and a place of the dial.

    ``(degraded, clean, kind, rows, columns, place)``, the last ``float32 ()`` on [0, 1].
    """

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        drawn = self.drawn(index)
        rows, columns = (m.astype(np.float16) for m in axes(drawn.operator, data.SIZE))
        return *drawn.pair(), rows, columns, np.float32(drawn.rng.random())


class RealismTask(Task):
    """See :class:`training.train.Task`."""

    def __init__(self, config: RealismConfig, arguments: argparse.Namespace) -> None:
        self.config = config
        self.net = Restorer(config.network)
        self._base = Restorer(config.base)
        load_matching(self._base, ASSETS / "restorer.onnx")
        # It begins as the posterior mean, with the features that the posterior mean was made of.
        load_matching(self.net, ASSETS / "restorer.onnx")
        if config.network.refines:
            nn.init.zeros_(self.net.output.weight)
            nn.init.zeros_(self.net.output.bias)
        self._perceptual = Perceptual(arguments.perceptual)
        self._recogniser = FrozenRecogniser(ASSETS / "recogniser-mobilefacenet.onnx")
        for frozen in (self._base, self._perceptual, self._recogniser):
            frozen.eval().requires_grad_(False)
        faces = data.read_crops(arguments.faces)
        photos = data.sharp_photos(arguments.faces)
        self.samples = ExplainedPairs(faces, arguments.atlas, config.mix, config.seed, photos)
        self.sources = (arguments.faces, arguments.atlas)
        self._sets = data.validation_sets(
            data.read_crops(arguments.valid), arguments.atlas, arguments.valid_count
        )

    def _restored(self, net: Callable[..., Tensor], degraded: Tensor, kind: Tensor) -> Tensor:
        if not self.config.network.refines:
            return net(degraded, kind)
        return net(degraded, kind, self._base(degraded, kind))

    def _shown(self, restored: Tensor, degraded: Tensor, kind: Tensor, dial: Tensor) -> Tensor:
        """What each picture looks like at a place of the dial, ``(N,)``; as it is without one."""
        if self.config.lowest == 1:
            return restored
        with torch.no_grad():
            mean = self._base(degraded, kind)
        return blended(mean, without_checkerboard(restored), dial)

    def prepare(self, device: torch.device) -> None:
        for frozen in (self._base, self._perceptual, self._recogniser):
            frozen.to(device)
        self._adversary = Adversary(self.config.adversary, device)
        self._critic = CriticGame(self.config.critic, device)

    def _as_seen(self, restored: Tensor, clean: Tensor, degraded: Tensor) -> Tensor:
        """What VGG-16's features add to the loss: their distance, and the critic's verdict."""
        few = slice(0, self.config.watched)
        with torch.no_grad():
            expected = self._perceptual.features(clean[few])
        seen = self._perceptual.features(restored[few])
        loss: Tensor = self.config.perceptual * self._perceptual.distance(seen, expected)
        if self.config.critic.weight > 0:
            with torch.no_grad():
                given = self._perceptual.features(degraded[few])
            self._critic.teach(seen, expected, given, self.rate)
            loss = loss + self._critic.judge(seen, expected, given)
        return loss

    def loss(
        self, net: Callable[..., Tensor], batch: list[Tensor], device: torch.device, bf16: bool
    ) -> Tensor:
        degraded, clean, kind, rows, columns, place = (part.to(device) for part in batch)
        x, y = (
            part.float().div(255).contiguous(memory_format=torch.channels_last)
            for part in (degraded, clean)
        )
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            dial = self.config.lowest + (1 - self.config.lowest) * place
            restored = self._shown(self._restored(net, x, kind), x, kind, dial)
            self._adversary.teach(restored, y, x, kind, self.rate)
            loss = self._adversary.judge(restored, y, x, kind)
            loss = loss + self._as_seen(restored, y, x)
            few = max(1, len(x) // SHARE)
            again = self._restored(net, restored[:few], kind[:few])
            is_face = torch.nonzero(kind == data.FACE)[:, 0][: len(x) // 2]
            if len(is_face):
                seen = self._recogniser(restored[is_face])
                with torch.no_grad():
                    known = self._recogniser(y[is_face])
                loss = loss + self.config.identity * (1 - (seen * known).sum(dim=1)).mean()
        loss = loss + self.config.pixel * (restored - y).abs().mean()
        if self.config.spectrum > 0:
            loss = loss + self.config.spectrum * excess(restored, y)
        loss = loss + self.config.idempotent * (again - restored[:few]).abs().mean()
        repeated = explained(restored, y, rows.float(), columns.float())
        total: Tensor = loss + self.config.explains * repeated
        return total

    @torch.no_grad()
    def validate(
        self, net: nn.Module, device: torch.device, bf16: bool
    ) -> tuple[dict[str, float], npt.NDArray[Any]]:
        """Negative LPIPS (VGG-16, in thousandths) of faces, so that higher is better, and PSNR.

        Of the blend at the dial's default, where a blend is trained.
        """
        scores, rows = {}, []
        for name, (degraded, clean, kind) in self._sets.items():
            if kind == data.TEXT and self.config.mix.text == 0:
                continue
            parts = []
            for start in range(0, len(degraded), 16):
                x = torch.from_numpy(degraded[start : start + 16]).to(device)
                kinds = torch.full((len(x),), kind, device=device)
                with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                    x = x.permute(0, 3, 1, 2).float() / 255
                    dial = torch.full((len(x),), DEFAULT, device=device)
                    parts.append(self._shown(self._restored(net, x, kinds), x, kinds, dial).cpu())
            restored = torch.cat(parts)
            truth = torch.from_numpy(clean).permute(0, 3, 1, 2).float() / 255
            levels = torch.round(restored.clamp(0, 1) * 255) / 255
            few = slice(0, 32)
            far = float(self._perceptual(levels[few].to(device), truth[few].to(device)))
            scores[f"{name}-lpips"] = -1000 * far
            scores[f"{name}-psnr"] = psnr(restored, truth)
            shown = (levels[:8] * 255).byte().permute(0, 2, 3, 1).numpy()
            rows += picture_rows(degraded, shown, clean)
        return scores, np.concatenate(rows)

    def state(self) -> dict[str, Any]:
        return {"adversary": self._adversary.state(), "critic": self._critic.state()}

    def load(self, state: dict[str, Any]) -> None:
        if state:
            self._adversary.load(state["adversary"])
        if "critic" in state:
            self._critic.load(state["critic"])
