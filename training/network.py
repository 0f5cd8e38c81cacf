"""The restorer: one network for faces and text that works at low resolution.

The paper's generator (Xu et al., ICCV 2017) upsamples first and convolves at full resolution.
This one folds 4 x 4 pixels into channels (Shi et al., CVPR 2016), runs a U-Net whose lowest
level sees the whole crop, unfolds again and adds the result to its input. The class (face or
text) is a condition, as in the paper's multi-class GAN, and enters every block.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

KINDS = 2
"""Classes: 0 is a face aligned to the template, 1 is text."""

OUTPUT_GAIN = 0.1
"""The last convolution's result is multiplied by this: a step of Muon changes every singular value
of its weight alike, and at full gain would jolt the picture."""


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of a :class:`Restorer`.

    Attributes
    ----------
    channels : tuple of int
        Width of each level, from 1/4 of the crop's resolution downwards by halves.
    blocks : tuple of int
        Residual blocks at each level: on the way down and again on the way up; at the last
        level, in all.
    attention : int
        At the last level every n-th block is followed by self-attention.
    head : int
        Channels at half of the crop's resolution.
    size : int
        Side of a crop in pixels.
    groups : int
        Of the group normalisation.
    bands : bool
        Whether the first layer also sees :class:`Bands`.
    refines : bool
        Whether it takes a second picture, an estimate of the result, and adds to that instead.
    """

    channels: tuple[int, ...] = (48, 96, 224)
    blocks: tuple[int, ...] = (2, 3, 6)
    attention: int = 2
    head: int = 32
    size: int = 128
    groups: int = 8
    bands: bool = True
    refines: bool = False


SHIPPED = NetworkConfig(channels=(48, 112, 224), blocks=(3, 4, 7), attention=2, head=32)
"""Shape of ``assets/restorer.onnx``, and of the networks that go on from its weights."""


class Conv(nn.Module):
    """A convolution whose weight is stored as a matrix, rows of output channels.

    Muon orthogonalises matrices; stored like this, ``torch.optim.Muon`` takes the weight as it is.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.shape = (outputs, inputs, kernel, kernel)
        self.stride, self.padding = stride, (kernel - 1) // 2
        fan_in = inputs * kernel * kernel
        self.weight = nn.Parameter(torch.randn(outputs, fan_in) * fan_in**-0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.view(self.shape)
        return functional.conv2d(x, weight, self.bias, self.stride, self.padding)


class Bands(nn.Module):
    """Weak detail made visible: band-pass pictures at half resolution, each of unit strength.

    A Gaussian blur of 6 px leaves detail at a two-hundredth of its strength, under one level, yet
    almost free of noise: only 8-bit rounding limits what can be undone. Half precision loses it,
    and a layer needs long training to amplify it. Here a low-pass picture is sharpened 1, 2 and 4
    times by ``I - G`` (a Laplacian pyramid's step; Burt and Adelson, 1983), in float32, and each
    result is divided by its root mean square over the crop. The logarithms of those strengths,
    from which a blur can be told, are appended as constant maps.
    """

    ORDERS = (1, 2, 4)
    FLOOR = 2e-4
    """Added to the strength: what rounding to 8 bit leaves after the low-pass."""
    CHANNELS = len(ORDERS) * (3 * 4 + 1)

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("low_pass", self._blur_matrix(size // 2, 1.0), persistent=False)
        self.register_buffer("wide", self._blur_matrix(size // 2, 2.0), persistent=False)

    @staticmethod
    def _blur_matrix(size: int, sigma: float) -> Tensor:
        """One-dimensional Gaussian blur with reflected borders, as a matrix: no faster way here."""
        radius = round(3 * sigma)
        weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
        weights /= weights.sum()
        matrix = torch.zeros(size, size)
        for row in range(size):
            for offset, weight in zip(range(-radius, radius + 1), weights, strict=True):
                column = abs(row + offset)
                matrix[row, min(column, 2 * (size - 1) - column)] += weight
        return matrix

    @staticmethod
    def _blur(x: Tensor, matrix: Tensor) -> Tensor:
        return matrix @ x @ matrix.T

    def forward(self, x: Tensor) -> Tensor:
        """Bring ``float32 (N, 3, H, W)`` to ``float32 (N, CHANNELS, H / 4, W / 4)``."""
        band = self._blur(functional.avg_pool2d(x, 2), self.get_buffer("low_pass"))
        parts = []
        for order in range(1, max(self.ORDERS) + 1):
            band = band - self._blur(band, self.get_buffer("wide"))
            if order in self.ORDERS:
                strength = band.square().mean(dim=(1, 2, 3), keepdim=True).sqrt() + self.FLOOR
                folded = functional.pixel_unshuffle(band / strength, 2)
                level = (torch.log(strength) / 3 + 2).expand(-1, -1, *folded.shape[2:])
                parts += [folded, level]
        return torch.cat(parts, dim=1)


class ConditionalNorm(nn.Module):
    """Group normalisation whose gain and offset depend on the class."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.gain = nn.Parameter(torch.ones(KINDS, channels, 1, 1))
        self.offset = nn.Parameter(torch.zeros(KINDS, channels, 1, 1))

    def forward(self, x: Tensor, kind: Tensor) -> Tensor:
        # index_select, not indexing: the exporter keeps the parameters as they are.
        gain = self.gain.index_select(0, kind).to(x.dtype)
        offset = self.offset.index_select(0, kind).to(x.dtype)
        return torch.addcmul(offset, functional.group_norm(x, self.groups).to(x.dtype), gain)


class Block(nn.Module):
    """Residual block: norm, 3 x 3, SiLU, 3 x 3 that starts at zero."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norm = ConditionalNorm(channels, groups)
        self.first = Conv(channels, channels, 3)
        self.second = Conv(channels, channels, 3)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor, kind: Tensor) -> Tensor:
        change: Tensor = self.second(functional.silu(self.first(self.norm(x, kind))))
        return x + change


class Attention(nn.Module):
    """Multi-head self-attention over all positions (Vaswani et al., 2017), residual."""

    def __init__(self, channels: int, groups: int, head_channels: int = 32) -> None:
        super().__init__()
        self.heads = channels // head_channels
        self.norm = ConditionalNorm(channels, groups)
        self.qkv = Conv(channels, 3 * channels, 1)
        self.out = Conv(channels, channels, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, kind: Tensor) -> Tensor:
        n, c, h, w = x.shape
        qkv = self.qkv(self.norm(x, kind)).reshape(n, 3, self.heads, c // self.heads, h * w)
        q, k, v = qkv.transpose(-1, -2).unbind(1)
        # Written out: 64 positions are too few for the fused kernel to pay.
        y = torch.softmax(q @ k.transpose(-1, -2) * (c // self.heads) ** -0.5, dim=-1) @ v
        change: Tensor = self.out(y.transpose(-1, -2).reshape(n, c, h, w))
        return x + change


class Position(nn.Module):
    """A learned map added at one level: faces are aligned, so where says what.

    Text has no place of its own and gets one vector for all positions.
    """

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.face = nn.Parameter(torch.zeros(1, channels, size, size))
        self.text = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor, kind: Tensor) -> Tensor:
        is_text = kind[:, None, None, None].to(x.dtype)
        return x + self.face.to(x.dtype) * (1 - is_text) + self.text.to(x.dtype) * is_text


class Level(nn.Module):
    """Blocks at one resolution."""

    def __init__(
        self, channels: int, size: int, blocks: int, config: NetworkConfig, attention: int
    ) -> None:
        super().__init__()
        self.position = Position(channels, size)
        self.blocks = nn.ModuleList(Block(channels, config.groups) for _ in range(blocks))
        self.attention = nn.ModuleDict(
            {
                str(i): Attention(channels, config.groups)
                for i in range(blocks)
                if attention and i % attention == attention - 1
            }
        )

    def forward(self, x: Tensor, kind: Tensor) -> Tensor:
        x = self.position(x, kind)
        for i, block in enumerate(self.blocks):
            x = block(x, kind)
            if str(i) in self.attention:
                x = self.attention[str(i)](x, kind)
        return x


class Restorer(nn.Module):
    """Degraded crop in, restored crop out.

    Parameters
    ----------
    config : NetworkConfig
        The shape; it travels inside every checkpoint.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        widths, last = config.channels, len(config.channels) - 1
        sizes = [config.size // 4 // 2**i for i in range(len(widths))]
        self.bands = Bands(config.size) if config.bands else None
        inputs = 48 + (Bands.CHANNELS if config.bands else 0) + (48 if config.refines else 0)
        self.stem = Conv(inputs, widths[0], 3)
        self.down = nn.ModuleList(
            Level(widths[i], sizes[i], config.blocks[i], config, 0) for i in range(last)
        )
        self.reduce = nn.ModuleList(Conv(widths[i], widths[i + 1], 2, 2) for i in range(last))
        self.middle = Level(
            widths[last], sizes[last], config.blocks[last], config, config.attention
        )
        self.enlarge = nn.ModuleList(Conv(widths[i + 1], 4 * widths[i], 1) for i in range(last))
        self.up = nn.ModuleList(
            Level(widths[i], sizes[i], config.blocks[i], config, 0) for i in range(last)
        )
        self.unfold = Conv(widths[0], 4 * config.head, 3)
        self.refine = Conv(config.head, config.head, 3)
        self.output = Conv(config.head, 12, 3)
        nn.init.zeros_(self.output.weight)

    def _first_layer(self, degraded: Tensor, estimate: Tensor | None) -> Tensor:
        parts = [functional.pixel_unshuffle(degraded - 0.5, 4)]
        if self.bands is not None:
            parts.append(self.bands(degraded))
        if estimate is not None:
            parts.append(functional.pixel_unshuffle(estimate - degraded, 4))
        first: Tensor = self.stem(torch.cat(parts, dim=1))
        return first

    def _full_precision_first_layer(self, degraded: Tensor, estimate: Tensor | None) -> Tensor:
        """Compute the first layer in float32 also where the rest runs in half precision."""
        if not torch.is_autocast_enabled(degraded.device.type):
            return self._first_layer(degraded, estimate)
        with torch.autocast(degraded.device.type, enabled=False):
            return self._first_layer(degraded, estimate)

    def forward(self, degraded: Tensor, kind: Tensor, estimate: Tensor | None = None) -> Tensor:
        """Restore crops.

        Parameters
        ----------
        degraded : Tensor
            ``float32 (N, 3, size, size)``, RGB on [0, 1].
        kind : Tensor
            ``int64 (N,)``: 0 face, 1 text.
        estimate : Tensor, optional
            ``float32 (N, 3, size, size)``, for a network that refines one.

        Returns
        -------
        Tensor
            ``float32 (N, 3, size, size)``, not clipped.
        """
        x = self._full_precision_first_layer(degraded, estimate)
        skips = []
        for level, reduce in zip(self.down, self.reduce, strict=True):
            x = level(x, kind)
            skips.append(x)
            x = reduce(x)
        x = self.middle(x, kind)
        for i in reversed(range(len(skips))):
            x = functional.pixel_shuffle(self.enlarge[i](x), 2) + skips[i]
            x = self.up[i](x, kind)
        x = functional.silu(functional.pixel_shuffle(self.unfold(x), 2))
        x = x + functional.silu(self.refine(x))
        start = degraded if estimate is None else estimate
        return start + OUTPUT_GAIN * functional.pixel_shuffle(self.output(x), 2).float()
