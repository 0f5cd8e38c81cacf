"""Faces under covers too strong for a detector: does the aligner settle on one place?

Tools cover what they take for a face, so that a cover's box says roughly where one would lie. The
aligner corrects such guesses. Guesses that are off in several directions end at the same place
where there is a face, and at several where there is none: the aligner was trained on faces alone,
and finds nothing to hold on to in a blurred hedge. How near to each other the guesses end is the
score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from seethrough import geometry
from seethrough.errors import UsageError
from seethrough.face_aligner import FaceAligner
from seethrough.face_network import Array, Candidates
from seethrough.types import Box, CoveredRegion, Face, Image, Operator

SETTLED = 0.8
"""Score from which there is a face."""

_SEEN_THROUGH = ("mosaic", "gauss", "box")  # the other covers leave nothing
_SHARES = (1.0, 0.75)  # of the cover's box that the face may fill: tools leave a margin, or none
_ASPECT = 72 / 88  # of the tight face box
_SLENDER = 2.0  # covers longer than this many times their width are of something else
_SHIFTS = (-0.12, 0.12)  # of the guesses, in widths of the face
_SCALES = (0.88, 1.14)
_ROUNDS = 2  # of the aligner
_FEW = 0.2  # of a face's width: larger cells show less of where it lies than a person knows
_NEAR = 0.5  # IoU with its box from which a corrected face is the one that was meant


def settled(picture: Image, region: CoveredRegion, aligner: FaceAligner) -> Candidates:
    """Say whether a face lies under a cover, from the picture of the cover.

    Parameters
    ----------
    picture : Image
        ``uint8 (H, W, 3)`` RGB.
    region : CoveredRegion
        A mosaic or a blur in it.
    aligner : FaceAligner
        Corrects the guesses.

    Returns
    -------
    Candidates
        One face or none. Score: 1 where all guesses end at one place, 0 where they end as far from
        each other as they began.
    """
    if region.operator.kind not in _SEEN_THROUGH:
        return Candidates.none()
    sides = region.box.width, region.box.height
    if min(sides) < 1 or max(sides) > _SLENDER * min(sides):
        return Candidates.none()
    tried = [_tried(picture, region.box, share, aligner) for share in _SHARES]
    best = max(tried, key=lambda found: float(found.scores[0]))
    return best if best.scores[0] >= SETTLED else Candidates.none()


def corrected(
    picture: Image, face: Face, covered: Sequence[CoveredRegion], aligner: FaceAligner
) -> Face:
    """Bring a face that a person placed under a cover to where it lies there.

    Parameters
    ----------
    picture : Image
        ``uint8 (H, W, 3)`` RGB.
    face : Face
        Placed by its box, and taken to be upright.
    covered : sequence of CoveredRegion
        What is known of the picture. A face that no mosaic or blur covers stays as it is, and so
        do one under few large cells and one that would leave its box.
    aligner : FaceAligner
        Corrects it.

    Returns
    -------
    Face
        With the box as it was placed.
    """
    over = [c for c in covered if c.box.intersection(face.box) > face.box.area / 2]
    if not any(_tells(cover.operator, face.box) for cover in over):
        return face
    placed = Candidates(
        np.ones(1), np.array([face.box.as_tuple()]), np.asarray(face.landmarks)[None]
    )
    placed = aligner(picture, placed)
    try:
        near = geometry.tight_box(placed.landmarks[0]).iou(face.box) >= _NEAR
    except UsageError:  # five points that cannot be a face
        near = False
    return replace(face, landmarks=placed.landmarks[0]) if near else face


def _tells(operator: Operator, face: Box) -> bool:
    """Whether more is seen through a cover than a hand knows that draws a box."""
    if operator.size is None or operator.kind not in _SEEN_THROUGH:
        return False
    return operator.kind != "mosaic" or max(operator.size) <= _FEW * face.width


def _tried(picture: Image, cover: Box, share: float, aligner: FaceAligner) -> Candidates:
    """Return the face on which the guesses settle, with its score, however low."""
    boxes = list(_guesses(cover, share))
    before = np.array([geometry.upright_landmarks(box) for box in boxes])
    guesses = Candidates(np.zeros(len(boxes)), np.array([box.as_tuple() for box in boxes]), before)
    for _ in range(_ROUNDS):
        guesses = aligner(picture, guesses)
    mean = guesses.landmarks.mean(axis=0)
    score = 1 - _spread(guesses.landmarks) / _spread(before)
    try:
        box = geometry.tight_box(mean)
    except UsageError:  # five points that cannot be a face
        score, box = 0.0, cover
    if not (cover.x0 <= box.centre[0] < cover.x1 and cover.y0 <= box.centre[1] < cover.y1):
        score = 0.0
    return Candidates(np.array([max(score, 0.0)]), np.array([box.as_tuple()]), mean[None])


def _guesses(cover: Box, share: float) -> list[Box]:
    """Return tight face boxes about the middle of a cover, off in every direction."""
    width = share * min(cover.width, cover.height * _ASPECT)
    x, y = cover.centre
    return [
        Box(
            x + width * (right - scale / 2),
            y + width * (down - scale / 2 / _ASPECT),
            x + width * (right + scale / 2),
            y + width * (down + scale / 2 / _ASPECT),
        )
        for right, down, scale in product(_SHIFTS, _SHIFTS, _SCALES)
    ]


def _spread(landmarks: Array) -> float:
    """Return how far ``(N, 5, 2)`` points lie from their means, root mean square."""
    apart = landmarks - landmarks.mean(axis=0)
    return float(np.sqrt(np.square(apart).sum(axis=-1).mean()))
