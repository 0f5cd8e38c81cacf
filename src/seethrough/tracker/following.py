"""Follow a face by the motion of its pixels where the detector does not see it."""

from __future__ import annotations

import math
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.tracker.course import Spot

_GRID = 9  # points along a side of the face
_WINDOW = 15  # px
_PYRAMID = 3  # levels above the first
_ASTRAY = 1.5  # px: a point that does not come back to where it began was lost
_AGREE = 0.35  # share of the points that must come back and move as one
_NEAR = 2.0  # px between a point and where the common motion puts it, at least
_LOOK = 16  # px: side of an appearance
_SIDE = 96.0  # px: larger faces are followed on a reduced copy

Grey: TypeAlias = npt.NDArray[np.uint8]
Points: TypeAlias = npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float32]


def follow(before: Grey, after: Grey, spot: Spot, guess: Spot) -> Spot | None:
    """Follow a face from one frame to another.

    Parameters
    ----------
    before, after : ndarray
        ``uint8 (h, w)`` frames, in the order in which the face is followed.
    spot : Spot
        Where the face is in ``before``.
    guess : Spot
        Where it may be in ``after``.

    Returns
    -------
    Spot or None
        Where it is in ``after``: shifted, scaled and turned as most of its points moved; ``None``
        where they do not agree.

    Notes
    -----
    Pyramidal Lucas-Kanade there and back (Z. Kalal et al., "Forward-backward error", ICPR 2010),
    then a similarity by RANSAC.
    """
    factor = min(1.0, _SIDE / spot.size)
    corner, crops = _around(before, after, spot, guess, factor)
    if crops is None:
        return None
    reach = 0.4 * (spot.box[2:] - spot.box[:2])
    steps = np.linspace(-1, 1, _GRID)
    offsets = np.stack(np.meshgrid(steps * reach[0], steps * reach[1]), axis=-1).reshape(-1, 2)
    offsets = offsets[(offsets**2 / reach**2).sum(axis=1) <= 1.05]  # the oval
    start = spot.centre - 0.5 + offsets
    inside = ((start >= 0) & (start <= np.array(before.shape[::-1]) - 1)).all(axis=1)
    start = start[inside]
    if len(start) < 6:
        return None

    def local(points: npt.NDArray[np.float64]) -> Points:
        return ((points - corner) * factor).astype(np.float32).reshape(-1, 1, 2)

    first = local(start)
    second, found = _flow(crops[0], crops[1], first, local(start + guess.centre - spot.centre))
    back, returned = _flow(crops[1], crops[0], second, first.copy())
    error = np.linalg.norm(back - first, axis=2)[:, 0]
    good = found & returned & (error < _ASTRAY)
    least = max(6, math.ceil(_AGREE * len(start)))
    if good.sum() < least:
        return None
    near = max(_NEAR, 0.04 * spot.size * factor)
    matrix, together = cv2.estimateAffinePartial2D(
        first[good], second[good], ransacReprojThreshold=near, maxIters=200
    )
    if matrix is None or together.sum() < least:
        return None
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    if not 0.8 < scale < 1.25:
        return None
    centre = (spot.centre - 0.5 - corner) * factor
    shift = (matrix[:, :2] @ centre + matrix[:, 2] - centre) / factor
    turn = math.atan2(matrix[1, 0], matrix[0, 0])
    # Not smaller: what comes before a face takes its outer points away.
    return spot.moved(shift, max(scale, 1.0), turn)


def _flow(
    before: Grey, after: Grey, points: Points, guess: Points
) -> tuple[Points, npt.NDArray[np.bool_]]:
    """Return where points are in another frame, and which of them were found."""
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        points,
        guess,
        winSize=(_WINDOW, _WINDOW),
        maxLevel=_PYRAMID,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.asarray(moved, np.float32), found[:, 0] > 0


def _around(
    before: Grey, after: Grey, spot: Spot, guess: Spot, factor: float
) -> tuple[npt.NDArray[np.float64], tuple[Grey, Grey] | None]:
    """Cut both frames to where the face is, was and may be: the rest costs time."""
    height, width = before.shape
    margin = 0.75 * spot.size + 16
    low = np.minimum(spot.box[:2], guess.box[:2]) - margin
    high = np.maximum(spot.box[2:], guess.box[2:]) + margin
    x0, y0 = np.clip(np.floor(low), 0, (width, height)).astype(int)
    x1, y1 = np.clip(np.ceil(high), 0, (width, height)).astype(int)
    corner = np.array([x0, y0], np.float64)
    if min(x1 - x0, y1 - y0) < _WINDOW:
        return corner, None
    parts = [before[y0:y1, x0:x1], after[y0:y1, x0:x1]]
    if factor < 1:
        size = (max(round((x1 - x0) * factor), 8), max(round((y1 - y0) * factor), 8))
        parts = [
            np.asarray(cv2.resize(p, size, interpolation=cv2.INTER_AREA), np.uint8) for p in parts
        ]
    return corner, (np.ascontiguousarray(parts[0]), np.ascontiguousarray(parts[1]))


def appearance(picture: Grey, spot: Spot) -> Floats:
    """Return what a face looks like, upright, in few pixels, without its brightness.

    Returns
    -------
    ndarray
        ``float32 (16, 16)``, mean 0 and length 1 (or all 0), so that products are correlations.
    """
    scale = _LOOK / spot.size
    cos, sin = math.cos(spot.roll) * scale, math.sin(spot.roll) * scale
    linear = np.array([[cos, sin], [-sin, cos]])
    matrix = np.column_stack([linear, (_LOOK - 1) / 2 - linear @ (spot.centre - 0.5)])
    size = spot.size
    x0, y0 = np.maximum(np.floor(spot.centre - size), 0).astype(int)
    x1, y1 = np.ceil(spot.centre + size).astype(int)
    part = picture[y0:y1, x0:x1]
    if part.size == 0:
        return np.zeros((_LOOK, _LOOK), np.float32)
    matrix[:, 2] += linear @ (x0, y0)
    if scale < 1:  # an interpolation alone would alias
        part = np.asarray(cv2.blur(part, (round(1 / scale),) * 2), np.uint8)
    look = cv2.warpAffine(part, matrix, (_LOOK, _LOOK)).astype(np.float32)
    look -= look.mean()
    return np.asarray(look / max(float(np.linalg.norm(look)), 1e-6), np.float32)


def alike(first: Floats, second: Floats) -> float:
    """Return the correlation of two appearances, range [-1, 1]."""
    return float((first * second).sum())
