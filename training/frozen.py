"""A face recogniser that is not trained but passes gradients on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from seethrough.auditor.recognisers import RecogniserName, chip_matrix
from training.onnx_graph import FrozenGraph

SIDES: dict[RecogniserName, int] = {"mobilefacenet": 112, "dlib": 150}
"""px: what each recogniser looks at."""


class FrozenRecogniser(nn.Module):
    """A recogniser on aligned crops, for a loss.

    Parameters
    ----------
    path : Path
        ``recogniser-NAME.onnx``.
    name : str
        Which one it is.
    size : int
        Side of the crops in pixels.
    """

    def __init__(self, path: Path, name: RecogniserName = "mobilefacenet", size: int = 128) -> None:
        super().__init__()
        side = SIDES[name]
        self._graph = FrozenGraph(path)
        # grid_sample wants, for each pixel of the chip, its place in the crop on [-1, 1].
        matrix = chip_matrix(name, size)
        inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
        ys, xs = np.mgrid[:side, :side]
        places = np.stack([xs, ys, np.ones_like(xs)], axis=-1) @ inverse.T
        grid = (2 * places + 1) / size - 1
        self.register_buffer("_grid", torch.from_numpy(grid.astype(np.float32))[None])

    def forward(self, crops: Tensor) -> Tensor:
        """Bring ``float32 (N, 3, size, size)`` on [0, 1] to descriptors ``float32 (N, D)``."""
        grid = self.get_buffer("_grid").expand(len(crops), -1, -1, -1)
        chips = functional.grid_sample(crops, grid, padding_mode="reflection", align_corners=False)
        described: Tensor = self._graph((255 * chips).permute(0, 2, 3, 1))
        return described
