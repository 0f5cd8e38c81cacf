"""A smooth field that continues the known parts of a picture into the unknown ones."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

_LEAST_KNOWN = 0.25  # share of a cell that is known, from which it counts
_NOTHING = (112.0, 106.0, 102.0)  # where nothing is known: a head fills the frame


def continued(cells: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Fill a grid from its known cells, the more smoothly the farther they are.

    Parameters
    ----------
    cells : ndarray
        ``float32 (h, w, 4)``: means of RGB levels over each cell, unknown pixels counted as 0, and
        the share of known pixels on [0, 255].

    Returns
    -------
    ndarray
        ``float32 (h, w, 3)`` levels.
    """
    share = cells[..., 3:] / np.float32(255)
    counts = share >= _LEAST_KNOWN
    both = np.concatenate([cells[..., :3] * counts, share * counts], axis=2)
    filled = np.empty_like(cells[..., :3])
    filled[:] = np.array(_NOTHING, np.float32)
    for sigma in (16.0, 8.0, 4.0, 2.0, 1.0):
        near = cv2.GaussianBlur(both, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
        known = near[..., 3:]
        colour = near[..., :3] / np.maximum(known, 1e-6)
        trust = np.clip(known * (8 if sigma < 16 else 1e4), 0, 1)
        filled += trust * (colour - filled)
    return np.asarray(filled, np.float32)
