"""Where the covers lie: heads, faces and eyes as five landmarks or a box imply them.

PROTOCOL's covers are drawn on a frontal face that is aligned to the template. In a film heads turn:
foreshortening makes the five points say too small a face, and the back of the head lies to one
side. A head here is therefore the convex hull of the head ellipse at the larger of the scales that
points and box imply, the same ellipse moved to where the back of a turned head is, and the
ellipse in the box.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from seethrough import geometry
from seethrough.degrade import EYE_BAR, MASK_HEAD, Ellipse
from seethrough.errors import UsageError
from seethrough.redactor.source import Sighting
from seethrough.types import Box, Landmarks

Points = npt.NDArray[np.float64]

_FACE = Ellipse((64, 80), (36 * 1.25, 44 * 1.25))  # what blurs and mosaics are put over
_EYES, _HEIGHT = 31.48, 32.87  # between the eyes; from them to the mouth, in the 128 px crop
_NOSE_TURNED = 12.0  # crop pixels by which the nose of a full profile lies before the eyes
_BACK = 43.0  # crop pixels by which the back of a head in profile lies behind a frontal one
_ALIKE = (0.5, 2.0)  # size of a plausible face by its points, as a share of its box's
_UNKNOWN = 1.2  # a cover that knows no landmarks is larger by so much
_PAD = 1.5  # pixels around every cover: a sample of chroma, and rounding
_SHIFT = 4  # fractional bits of the polygons that OpenCV fills
_CIRCLE = np.linspace(0, 2 * np.pi, 72, endpoint=False)
_ROUND = np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE)], axis=1) / math.cos(math.pi / 72)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Pixels of a picture.

    Attributes
    ----------
    x0, y0 : int
        Top left corner, inside the picture.
    mask : ndarray
        ``bool (h, w)``.
    """

    x0: int
    y0: int
    mask: npt.NDArray[np.bool_]

    @property
    def x1(self) -> int:
        return self.x0 + int(self.mask.shape[1])

    @property
    def y1(self) -> int:
        return self.y0 + int(self.mask.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """An upright, aligned face in a picture with square pixels.

    Attributes
    ----------
    origin : ndarray
        Where the middle of the 128 px crop lies, xy; a pixel's centre is at its index.
    right, down : ndarray
        The crop's axes, one crop pixel long.
    back : float
        Crop pixels by which the back of the head lies to the right (below 0: left).
    known : bool
        Whether landmarks say so, or only a box.
    """

    origin: Points
    right: Points
    down: Points
    back: float
    known: bool

    def outline(self, ellipse: Ellipse, grow: float = 1.0, shift: float = 0.0) -> Points:
        """Return points of the picture around an ellipse of the crop."""
        (cx, cy), (a, b) = ellipse.centre, ellipse.half_axes
        unit = float(np.hypot(*self.right))
        local = _ROUND * (a * grow + _PAD / unit, b * grow + _PAD / unit)
        return self.placed(local + np.array([cx + shift, cy]))

    def placed(self, points: Points) -> Points:
        """Bring points of the crop, counted from its edges, to the picture."""
        local = points - 64
        return np.asarray(self.origin + local[:, :1] * self.right + local[:, 1:] * self.down)


def pose_of(sighting: Sighting, sample_aspect: float = 1.0) -> Pose:
    """Return how a face lies in its picture, once pixels are made square."""
    box = sighting.box
    wide = Box(box.x0 * sample_aspect, box.y0, box.x1 * sample_aspect, box.y1)
    if sighting.landmarks is not None:
        points = np.array(sighting.landmarks, np.float64)
        points[:, 0] = (points[:, 0] + 0.5) * sample_aspect - 0.5
        pose = _by_landmarks(points, wide)
        if pose is not None and not _usual(points, wide):
            return pose
    unit = max(wide.width / geometry.TIGHT.width, wide.height / geometry.TIGHT.height)
    centre = np.array(wide.centre) - 0.5 - np.array([0.0, (geometry.TIGHT.centre[1] - 64) * unit])
    return Pose(centre, np.array([unit, 0.0]), np.array([0.0, unit]), 0.0, False)


def _by_landmarks(points: Landmarks, box: Box) -> Pose | None:
    """Return the pose that landmarks imply, or ``None`` where they cannot be the box's face."""
    try:
        matrix = geometry.similarity(points, 128)
    except UsageError:
        return None
    back = geometry.invert(matrix)
    fitted = 1 / geometry.scale_of(matrix)
    by_box = math.sqrt(box.area / geometry.TIGHT.area)
    if not _ALIKE[0] <= fitted / by_box <= _ALIKE[1]:
        return None
    middle = points.mean(axis=0) + 0.5
    reach = 0.25 * max(box.width, box.height)
    if not (
        box.x0 - reach <= middle[0] <= box.x1 + reach
        and box.y0 - reach <= middle[1] <= box.y1 + reach
    ):
        return None
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    unit = max(
        fitted,
        by_box,
        float(np.hypot(*(points[1] - points[0]))) / _EYES,
        float(np.hypot(*(mouth - eyes))) / _HEIGHT,
    )
    right, down = back[:, 0] / fitted * unit, back[:, 1] / fitted * unit
    anchor = geometry.template(128).mean(axis=0) + 0.5 - 64
    origin = points.mean(axis=0) - anchor[0] * right - anchor[1] * down
    nose = float((points[2] - (eyes + mouth) / 2) @ right) / unit**2
    turned = min(max(nose / _NOSE_TURNED, -1.0), 1.0)
    return Pose(origin, right, down, -turned * _BACK, True)


def _usual(points: Landmarks, box: Box) -> bool:
    """Tell landmarks that were only filled in: where an upright face has them in its box."""
    expected = geometry.template(128) + 0.5 - (geometry.TIGHT.x0, geometry.TIGHT.y0)
    size = (box.width / geometry.TIGHT.width, box.height / geometry.TIGHT.height)
    filled = expected * size + (box.x0, box.y0) - 0.5
    return bool(np.abs(points - filled).max() < 0.01 * max(box.width, box.height))


def head(
    sighting: Sighting, shape: tuple[int, int], sample_aspect: float = 1.0, grow: float = 1.0
) -> Region | None:
    """Return the head, hair and ears included; ``None`` where it lies outside the picture."""
    pose = pose_of(sighting, sample_aspect)
    if not pose.known:
        grow *= _UNKNOWN
    parts = [pose.outline(MASK_HEAD, grow)]
    if pose.back:
        parts.append(pose.outline(MASK_HEAD, grow, pose.back))
    parts.append(_around_box(sighting.box, sample_aspect, grow))
    return _filled(np.concatenate(parts), shape, sample_aspect)


def face(
    sighting: Sighting, shape: tuple[int, int], sample_aspect: float = 1.0, grow: float = 1.0
) -> Region | None:
    """Return the face from forehead to chin, as blurs and mosaics are usually put over it."""
    pose = pose_of(sighting, sample_aspect)
    parts = [pose.outline(_FACE, grow), _around_box(sighting.box, sample_aspect, grow)]
    return _filled(np.concatenate(parts), shape, sample_aspect)


def spans(box: Box, shape: tuple[int, int]) -> bool:
    """Whether a box is the whole picture, to a hundredth: so trackers ask to cover all of it."""
    height, width = shape
    return (
        max(box.x0, width - box.x1) <= width / 100 and max(box.y0, height - box.y1) <= height / 100
    )


def whole(shape: tuple[int, int]) -> Region:
    """Return the whole picture."""
    return Region(0, 0, np.ones(shape, np.bool_))


def oval(sighting: Sighting, shape: tuple[int, int]) -> Region | None:
    """Return the ellipse inside a sighting's box: what must never show."""
    box = sighting.box
    half = np.array([box.width / 2, box.height / 2])
    points = np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE)], axis=1) * half
    return _filled(points + np.array(box.centre) - 0.5, shape, 1.0)


def eye_bar(
    sighting: Sighting, shape: tuple[int, int], sample_aspect: float = 1.0, grow: float = 1.0
) -> Region | None:
    """Return the bar over the eyes, turned with the face."""
    (cx, cy), half = EYE_BAR.centre, (EYE_BAR.width / 2 * grow, EYE_BAR.height / 2 * grow)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half + np.array([cx, cy])
    return quadrangle(sighting, corners, shape, sample_aspect)


def quadrangle(
    sighting: Sighting, corners: npt.ArrayLike, shape: tuple[int, int], sample_aspect: float = 1.0
) -> Region | None:
    """Return a quadrangle given by its corners in the 128 px crop, ``(4, 2)``."""
    pose = pose_of(sighting, sample_aspect)
    return _filled(pose.placed(np.asarray(corners, np.float64)), shape, sample_aspect)


def face_width(sighting: Sighting, sample_aspect: float = 1.0) -> float:
    """Return the width of the tight face in square pixels, at least 1."""
    pose = pose_of(sighting, sample_aspect)
    return max(geometry.TIGHT.width * float(np.hypot(*pose.right)), 1.0)


def _around_box(box: Box, sample_aspect: float, grow: float) -> Points:
    half = np.array([box.width * sample_aspect, box.height]) / 2 * max(grow, 1.0) + _PAD
    centre = np.array([box.centre[0] * sample_aspect, box.centre[1]]) - 0.5
    return np.asarray(centre + _ROUND * half)


def _filled(points: Points, shape: tuple[int, int], sample_aspect: float) -> Region | None:
    """Fill the convex hull of points; pixels that it touches belong to it."""
    if sample_aspect != 1:
        points = points.copy()
        points[:, 0] = (points[:, 0] + 0.5) / sample_aspect - 0.5
    height, width = shape
    low, high = points.min(axis=0), points.max(axis=0)
    if high[0] < -0.5 or high[1] < -0.5 or low[0] > width - 0.5 or low[1] > height - 0.5:
        return None
    x0, y0 = (max(math.floor(v), 0) for v in low)
    x1, y1 = min(math.ceil(high[0]) + 1, width), min(math.ceil(high[1]) + 1, height)
    if x1 <= x0 or y1 <= y0:
        return None
    # Far outside points would overflow OpenCV's fixed point; their hull is clipped here anyway.
    reach = 4.0 * max(width, height)
    local = np.clip(points, -reach, reach) - (x0, y0)
    fixed = np.rint(local * (1 << _SHIFT)).astype(np.int32)
    canvas = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillConvexPoly(canvas, cv2.convexHull(fixed), 1, cv2.LINE_8, _SHIFT)
    mask = canvas.view(np.bool_)
    return Region(x0, y0, mask) if mask.any() else None
