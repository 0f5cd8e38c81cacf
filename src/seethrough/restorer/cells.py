"""What is left of a mosaic around a restored face: its cells, made smooth.

A cover that a person drew reaches beyond the aligned crop that the network sees, into hair, neck
and background. No network restores these; but a mosaic's cells are samples of a smaller picture,
and interpolating them is a better guess than hard squares beside a restored face.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.geometry import invert, transform
from seethrough.restorer.targets import CROP, Target
from seethrough.types import Box, CoveredRegion, Image

_REACH = 0.3  # of the crop's side: a cover that reaches farther is a picture of its own
_FLAT = 6.0  # levels: standard deviation within a cell, a codec's ringing included
_FEWEST = 2  # cells along each axis


def smoothed(picture: Image, targets: Sequence[Target]) -> tuple[Image, npt.NDArray[np.bool_]]:
    """Interpolate the cells of mosaics that surround the faces to be restored.

    Parameters
    ----------
    picture : Image
        ``uint8 (H, W, 3)``; not changed.
    targets : sequence of Target
        Judged, and to be restored.

    Returns
    -------
    picture : Image
        The same object where nothing is to be done.
    changed : ndarray
        ``bool (H, W)``: pixels of the cells that were made smooth.
    """
    result, changed = picture, np.zeros(picture.shape[:2], np.bool_)
    for target in targets:
        cover = target.cover
        if target.kind != "face" or cover is None or cover.operator.kind != "mosaic":
            continue
        if not _around(cover.box, target):
            continue
        if result is picture:
            result = picture.copy()
        _interpolate(picture, cover, result, changed)
    return result, changed


def _around(cover: Box, target: Target) -> bool:
    """Whether a cover lies close around a crop."""
    corners = np.array([[0, 0], [CROP, 0], [0, CROP], [CROP, CROP]], np.float64) - 0.5
    points = transform(invert(target.matrices[0]), corners) + 0.5
    low, high = points.min(axis=0), points.max(axis=0)
    reach = _REACH * float((high - low).max())
    return bool(
        cover.x0 >= low[0] - reach
        and cover.y0 >= low[1] - reach
        and cover.x1 <= high[0] + reach
        and cover.y1 <= high[1] + reach
    )


def _interpolate(
    picture: Image, cover: CoveredRegion, result: Image, changed: npt.NDArray[np.bool_]
) -> None:
    """Replace the flat cells of one cover in ``result`` and note them in ``changed``."""
    assert cover.operator.size is not None
    phase = cover.operator.phase or (0.0, 0.0)
    height, width = picture.shape[:2]
    across = _lines(cover.box.x0, cover.box.x1, cover.operator.size[0], phase[0], width)
    down = _lines(cover.box.y0, cover.box.y1, cover.operator.size[1], phase[1], height)
    if min(len(across), len(down)) <= _FEWEST:
        return
    columns, rows = (np.ceil(lines - 0.5).astype(int) for lines in (across, down))
    means = np.zeros((len(rows) - 1, len(columns) - 1, 3), np.float32)
    flat = np.zeros(picture.shape[:2], np.bool_)
    for i, (top, bottom) in enumerate(itertools.pairwise(rows)):
        for j, (left, right) in enumerate(itertools.pairwise(columns)):
            cell = picture[top:bottom, left:right].reshape(-1, 3).astype(np.float32)
            means[i, j] = cell.mean(axis=0)
            flat[top:bottom, left:right] = float(cell.std(axis=0).mean()) <= _FLAT
    y, x = (
        (np.arange(first[0], first[-1], dtype=np.float32) + 0.5 - lines[0]) / step - 0.5
        for first, lines, step in (
            (rows, down, cover.operator.size[1]),
            (columns, across, cover.operator.size[0]),
        )
    )
    grid_x, grid_y = (grid.astype(np.float32) for grid in np.meshgrid(x, y))
    smooth = cv2.remap(means, grid_x, grid_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    window = (slice(rows[0], rows[-1]), slice(columns[0], columns[-1]))
    here = flat[window]
    result[window][here] = np.clip(np.rint(smooth[here]), 0, 255).astype(np.uint8)
    changed[window] |= here


def _lines(
    low: float, high: float, step: float, phase: float, limit: int
) -> npt.NDArray[np.float64]:
    """Grid lines between two ends, half a pixel of doubt allowed, inside the picture."""
    first = math.ceil((max(low, 0.0) - 0.5 - phase) / step)
    last = math.floor((min(high, float(limit)) + 0.5 - phase) / step)
    lines = phase + step * np.arange(first, last + 1)
    return np.asarray(np.clip(lines, 0, limit), np.float64)
