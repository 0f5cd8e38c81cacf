"""Faces of which a part is hidden: the detector boxes what is left of them, too tightly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_NEAR = 0.04  # of the face's size: so near to the border a box is taken for cut
_FRAMES = 25  # how far away in time the whole face may be
_APART = 4  # frames: nearer ones may be hidden as well
_CLEAR, _UNCLEAR = 0.95, 0.9  # scores of faces that show whole; of those of which parts may show
_SMALLER = 0.92  # of the usual size: less is a part


def whole(values: Array, scores: Array, detected: npt.NDArray[np.bool_]) -> Array:
    """Give boxes that something before the face makes smaller the face's usual size.

    Which side is hidden is not known, so what is missing is added on every side.

    Parameters
    ----------
    values : ndarray
        ``float64 (n, 14)``: boxes and landmarks, row by row in time.
    scores : ndarray
        ``float64 (n,)``.
    detected : ndarray
        ``bool (n,)``: rows that are detections themselves.

    Notes
    -----
    The detector may be sure of half a face. So the usual size is asked of rows a little before and
    a little after; the smaller answer counts, as a face that comes near or goes away is larger on
    one side. Where the detector is not sure the nearest sure rows are asked, too.
    """
    size = values[:, 2:4] - values[:, :2]
    clear = np.flatnonzero((scores >= _CLEAR) & detected)
    result = values.copy()
    for row in range(len(values)) if len(clear) else ():
        away = clear - row
        sides = [
            _median(size, clear[(sign * away >= _APART) & (sign * away <= _FRAMES)], row)
            for sign in (-1, 1)
        ]
        known = [usual for usual in sides if usual is not None]
        usual = np.min(known, axis=0) if known else np.zeros(2)
        if scores[row] < _UNCLEAR:
            near = _median(size, clear[np.abs(away) <= _FRAMES], row)
            usual = usual if near is None else np.maximum(usual, near)
        missing = np.where(size[row] < _SMALLER * usual, usual - size[row], 0.0)
        result[row, :2] -= missing
        result[row, 2:4] += missing
    return result


def _median(size: Array, rows: npt.NDArray[np.intp], row: int) -> Array | None:
    """Return the median size of the rows that are nearest to one."""
    if not len(rows):
        return None
    nearest = rows[np.argsort(np.abs(rows - row), kind="stable")[:5]]
    return np.asarray(np.median(size[nearest], axis=0))


def at_border(values: Array, shape: tuple[int, int]) -> Array:
    """Give boxes that the border cuts the size that the face has where it is whole.

    Parameters
    ----------
    values : ndarray
        ``float64 (n, 14)``: boxes and landmarks, row by row in time.
    shape : tuple of int
        Of the frame (height, width), in the same pixels.

    Returns
    -------
    ndarray
        Boxes hang over the border by what is missing, and grow along it on both sides.
    """
    boxes = values[:, :4]
    size = boxes[:, 2:] - boxes[:, :2]
    near = _NEAR * np.sqrt(np.prod(size, axis=1, keepdims=True))
    limit = np.array(shape[::-1], np.float64)
    low, high = boxes[:, :2] < near, boxes[:, 2:] > limit - near
    cut = (low | high).any(axis=1)
    whole = np.flatnonzero(~cut)
    if not cut.any() or not len(whole):
        return values
    result = values.copy()
    for row in np.flatnonzero(cut):
        close = whole[np.abs(whole - row) <= _FRAMES]
        if not len(close):
            continue
        nearest = close[np.argsort(np.abs(close - row), kind="stable")[:5]]
        missing = np.maximum(np.median(size[nearest], axis=0) - size[row], 0)
        # Beyond the border where it is cut; on both sides where it is not, or where both are.
        both = low[row] == high[row]
        result[row, :2] -= missing * np.where(both, 0.5, low[row])
        result[row, 2:4] += missing * np.where(both, 0.5, high[row])
    return result
