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

import cv2
import numpy as np

from seethrough import geometry
from seethrough.errors import UsageError
from seethrough.face_aligner import FaceAligner
from seethrough.face_network import Array, Candidates
from seethrough.types import Box, CoveredRegion, Face, Image

SETTLED = 0.8
"""Score from which there is a face."""

_SEEN_THROUGH = ("mosaic", "gauss", "box")  # the other covers leave nothing
_PIXELS = 96  # width of a face to which larger ones are reduced
_AROUND = 0.75  # of a cover's size, looked at on each side of it
_LARGEST_CELL = 0.34  # of a cover's width: under three cells lies no face that could be told
_SHARES = (1.0, 0.75)  # of the cover's box that the face may fill: tools leave a margin, or none
_ASPECT = geometry.TIGHT.width / geometry.TIGHT.height
_SLENDER = 2.0  # covers longer than this many times their width are of something else
_SHIFTS = (-0.12, 0.12)  # of the guesses, in widths of the face
_SCALES = (0.88, 1.14)
_ROUNDS = 2  # of the aligner
_FEW = 0.2  # of a face's width: larger cells show less of where it lies than a person knows
_NEAR = 0.5  # IoU with the box where a face should lie from which one that was found is that


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
    size = region.operator.size
    if region.operator.kind == "mosaic" and size and max(size) > _LARGEST_CELL * sides[0]:
        return Candidates.none()
    small, cover, factor, (x, y) = _reduced(picture, region.box)
    tried = [_tried(small, cover, share, aligner) for share in _SHARES]
    best = max(tried, key=lambda found: float(found.scores[0]))
    return best.moved(factor, x, y) if best.scores[0] >= SETTLED else Candidates.none()


def _reduced(picture: Image, cover: Box) -> tuple[Image, Box, float, tuple[int, int]]:
    """Return a cover's surroundings no larger than they need be.

    Also returns the cover in them, by how much they were reduced, and where they begin.
    """
    height, width = picture.shape[:2]
    x0 = max(int(cover.x0 - _AROUND * cover.width), 0)
    y0 = max(int(cover.y0 - _AROUND * cover.height), 0)
    x1 = min(int(cover.x1 + _AROUND * cover.width) + 1, width)
    y1 = min(int(cover.y1 + _AROUND * cover.height) + 1, height)
    part = picture[y0:y1, x0:x1]
    wanted = max(min(cover.width, cover.height * _ASPECT) / _PIXELS, 1.0)
    size = max(round((x1 - x0) / wanted), 1), max(round((y1 - y0) / wanted), 1)
    if wanted > 1:
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    factor = max(x1 - x0, y1 - y0) / max(part.shape[:2])
    edges = (np.array(cover.as_tuple()) - (x0, y0, x0, y0)) / factor
    return np.ascontiguousarray(part), Box(*map(float, edges)), factor, (x0, y0)


def tells_where(face: Face, covered: Sequence[CoveredRegion]) -> bool:
    """Whether more is seen through a face's cover than a hand knows that draws a box.

    Parameters
    ----------
    face : Face
        Placed by its box.
    covered : sequence of CoveredRegion
        What is known of the picture.
    """
    return any(
        cover.operator.kind in _SEEN_THROUGH
        and cover.operator.size is not None
        and (cover.operator.kind != "mosaic" or max(cover.operator.size) <= _FEW * face.box.width)
        for cover in covered
        if cover.box.intersection(face.box) > face.box.area / 2
    )


def corrected(picture: Image, face: Face, aligner: FaceAligner) -> Face:
    """Bring a face that a person placed under a cover to where it lies there.

    Parameters
    ----------
    picture : Image
        ``uint8 (H, W, 3)`` RGB.
    face : Face
        Placed by its box, and taken to be upright.
    aligner : FaceAligner
        Corrects it.

    Returns
    -------
    Face
        With the box as it was placed; as it was where it would leave that box.
    """
    placed = Candidates(
        np.ones(1), np.array([face.box.as_tuple()]), np.asarray(face.landmarks)[None]
    )
    placed = aligner(picture, placed)
    try:
        near = geometry.tight_box(placed.landmarks[0]).iou(face.box) >= _NEAR
    except UsageError:  # five points that cannot be a face
        near = False
    return replace(face, landmarks=placed.landmarks[0]) if near else face


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
    if box.iou(geometry.tight_box(before.mean(axis=0))) < _NEAR:
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
