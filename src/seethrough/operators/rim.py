"""The rim of a blurred region: where fine detail begins, along a rectangle or an ellipse.

A tool's cover has a rim of simple shape at which fine detail vanishes all around. A background
out of focus ends at somebody's outline, which no rectangle or ellipse follows.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.operators.steps import Plane
from seethrough.types import Box

Vector = npt.NDArray[np.float64]

_INSIDE, _OUTSIDE = 4.0, 4.0  # pixels from the rim at which detail is read
_FLOOR = 0.15  # levels: less detail than this is none
_STEP = 0.4  # log: a step of detail that counts
_SHIFTS = (-8, -5, -3, -2, -1, 1, 2, 3, 5, 8)  # pixels that a side may move at a time


@dataclass(frozen=True, slots=True)
class Rim:
    """The best rim near a box.

    Attributes
    ----------
    box : Box
        Bounding box.
    step : float
        Mean over the rim of log(detail outside / detail inside), each within [-0.5, 1.5].
    share : float
        Share of the rim where that exceeds a fixed step.
    sides : tuple of float
        Mean step of the four quarters of the rim, in ascending order.
    """

    box: Box
    step: float
    share: float
    sides: tuple[float, float, float, float]


def fine_detail(luma: Plane) -> Plane:
    """Logarithm of each neighbourhood's fine detail, which a blur removes."""
    smooth = cv2.GaussianBlur(luma, (0, 0), 1.0)
    detail = cv2.GaussianBlur(np.minimum(np.abs(luma - smooth), 6.0), (0, 0), 1.5)
    return np.asarray(np.log(detail + _FLOOR), np.float32)


def _ellipse(count: int) -> Vector:
    angle = (np.arange(count) + 0.5) / count * 2 * np.pi
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _rectangle(count: int) -> Vector:
    along = (np.arange(count // 4) + 0.5) / (count // 4) * 1.8 - 0.9
    one = np.ones_like(along)
    sides = [(one, along), (along, one), (-one, along), (along, -one)]
    return np.concatenate([np.stack(s, axis=1) for s in sides])


_SHAPES = (_ellipse(64), _rectangle(64))


def trace(detail: Plane, start: Box) -> Rim:
    """Move the sides of a box until detail falls most sharply at its rim.

    Both shapes are tried, side by side (coordinate ascent), and the better one is returned.
    """
    best: tuple[float, tuple[float, ...], Vector] | None = None
    for shape in _SHAPES:
        sides = list(start.as_tuple())
        score = _score(detail, sides, shape)
        for _ in range(3):
            before = score
            for i in range(4):
                for shift in _SHIFTS:
                    trial = sides.copy()
                    trial[i] += shift
                    if trial[2] - trial[0] < 16 or trial[3] - trial[1] < 16:
                        continue
                    value = _score(detail, trial, shape)
                    if value > score:
                        score, sides = value, trial
            if score <= before:
                break
        if best is None or score > best[0]:
            best = (score, tuple(sides), shape)
    assert best is not None
    _, (x0, y0, x1, y1), shape = best
    steps, inside = _steps(detail, [x0, y0, x1, y1], shape)
    steps = np.where(inside, steps, 0.0)
    quarter = _quarters(shape)
    means = sorted(float(steps[quarter == k].mean()) for k in range(4))
    height, width = detail.shape
    box = Box(float(max(0, x0)), float(max(0, y0)), float(min(width, x1)), float(min(height, y1)))
    return Rim(
        box,
        float(steps.mean()),
        float((steps > _STEP).mean()),
        (means[0], means[1], means[2], means[3]),
    )


def _quarters(shape: Vector) -> npt.NDArray[np.int64]:
    """Which side of the box each point of a shape is nearest to: right, bottom, left, top."""
    angle = np.arctan2(shape[:, 1], shape[:, 0])
    return (np.round(angle / (np.pi / 2)) % 4).astype(np.int64)


def _steps(
    detail: Plane, sides: list[float], shape: Vector
) -> tuple[Vector, npt.NDArray[np.bool_]]:
    """Steps of detail at the points of a rim, and which of them lie inside the picture."""
    height, width = detail.shape
    x0, y0, x1, y1 = sides
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    half = np.array([(x1 - x0) / 2, (y1 - y0) / 2])
    outer = np.rint(centre + shape * (half + _OUTSIDE) - 0.5).astype(np.int64)
    inner = np.rint(centre + shape * (half - _INSIDE) - 0.5).astype(np.int64)
    inside = (
        (outer[:, 0] >= 0) & (outer[:, 0] < width) & (outer[:, 1] >= 0) & (outer[:, 1] < height)
    )
    for points in (outer, inner):
        np.clip(points[:, 0], 0, width - 1, out=points[:, 0])
        np.clip(points[:, 1], 0, height - 1, out=points[:, 1])
    step = detail[outer[:, 1], outer[:, 0]] - detail[inner[:, 1], inner[:, 0]]
    return np.clip(step, -0.5, 1.5).astype(np.float64), inside


def _score(detail: Plane, sides: list[float], shape: Vector) -> float:
    steps, inside = _steps(detail, sides, shape)
    return float(np.where(inside, steps, 0.0).mean())
