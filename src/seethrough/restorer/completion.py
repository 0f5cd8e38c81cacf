"""A mosaic over part of a face, carried on over the rest of it.

An editor's mosaic covers a box around the face, and the aligned crop shows more: hair, ears and
background, clear. The network then has to tell where the cover ends, and leaves cells at its rim
as if they were part of the picture. Once the cells' size and place are known, that question can be
taken from it: the clear surroundings are mosaicked on the same grid, all is restored as one, and
only what lay under the cover is taken from that.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.geometry import Matrix, crop, invert, scale_of, transform
from seethrough.restorer.targets import CROP
from seethrough.types import CoveredRegion, Image, Mask

_FLAT = 6.0  # levels: standard deviation within a cell, a codec's ringing included
_SEEN = 0.3  # of a cell: less of it under the cover does not tell its colour
_DOUBT = 1.0  # px: how far from a grid line a pixel may belong to the next cell after all
_FEWEST = 9  # cells: fewer hold too little for clear surroundings to be given up
_SMALLEST = 1.5  # px of the crop: finer cells are gone once the crop is cut
_LEAST, _MOST = 0.02, 0.98  # of the crop: outside of these there is nothing to carry on
_RIM = 1.5  # px of the crop: softness of the seam between both restorations


def completed(picture: Image, matrix: Matrix, cover: CoveredRegion) -> tuple[Image, Mask] | None:
    """Cut out a crop as it would be if the mosaic covered all of it.

    Parameters
    ----------
    picture : Image
        ``uint8 (H, W, 3)``; not changed.
    matrix : ndarray
        ``float64 (2, 3)``, picture to crop.
    cover : CoveredRegion
        In pixels of the picture.

    Returns
    -------
    crop : Image
        ``uint8 (128, 128, 3)``.
    covered : Mask
        ``float32 (128, 128)`` on [0, 1]: 1 where the picture's own mosaic lies.

    ``None`` instead, where the cover is no mosaic, or there is nothing to carry on.
    """
    size, phase = cover.operator.size, cover.operator.phase
    if cover.operator.kind != "mosaic" or size is None or phase is None:
        return None
    if min(size) * scale_of(matrix) < _SMALLEST:
        return None
    corners = np.array([[0, 0], [CROP, 0], [0, CROP], [CROP, CROP]], np.float64) - 0.5
    points = transform(invert(matrix), corners) + 0.5
    margin = 4 + math.ceil(max(size))
    height, width = picture.shape[:2]
    x0, y0 = (int(np.clip(v - margin, 0, None)) for v in points.min(axis=0))
    x1, y1 = (int(v) for v in np.clip(points.max(axis=0) + margin, 0, (width, height)))
    if x0 >= x1 or y0 >= y1:
        return None
    part = picture[y0:y1, x0:x1]
    across = _Axis(x0, x1, size[0], phase[0], (cover.box.x0, cover.box.x1))
    down = _Axis(y0, y1, size[1], phase[1], (cover.box.y0, cover.box.y1))
    filled, known = _carried_on(part, down, across)
    local = matrix.copy()
    local[:, 2] += matrix[:, :2] @ (x0, y0)
    if not known.any():
        return None
    levels = crop(np.repeat(np.uint8(255) * known[..., None], 3, axis=2), local, CROP)[..., 0]
    share = float(levels.mean()) / 255
    if not _LEAST < share < _MOST:
        return None
    covered = cv2.GaussianBlur(levels.astype(np.float32) / 255, (0, 0), _RIM)
    return crop(filled, local, CROP), np.asarray(covered, np.float32)


class _Axis:
    """Pixels along one axis of a part of the picture.

    Parameters
    ----------
    start, stop : int
        First pixel of the part, and the one after its last, in the picture.
    size, phase : float
        Grid lines lie at ``phase + k * size``, pixels of the picture.
    box : (float, float)
        The cover's ends, likewise.

    Attributes
    ----------
    cells : ndarray
        ``int64 (N,)``: which cell each pixel lies in, from 0 without gaps.
    starts : ndarray
        ``int64``: first pixel of each cell.
    inside : ndarray
        ``bool (N,)``: in the cover's box.
    core : ndarray
        ``bool (N,)``: surely of its cell.
    """

    def __init__(
        self, start: int, stop: int, size: float, phase: float, box: tuple[float, float]
    ) -> None:
        centres = np.arange(start, stop) + 0.5
        place = (centres - phase) / size
        numbers = np.floor(place)
        _, self.starts, self.cells = np.unique(numbers, return_index=True, return_inverse=True)
        self.inside = (centres > box[0]) & (centres < box[1])
        from_line = np.minimum(place - numbers, 1 - (place - numbers)) * size
        self.core = from_line >= min(_DOUBT, size / 4)

    def counts(self, of: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """How many pixels of each cell are marked."""
        return np.asarray(np.add.reduceat(of, self.starts, dtype=np.int64), np.int64)


def _carried_on(part: Image, down: _Axis, across: _Axis) -> tuple[Image, npt.NDArray[np.bool_]]:
    """Give every cell one colour; also say which pixels had it already, under the cover.

    A cell that the cover's edge cuts has the colour of its covered part. Pixels under the cover
    stay as they are.
    """

    def total(values: npt.NDArray[np.unsignedinteger[Any]]) -> npt.NDArray[np.int64]:
        rows = np.add.reduceat(values, down.starts, axis=0, dtype=np.int64)
        return np.asarray(np.add.reduceat(rows, across.starts, axis=1), np.int64)

    under_y, under_x = (axis.core & axis.inside for axis in (down, across))
    count = np.outer(down.counts(under_y), across.counts(under_x))[..., None]
    core = np.outer(down.counts(down.core), across.counts(across.core))[..., None]
    every = np.outer(*(axis.counts(np.ones_like(axis.core)) for axis in (down, across)))[..., None]
    under = part * (under_y[:, None] & under_x)[..., None]
    mean = total(under) / np.maximum(count, 1)
    square = total(np.square(under, dtype=np.uint16)) / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(square - mean**2, 0)).mean(axis=2, keepdims=True)
    covered = (count > 0) & (count >= _SEEN * core) & (spread <= _FLAT)
    if int(covered.sum()) < _FEWEST:
        return part, np.zeros(part.shape[:2], np.bool_)
    colours = np.rint(np.where(covered, mean, total(part) / every)).astype(np.uint8)
    known = covered[..., 0][down.cells][:, across.cells] & down.inside[:, None] & across.inside
    filled = colours[down.cells][:, across.cells]
    return np.where(known[..., None], part, filled), known
