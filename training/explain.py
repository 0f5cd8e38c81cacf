"""Operators as matrices, so that a loss can degrade a restored picture again.

Blurs, mosaics and reductions act on rows and columns apart: ``degraded = Y picture X^T``. Written
so, they are differentiable and every picture of a batch can have its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from seethrough.degrade import BoxBlur, Chain, Degradation, Downscale, GaussianBlur, Mosaic, Noise

Matrix = npt.NDArray[np.float32]


def axes(operator: Degradation | None, size: int) -> tuple[Matrix, Matrix]:
    """Matrices of an operator for rows and for columns.

    Parameters
    ----------
    operator : Degradation or None
        A blur, a mosaic, a reduction by area, noise (which is left out), or a chain of them.
    size : int
        Side of the picture in pixels.

    Returns
    -------
    rows, columns : ndarray
        ``float32 (size, size)`` each; a reduction leaves the last rows zero. All zero where the
        operator does not act on rows and columns apart.
    """
    y = x = np.eye(size, dtype=np.float32)
    for step in operator.operators if isinstance(operator, Chain) else (operator,):
        if isinstance(step, Noise):
            continue
        if isinstance(step, Downscale):
            smaller = _reduction(round(size / step.factor), size)
            y, x = smaller @ y, smaller @ x
        elif isinstance(step, GaussianBlur | BoxBlur | Mosaic):
            # The other axis has one pixel, which no blur changes; the unit vectors are channels.
            unit = np.eye(size, dtype=np.float32)
            y = step.apply(unit[:, None])[:, 0] @ y
            x = step.apply(unit[None])[0] @ x
        else:
            nothing = np.zeros((size, size), np.float32)
            return nothing, nothing
    return y, x


def _reduction(side: int, size: int) -> Matrix:
    """Area averaging to ``side`` pixels, which must divide ``size``."""
    matrix = np.zeros((size, size), np.float32)
    matrix[:side] = np.repeat(np.eye(side, dtype=np.float32), size // side, axis=1) * side / size
    return matrix


def explained(restored: Tensor, clean: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Mean squared difference between two pictures after the operator, over what it leaves.

    Parameters
    ----------
    restored, clean : Tensor
        ``float32 (N, 3, S, S)``.
    rows, columns : Tensor
        ``float32 (N, S, S)`` from :func:`axes`; pictures without matrices do not count.
    """
    error = rows[:, None] @ (restored - clean) @ columns[:, None].transpose(-1, -2)
    left = (rows.sum(dim=2) > 0).sum(dim=1) * (columns.sum(dim=2) > 0).sum(dim=1)
    counts = left > 0
    each = error.square().sum(dim=(1, 2, 3)) / (3 * left.clamp(min=1))
    return each.sum() / counts.sum().clamp(min=1)
