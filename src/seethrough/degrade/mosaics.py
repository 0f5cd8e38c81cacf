"""Pixelation, as tools make it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seethrough.degrade.base import Degradation, Float, check, pair


@dataclass(frozen=True)
class Mosaic(Degradation):
    """Pixelation: each cell of a grid becomes one colour.

    Parameters
    ----------
    cell : float or (float, float)
        Cell width and height in pixels, at least 1; need not be whole numbers: a pixel belongs
        to the cell that its centre lies in.
    phase : (float, float)
        Grid lines lie at ``x = k * cell - phase[0]``, likewise y. Cells that the border cuts
        average what is inside.
    sampled : bool
        Each cell takes the colour of its first (top left) pixel instead of its mean, as some
        tools do.
    """

    cell: float | tuple[float, float]
    phase: tuple[float, float] = (0.0, 0.0)
    sampled: bool = False
    lengths = ("cell", "phase")

    def __post_init__(self) -> None:
        check(min(pair(self.cell)) >= 1, f"a mosaic cell of {self.cell} px", "give 1 px or more")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        (cx, cy), (ox, oy) = pair(self.cell), self.phase
        columns, rows = (
            _cells(picture.shape[1], cx, ox),
            _cells(picture.shape[0], cy, oy),
        )
        x0, x1 = np.unique(columns, return_index=True, return_inverse=True)[1:]
        y0, y1 = np.unique(rows, return_index=True, return_inverse=True)[1:]
        if self.sampled:
            cells = picture[y0][:, x0]
        else:
            sums = np.add.reduceat(np.add.reduceat(picture, y0, axis=0), x0, axis=1)
            counts = np.diff(y0, append=len(rows))[:, None] * np.diff(x0, append=len(columns))
            cells = np.asarray(sums / counts[..., None], np.float32)
        return cells[y1][:, x1]


def _cells(length: int, cell: float, offset: float) -> npt.NDArray[np.int64]:
    """Index of the cell that each pixel's centre lies in."""
    return np.asarray(np.floor((np.arange(length) + 0.5 + offset) / cell), np.int64)
