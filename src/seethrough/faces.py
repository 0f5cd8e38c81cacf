"""Find faces and their five landmarks, degraded ones included.

A detector takes the cells of a mosaic for texture; smoothed to the cell's size it sees the face.
So faces are searched in several views, copies of the picture or of its covered regions that are
reduced and smoothed. Each candidate is then looked at once more, aligned, mirrored and smoothed in
several ways: the mean score of these looks decides, so that they must agree, and their landmarks
are averaged. On covered faces these are still off by pixels, and the aligner corrects them. Where
no view shows a face under a cover, the aligner may still settle on one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seethrough import geometry
from seethrough.errors import UsageError
from seethrough.face_aligner import FaceAligner
from seethrough.face_network import FILL, Array, Candidates, FaceNetwork, iou
from seethrough.face_settling import settled
from seethrough.face_views import (
    CELL_PX,
    CELL_SIGMAS,
    Sources,
    View,
    cover_views,
    hidden_views,
    plain_views,
    seen_from,
    small_views,
    smoothed,
)
from seethrough.session import Device
from seethrough.types import Box, CoveredRegion, Face, Image, Landmarks

_PROPOSE = 0.3  # score from which a view's candidate is looked at again
_GLIMPSE = 0.1  # score from which a view of the second look counts at all
ACCEPT = 0.65
"""Score of the second look, mean over its views, from which it is a face."""

ACCEPT_WARY = 0.3
"""The same where to miss a face is worse than to take something else for one: half faces at the
border and blurred ones in the background score less."""

ACCEPT_SURE = 0.9
"""The same where something else would be taken for a face more often, as among small and brightened
things; faces that are clear score more than 0.98 there, too."""

_ACCEPT_COVERED = 0.4  # the same, for the best face inside a reported cover
_ACCEPT_HIDDEN = (0.9, 0.95)  # where only smoothing shows it: no cover reported, some reported
_SURE = 0.9  # score from which later searches leave a face alone
_SAME = 0.4  # IoU from which two boxes are one face
_BESIDE = 0.1  # IoU up to which a face that nothing but the aligner knows of is another one

# The second look: a patch around the 128 px crop.
_PATCH = 160
_ZOOMS = (1.0, 0.6)  # for covered faces: in fewer pixels they are easier to see
_RIM = (_PATCH - 128) // 2
_SPREAD = 1.04  # on smoothed faces the network draws the five points closer by so much
_MIRRORED = [1, 0, 2, 4, 3]  # the five points of a mirrored face


class _Search(NamedTuple):
    """Views to search together, and how their candidates are looked at again."""

    views: Sequence[View]
    sigmas: Sequence[float]  # smoothing of the second look, in picture pixels
    within: Box | None  # where candidates count
    zooms: Sequence[float]  # of the second look
    accept: float
    largest: float = math.inf  # width of a face in picture pixels

    @property
    def clear(self) -> bool:
        """Whether it is for faces that nothing covers."""
        return max(self.sigmas, default=0.0) == 0


class FaceDetector:
    """Finds faces in photos.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        Where the networks run.
    threads : int, optional
        Threads on the CPU; all usable processors where absent.

    Raises
    ------
    MissingPartError
        Where the weights or the device are missing.
    """

    def __init__(self, device: Device = "auto", threads: int | None = None) -> None:
        self._network = FaceNetwork(device, threads)
        self._aligner = FaceAligner(device, threads)

    def detect(
        self,
        picture: Image,
        covered: Sequence[CoveredRegion] = (),
        *,
        accept: float = ACCEPT,
        small: float | None = None,
    ) -> tuple[Face, ...]:
        """Find the faces of a picture.

        Parameters
        ----------
        picture : Image
            ``uint8 (H, W, 3)`` RGB.
        covered : sequence of CoveredRegion
            Mosaicked and blurred regions, as :func:`seethrough.operators.find_covered` reports
            them: there the search is smoothed to fit.
        accept : float
            Score from which something that nothing covers is a face: :data:`ACCEPT`, or less.
        small : float, optional
            Search the picture enlarged, too, part by part; what scores so much there is a face.
            Otherwise faces of less than 20 px, or in large pictures of a hundredth of their long
            side, may be missed. That takes time.

        Returns
        -------
        tuple of Face
            Surest first. Overlapping faces stay apart up to an IoU of 0.4.
        """
        found = Candidates.none()
        sources = Sources(picture)
        for search in _searches(picture.shape, covered, accept, small):
            seen = self._seen(sources, search.views)
            if search.within is not None:
                seen = seen.take(_share_inside(seen.boxes, search.within) > _SAME)
            seen = seen.take(seen.boxes[:, 2] - seen.boxes[:, 0] <= search.largest)
            sure = found.boxes[found.scores >= _SURE]
            seen = seen.take((iou(seen.boxes, sure) <= _SAME).all(axis=1))
            found = Candidates.joined([found, self._second_look(picture, seen, search)])
        found = found.distinct(_SAME)
        for region in covered:
            if not _meets(found.boxes, region.box):
                more = settled(picture, region, self._aligner)
                apart = (iou(more.boxes, found.boxes) <= _BESIDE).all(axis=1)
                found = Candidates.joined([found, more.take(apart)])
        return tuple(
            Face(Box(*map(float, box)), landmarks, min(float(score), 1.0))
            for score, box, landmarks in _rows(found.distinct(_SAME))
        )

    def _seen(self, sources: Sources, views: Sequence[View]) -> Candidates:
        parts = []
        for view in views:
            pixels, factor = sources.rendered(view)
            seen = self._network.one(pixels, _PROPOSE)
            rows, columns = view.window or (slice(0, 0), slice(0, 0))
            seen = seen.moved(1, -view.margin, -view.margin)
            parts.append(seen.moved(factor, columns.start, rows.start))
        return Candidates.joined(parts).distinct(_SAME)

    def _second_look(self, picture: Image, seen: Candidates, search: _Search) -> Candidates:
        """Look at each candidate aligned, smoothed and mirrored; keep those that stay."""
        if not search.clear:  # covered faces are seen better once they are aligned better
            seen = self._aligner(picture, seen)
        found = []
        for _, box, landmarks in _rows(seen):
            try:
                matrix = geometry.similarity(landmarks, 128)
            except UsageError:  # five points that cannot be a face
                continue
            matrix[:, 2] += _RIM
            answers = [
                answer
                for zoom in search.zooms
                for answer in self._looks(picture, matrix, search.sigmas, zoom)
            ]
            there = _in_patch(box, matrix)
            looks = Candidates.joined([_nearest(answer, there) for answer in answers])
            score = looks.scores.sum() / len(answers)
            if score >= search.accept:
                spread = 1.0 if search.clear else _SPREAD
                found.append(_to_picture(looks, score, matrix, spread))
        faces = Candidates.joined(found)
        if search.within is not None and found:
            best = np.arange(len(faces)) == np.argmax(faces.scores)
            faces = faces.take(best | (faces.scores >= ACCEPT))
        return faces if search.clear else self._aligner(picture, faces)

    def _looks(
        self, picture: Image, matrix: geometry.Matrix, sigmas: Sequence[float], zoom: float
    ) -> list[Candidates]:
        """Look at one aligned face, ``zoom`` times as large; answers are at its plain size."""
        size = round(_PATCH * zoom)
        zoomed = matrix * zoom
        zoomed[:, 2] += (zoom - 1) / 2
        patch = _patch(picture, zoomed, size)
        scale = geometry.scale_of(zoomed)
        copies = [smoothed(patch, sigma * scale) for sigma in sigmas]
        both = np.stack([*copies, *(copy[:, ::-1] for copy in copies)])
        answers = self._network(both, _GLIMPSE)
        plain, mirrored = answers[: len(copies)], answers[len(copies) :]
        answers = [*plain, *(_unmirrored(answer, size) for answer in mirrored)]
        return [answer.moved(1 / zoom, 0, 0) for answer in answers]


def _searches(
    shape: tuple[int, ...], covered: Sequence[CoveredRegion], accept: float, small: float | None
) -> list[_Search]:
    """Return what to search, in order: faces found for sure are not looked for again."""
    searches = []
    for region in covered:
        views, sigmas = cover_views(region, shape)
        searches.append(_Search(views, sigmas, region.box, _ZOOMS, _ACCEPT_COVERED))
    searches.append(_Search(plain_views(shape), (0.0,), None, (1.0,), accept))
    if small is not None:
        largest = 2.0 * seen_from(shape)  # what is larger in a part is part of something
        searches.append(_Search(small_views(shape), (0.0,), None, (1.0,), small, largest))
    hidden = _ACCEPT_HIDDEN[bool(covered)]
    for view in hidden_views(shape):
        sigmas = tuple(share * CELL_PX * view.factor for share in CELL_SIGMAS)
        searches.append(_Search([view], sigmas, None, _ZOOMS, hidden))
    return searches


def _patch(picture: Image, matrix: geometry.Matrix, size: int) -> Image:
    """Return an aligned patch, filled evenly outside the picture: a reflection has a face too."""
    patch = geometry.crop(picture, matrix, size)
    y, x = np.mgrid[:size, :size]
    there = geometry.transform(geometry.invert(matrix), np.stack([x, y], axis=-1))
    height, width = picture.shape[:2]
    patch[((there < -0.5) | (there > (width - 0.5, height - 0.5))).any(axis=-1)] = FILL
    return patch


def _unmirrored(seen: Candidates, size: int) -> Candidates:
    boxes = seen.boxes.copy()
    boxes[:, [0, 2]] = size - boxes[:, [2, 0]]
    landmarks = seen.landmarks[:, _MIRRORED] * (-1, 1) + (size - 1, 0)
    return Candidates(seen.scores, boxes, landmarks)


def _in_patch(box: Array, matrix: geometry.Matrix) -> Array:
    """Return where a picture's box lies in an aligned patch, turned upright there."""
    centre = geometry.transform(matrix, (box[:2] + box[2:]) / 2 - 0.5) + 0.5
    half = (box[2:] - box[:2]) / 2 * geometry.scale_of(matrix)
    return np.concatenate([centre - half, centre + half])


def _nearest(seen: Candidates, box: Array) -> Candidates:
    """Return the best candidate that is the face at ``box``, if there is one."""
    seen = seen.take(iou(seen.boxes, box[None])[:, 0] > _SAME)
    return seen.take(np.argsort(-seen.scores)[:1])


def _to_picture(
    looks: Candidates, score: float, matrix: geometry.Matrix, spread: float
) -> Candidates:
    """Average the views of one face and take it from the patch to the picture."""
    weights = looks.scores / looks.scores.sum()
    landmarks = np.tensordot(weights, looks.landmarks, axes=1)
    landmarks = landmarks.mean(axis=0) + spread * (landmarks - landmarks.mean(axis=0))
    box = geometry.upright_box(matrix, Box(*map(float, weights @ looks.boxes)))
    points = geometry.transform(geometry.invert(matrix), landmarks)
    return Candidates(np.array([score]), np.array([box.as_tuple()]), points[None])


def _share_inside(boxes: Array, box: Box) -> Array:
    """Return which share of each box lies inside another, range [0, 1]."""
    low = np.maximum(boxes[:, :2], (box.x0, box.y0))
    high = np.minimum(boxes[:, 2:], (box.x1, box.y1))
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return np.asarray(np.prod(np.clip(high - low, 0, None), axis=1) / area, np.float64)


def _meets(boxes: Array, box: Box) -> bool:
    """Whether any of some boxes and another one have their middles in each other."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    within = ((centres >= (box.x0, box.y0)) & (centres < (box.x1, box.y1))).all(axis=1)
    around = ((boxes[:, :2] <= box.centre) & (boxes[:, 2:] > box.centre)).all(axis=1)
    return bool((within | around).any())


def _rows(candidates: Candidates) -> list[tuple[float, Array, Landmarks]]:
    return list(zip(candidates.scores, candidates.boxes, candidates.landmarks, strict=True))
