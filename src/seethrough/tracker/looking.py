"""Where the detector looks: at whole frames, and closely at where a face should be.

A close look brings the place of a face to one size, turned upright as the face was last turned. It
finds faces that the whole frame's view misses (small, turned by any angle, blurred, hidden in
part) at a ninth of its cost.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from seethrough import geometry
from seethrough.face_network import FILL, Candidates, FaceNetwork, iou
from seethrough.session import Device
from seethrough.tracker.course import Array, Spot
from seethrough.tracker.frames import Small
from seethrough.types import Box, Image

LOW = 0.2
"""Score from which a detection may continue a track."""

_SAME = 0.4  # IoU from which two detections are one face
_PATCH = 160  # px: side of a close look
_FACE = 64.0  # px: the face there
_ZOOMS = (0.7, 1.0, 1.35)  # of a second look
_RIM = 64  # px: of the reflection around a whole frame
_EDGE = 0.2  # of a face's size: so near to the border its middle is the border
_FAR = 0.75  # of a face's size: farther from where it was looked for it is another


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Where to look closely, and how far to turn the picture before."""

    at: Spot
    roll: float


class Looker:
    """The detector, asked in the tracker's ways."""

    def __init__(self, device: Device, threads: int | None) -> None:
        self._network = FaceNetwork(device, threads)

    def whole(
        self,
        picture: Image,
        factor: float = 1.0,
        quarter_turns: int = 0,
        *,
        continued: bool = False,
    ) -> list[Spot]:
        """Find faces in a whole frame.

        Parameters
        ----------
        picture : Image
            ``uint8 (h, w, 3)``.
        factor : float
            Pixels of the tracker's reduced frame for one of this picture.
        quarter_turns : int
            By how many quarters the picture is turned counterclockwise first, for faces that are
            turned clockwise.
        continued : bool
            Continue the picture beyond its border by its reflection, in which half a face becomes
            a whole one.

        Returns
        -------
        list of Spot
            Best first, in pixels of the reduced frame.
        """
        if continued:
            larger = cv2.copyMakeBorder(picture, _RIM, _RIM, _RIM, _RIM, cv2.BORDER_REFLECT)
            seen = self._network.one(np.asarray(larger, np.uint8), LOW).distinct(_SAME)
            shape = (round(picture.shape[0] * factor), round(picture.shape[1] * factor))
            spots = _spots(seen.moved(1.0, -_RIM, -_RIM).moved(factor, 0, 0))
            return [spot for spot in spots if _inside(spot, shape) or at_edge(spot, shape)]
        turned = np.ascontiguousarray(np.rot90(picture, quarter_turns))
        seen = self._network.one(turned, LOW).distinct(_SAME)
        seen = _turned_back(seen, picture.shape, quarter_turns).moved(factor, 0, 0)
        return _spots(seen)

    def close(self, small: Small, looks: Sequence[Look]) -> list[list[Spot]]:
        """Look closely; return the faces found near each place, the likeliest first."""
        if not looks:
            return []
        matrices = [_matrix(look) for look in looks]
        patches = np.stack([_patch(small, matrix) for matrix in matrices])
        return [
            _near(seen, matrix)
            for seen, matrix in zip(self._network(patches, LOW), matrices, strict=True)
        ]

    def best(self, small: Small, at: Spot, rolls: Sequence[float]) -> Spot | None:
        """Look closely under several turns and return the best face, if there is one."""
        found = [near[0] for near in self.close(small, [Look(at, r) for r in rolls]) if near]
        return max(found, key=lambda spot: spot.score, default=None)

    def again(self, small: Small, spot: Spot) -> float:
        """Look at a face larger, smaller and mirrored; return the mean score, range [0, 1].

        One that the border halves is looked at as its reflection makes it whole.
        """
        matrices = [_matrix(Look(spot.grown(1 / zoom), spot.roll)) for zoom in _ZOOMS]
        continued = at_edge(spot, small.picture.shape)
        patches = [_patch(small, matrix, continued=continued) for matrix in matrices]
        both = np.stack([side for p in patches for side in (p, p[:, ::-1])])
        faces = [_FACE * zoom for zoom in _ZOOMS for _ in range(2)]
        seen = self._network(both, 0.02)
        return float(np.mean([_middle(each, face) for each, face in zip(seen, faces, strict=True)]))


def distinct(spots: Sequence[Spot]) -> list[Spot]:
    """Drop faces that are nearly at the place of a better one."""
    kept: list[Spot] = []
    for spot in sorted(spots, key=lambda spot: -spot.score):
        if not kept or overlap([spot], kept).max() <= _SAME:
            kept.append(spot)
    return kept


def overlap(spots: Sequence[Spot], others: Sequence[Spot]) -> Array:
    """Intersection over union of ``N`` with ``M`` faces, ``(N, M)``."""
    first = np.array([spot.box for spot in spots]).reshape(-1, 4)
    second = np.array([spot.box for spot in others]).reshape(-1, 4)
    return iou(first, second)


def _spots(seen: Candidates) -> list[Spot]:
    return [
        Spot(box, points, float(score))
        for box, points, score in zip(seen.boxes, seen.landmarks, seen.scores, strict=True)
    ]


def _turned_back(seen: Candidates, shape: tuple[int, ...], quarter_turns: int) -> Candidates:
    """Return candidates of a picture that ``np.rot90`` turned, where they lie in the original."""
    height, width = shape[:2]
    boxes, points = seen.boxes, seen.landmarks
    for turn in range(quarter_turns, 0, -1):
        # One turn takes (x, y) to (y, side - x), where side is the width before that turn.
        side = width if turn % 2 else height
        boxes = np.stack([side - boxes[:, 3], boxes[:, 0], side - boxes[:, 1], boxes[:, 2]], axis=1)
        points = np.stack([side - 1 - points[..., 1], points[..., 0]], axis=-1)
    return Candidates(seen.scores, boxes, points)


def _matrix(look: Look) -> geometry.Matrix:
    """Return the map from the reduced frame to the patch, of pixel indices."""
    scale = _FACE / look.at.size
    cos, sin = math.cos(look.roll) * scale, math.sin(look.roll) * scale
    linear = np.array([[cos, sin], [-sin, cos]])
    middle = (_PATCH - 1) / 2
    return np.column_stack([linear, middle - linear @ (look.at.centre - 0.5)])


def at_edge(spot: Spot, shape: tuple[int, ...]) -> bool:
    """Tell whether the border of the frame goes through the middle of a face."""
    height, width = shape[:2]
    (x, y), near = spot.centre, _EDGE * spot.size
    return bool(min(abs(x), abs(x - width), abs(y), abs(y - height)) <= near)


def _inside(spot: Spot, shape: tuple[int, int]) -> bool:
    (x, y), (height, width) = spot.centre, shape
    return bool(0 <= x < width and 0 <= y < height)


def _patch(small: Small, matrix: geometry.Matrix, *, continued: bool = False) -> Image:
    # A map that reduces reads one of the halved pictures: a plain interpolation would alias.
    wanted = int(math.log2(max(1 / geometry.scale_of(matrix), 1.0)))
    level = min(wanted, len(small.levels) - 1)
    picture = small.levels[level]
    local = matrix.copy()
    local[:, :2] *= 2**level
    local[:, 2] += matrix[:, :2] @ np.full(2, (2**level - 1) / 2)
    warped = cv2.warpAffine(
        picture,
        local,
        (_PATCH, _PATCH),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT if continued else cv2.BORDER_CONSTANT,
        borderValue=FILL,
    )
    return np.asarray(warped, np.uint8)


def _near(seen: Candidates, matrix: geometry.Matrix) -> list[Spot]:
    """Return the faces of a close look, the likeliest and nearest first."""
    seen = seen.distinct(_SAME)
    found: list[tuple[float, Spot]] = []
    for score, box, points in zip(seen.scores, seen.boxes, seen.landmarks, strict=True):
        away = math.dist((box[:2] + box[2:]) / 2, (_PATCH / 2, _PATCH / 2))
        size = math.sqrt(max(float(np.prod(box[2:] - box[:2])), 1.0))
        if away > _FAR * max(size, _FACE) or not 0.5 < size / _FACE < 2:
            continue
        upright = geometry.upright_box(matrix, Box(*map(float, box)))
        back = geometry.transform(geometry.invert(matrix), points)
        spot = Spot(np.array(upright.as_tuple()), back, float(score))
        found.append((score - 0.5 * away / max(size, _FACE), spot))
    return [spot for _, spot in sorted(found, key=lambda pair: -pair[0])]


def _middle(seen: Candidates, face: float) -> float:
    """Return the best score of a face of about so many pixels in the middle of a patch."""
    if not len(seen):
        return 0.0
    centres = (seen.boxes[:, :2] + seen.boxes[:, 2:]) / 2
    away = np.linalg.norm(centres - _PATCH / 2, axis=1)
    size = np.sqrt(np.prod(seen.boxes[:, 2:] - seen.boxes[:, :2], axis=1))
    fits = (away < face / 2) & (size > 0.55 * face) & (size < 1.8 * face)
    return float(seen.scores[fits].max(initial=0.0))
