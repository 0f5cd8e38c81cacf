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
_SHIFTS = (-8, -4, -2, -1, 1, 2, 4, 8)  # pixels that a side may move at a time
_ROUNDS = 12
_LEAST_SIDE = 16  # pixels


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
_MOVES = np.concatenate([np.eye(4)[i] * shift for i in range(4) for shift in _SHIFTS])
_MOVES = _MOVES.reshape(-1, 4)


def trace(detail: Plane, start: Box) -> Rim:
    """Move the sides of a box until detail falls most sharply at its rim.

    Both shapes are tried, one side at a time (steepest ascent), and the better one is returned.
    """
    best: tuple[float, Vector, Vector] | None = None
    for shape in _SHAPES:
        sides = np.array(start.as_tuple())
        score = float(_score(detail, sides[None], shape)[0])
        for _ in range(_ROUNDS):
            trials = sides + _MOVES
            trials = trials[(trials[:, 2:] - trials[:, :2]).min(axis=1) >= _LEAST_SIDE]
            scores = _score(detail, trials, shape)
            if not len(scores) or scores.max() <= score:
                break
            score, sides = float(scores.max()), trials[scores.argmax()]
        if best is None or score > best[0]:
            best = (score, sides, shape)
    assert best is not None
    _, sides, shape = best
    steps, inside = (part[0] for part in _steps(detail, sides[None], shape))
    steps = np.where(inside, steps, 0.0)
    quarter = _quarters(shape)
    means = sorted(float(steps[quarter == k].mean()) for k in range(4))
    height, width = detail.shape
    low, high = np.maximum(sides[:2], 0), np.minimum(sides[2:], (width, height))
    return Rim(
        Box(*low.tolist(), *high.tolist()),
        float(steps.mean()),
        float((steps > _STEP).mean()),
        (means[0], means[1], means[2], means[3]),
    )


def _quarters(shape: Vector) -> npt.NDArray[np.int64]:
    """Which side of the box each point of a shape is nearest to: right, bottom, left, top."""
    angle = np.arctan2(shape[:, 1], shape[:, 0])
    return (np.round(angle / (np.pi / 2)) % 4).astype(np.int64)


def _steps(detail: Plane, boxes: Vector, shape: Vector) -> tuple[Vector, npt.NDArray[np.bool_]]:
    """Steps of detail at the rims of ``boxes (K, 4)``, ``(K, N)``, and which lie inside."""
    height, width = detail.shape
    centre = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    half = (boxes[:, None, 2:] - boxes[:, None, :2]) / 2
    outer = np.rint(centre + shape * (half + _OUTSIDE) - 0.5).astype(np.int64)
    inner = np.rint(centre + shape * (half - _INSIDE) - 0.5).astype(np.int64)
    limit = np.array([width - 1, height - 1])
    inside = np.asarray(((outer >= 0) & (outer <= limit)).all(axis=-1))
    outer, inner = (np.minimum(np.maximum(points, 0), limit) for points in (outer, inner))
    step = detail[outer[..., 1], outer[..., 0]] - detail[inner[..., 1], inner[..., 0]]
    return np.minimum(np.maximum(step, -0.5), 1.5).astype(np.float64), inside


def _score(detail: Plane, boxes: Vector, shape: Vector) -> Vector:
    steps, inside = _steps(detail, boxes, shape)
    return np.asarray((steps * inside).mean(axis=1))
