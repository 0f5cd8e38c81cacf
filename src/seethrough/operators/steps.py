"""Steps between neighbouring pixels, and how far they stand out: what a mosaic leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Plane: TypeAlias = npt.NDArray[np.float32]
"""``float32 (H, W)``, levels 0-255."""

CAP = 24.0  # levels: a step counts no more than this, or one silhouette outweighs all cells
_STRIP = 128  # rows measured at a time, so that they stay in the cache


@dataclass(frozen=True, slots=True)
class Steps:
    """Absolute differences to the left and to the upper neighbour, in levels."""

    across: Plane
    down: Plane


@dataclass(frozen=True, slots=True)
class Spikes:
    """A picture's luma, and how far each of its steps exceeds the two beside it."""

    luma: Plane
    across: Plane
    down: Plane


def steps(luma: Plane) -> Steps:
    """Measure the steps between neighbouring pixels of ``luma`` (levels, 0-255).

    Smoothing along a line first keeps the steps of a mosaic, which do not change along a
    cell's side, and averages noise and ringing away.
    """
    across, down = np.empty_like(luma), np.empty_like(luma)
    across[:, 0], down[0] = 0, 0
    smooth = cv2.blur(luma, (1, 3))
    across[:, 1:] = cv2.absdiff(smooth[:, 1:], smooth[:, :-1])
    smooth = cv2.blur(luma, (3, 1))
    down[1:] = cv2.absdiff(smooth[1:], smooth[:-1])
    return Steps(across, down)


def spikes(luma: Plane) -> Spikes:
    """Measure the spikes of a whole picture, strip by strip."""
    across, down = np.empty_like(luma), np.empty_like(luma)
    height = len(luma)
    for top in range(0, height, _STRIP):
        bottom = min(height, top + _STRIP)
        start, stop = max(0, top - 3), min(height, bottom + 3)
        inside = slice(top - start, bottom - start)
        measured = steps(luma[start:stop])
        across[top:bottom] = _excess(measured.across, (1, 3))[inside]
        down[top:bottom] = _excess(measured.down, (3, 1))[inside]
    return Spikes(luma, across, down)


def _excess(step: Plane, shape: tuple[int, int]) -> Plane:
    """Excess of a step over the mean of its two neighbours, capped."""
    kernel = np.array([-0.5, 1.0, -0.5], np.float32).reshape(shape)
    excess = np.asarray(cv2.filter2D(step, cv2.CV_32F, kernel), np.float32)
    np.maximum(excess, 0, out=excess)
    return np.minimum(excess, np.float32(CAP), out=excess)
