"""Find faces and their five landmarks, degraded ones included.

A detector takes the cells of a mosaic for texture; smoothed to the cell's size it sees the face.
So faces are searched in several views, copies of the picture or of its covered regions that are
reduced and smoothed; candidates on which views agree are then looked at once more, each aligned
and at one size, and that second look decides the score and averages the landmarks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from seethrough import geometry
from seethrough.face_network import FILL, Array, Candidates, FaceNetwork, iou
from seethrough.session import Device
from seethrough.types import Box, CoveredRegion, Face, Image, Landmarks

_PROPOSE = 0.3  # score from which a view's candidate is looked at again
_ACCEPT = 0.6  # score of the second look, mean over its views, from which it is a face
_ACCEPT_HIDDEN = 0.85  # the same, where only smoothing shows it and no cover is reported
_SAME = 0.4  # IoU from which two boxes are one face

# The plain search: long sides of the views in pixels. The network sees faces of 12 to 500 px.
_LONG_SIDES = (2560, 1280, 512, 200)
_MARGIN = 50  # px around the smallest view: a face may fill the picture
_HIDDEN_SIGMA = 3.0  # px, in views of at most 1280 px: for covers that nothing reported

# Covers: views in which a cell measures so many pixels, smoothed by so many cells.
_CELL_PX = 9.0
_CELL_SIGMAS = (0.25, 0.35, 0.5)
# Blurs need hardly more smoothing, only fewer pixels: the view's sigma, and the smoothing.
_BLUR_PX = 5.0
_BLUR_SIGMAS = (0.0, 0.3)
_CONTEXT = 0.75  # of a region's size, around it

# The second look: a patch around the 128 px crop.
_PATCH = 160
_RIM = (_PATCH - 128) // 2
_EXPECTED = np.array([[28.0, 36.0, 100.0, 124.0]]) + _RIM
_MIRRORED = [1, 0, 2, 4, 3]  # the five points of a mirrored face


@dataclass(frozen=True, slots=True)
class _View:
    """A copy of a picture's part: reduced by ``factor``, smoothed by ``sigma`` picture pixels."""

    window: geometry.Window
    factor: float
    sigma: float
    margin: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Proposals:
    """Candidates that share the smoothing, in picture pixels, under which to look again."""

    candidates: Candidates
    sigmas: tuple[float, ...]
    accept: float


class FaceDetector:
    """Finds faces in photos.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        Where the network runs.
    threads : int, optional
        Threads on the CPU; all usable processors where absent.

    Raises
    ------
    MissingPartError
        Where the weights or the device are missing.
    """

    def __init__(self, device: Device = "auto", threads: int | None = None) -> None:
        self._network = FaceNetwork(device, threads)

    def detect(self, picture: Image, covered: Sequence[CoveredRegion] = ()) -> tuple[Face, ...]:
        """Find the faces of a picture.

        Parameters
        ----------
        picture : Image
            ``uint8 (H, W, 3)`` RGB.
        covered : sequence of CoveredRegion
            Mosaicked and blurred regions, as :func:`seethrough.operators.find_covered` reports
            them: there the search is smoothed to fit.

        Returns
        -------
        tuple of Face
            Best first. Overlapping faces stay apart unless they share more than half.
        """
        found = [
            self._second_look(picture, proposals)
            for proposals in self._proposals(picture, covered)
            if len(proposals.candidates)
        ]
        return tuple(
            Face(Box(*map(float, box)), landmarks, float(min(score, 1.0)))
            for score, box, landmarks in _rows(Candidates.joined(found).distinct(_SAME))
        )

    def _proposals(self, picture: Image, covered: Sequence[CoveredRegion]) -> list[_Proposals]:
        """Search every view; each candidate is proposed once, the covers' first."""
        groups = []
        for region in covered:
            views, sigmas = _cover_views(region, picture.shape)
            seen = self._seen(picture, views)
            inside = _share_inside(seen.boxes, region.box) > _SAME
            groups.append(_Proposals(seen.take(inside), sigmas, _ACCEPT))
        plain, hidden = _plain_views(picture.shape)
        seen = self._seen(picture, plain)
        groups.append(_Proposals(seen, (0.0,), _ACCEPT))
        for view in hidden:
            sigmas = (0.7 * view.sigma, view.sigma, 1.4 * view.sigma)
            groups.append(_Proposals(self._seen(picture, [view]), sigmas, _ACCEPT_HIDDEN))
        return groups

    def _seen(self, picture: Image, views: Sequence[_View]) -> Candidates:
        parts = []
        for view in views:
            pixels, factor = _rendered(picture, view)
            seen = self._network.one(pixels, _PROPOSE)
            rows, columns = view.window
            seen = seen.moved(1, -view.margin, -view.margin)
            parts.append(seen.moved(factor, columns.start, rows.start))
        return Candidates.joined(parts).distinct(_SAME)

    def _second_look(self, picture: Image, proposals: _Proposals) -> Candidates:
        """Look at each candidate aligned, smoothed and mirrored; keep those that stay."""
        found = []
        for _, _, landmarks in _rows(proposals.candidates):
            matrix = geometry.similarity(landmarks, 128)
            matrix[:, 2] += _RIM
            patch = _patch(picture, matrix)
            scale = geometry.scale_of(matrix)
            copies = [_smoothed(patch, sigma * scale) for sigma in proposals.sigmas]
            answers = self._network(
                np.stack([*copies, *(copy[:, ::-1] for copy in copies)]), _PROPOSE / 3
            )
            plain, mirrored = answers[: len(copies)], answers[len(copies) :]
            answers = [*plain, *(_unmirrored(answer) for answer in mirrored)]
            looks = Candidates.joined([_expected(answer) for answer in answers])
            score = looks.scores.sum() / len(answers)
            if score >= proposals.accept:
                found.append(_to_picture(looks, score, matrix))
        return Candidates.joined(found)


def _plain_views(shape: tuple[int, ...]) -> tuple[list[_View], list[_View]]:
    """Return the views of a whole picture: plain, and smoothed against unreported covers."""
    height, width = shape[:2]
    whole = (slice(0, height), slice(0, width))
    longest = max(height, width)
    sides = [min(longest, _LONG_SIDES[0])]
    sides += [side for side in _LONG_SIDES[1:-1] if side < 0.8 * sides[0]]
    factors = [longest / side for side in sides]
    plain = [_View(whole, factor, 0) for factor in factors]
    plain.append(_View(whole, longest / _LONG_SIDES[-1], 0, _MARGIN))
    hidden = [
        _View(view.window, view.factor, _HIDDEN_SIGMA * view.factor, view.margin)
        for view in plain
        if longest / view.factor <= _LONG_SIDES[1]
    ]
    return plain, hidden


def _cover_views(
    region: CoveredRegion, shape: tuple[int, ...]
) -> tuple[list[_View], tuple[float, ...]]:
    """Return the views that suit a covered region, and the smoothing for the second look."""
    operator = region.operator
    if operator.size is None or operator.kind not in ("mosaic", "gauss", "box"):
        return [], ()
    size = max(operator.size)
    shares: tuple[float, ...] = _CELL_SIGMAS
    factor = size / _CELL_PX
    if operator.kind != "mosaic":
        if operator.kind == "box":
            size /= math.sqrt(12)  # the standard deviation of a box
        shares, factor = _BLUR_SIGMAS, size / _BLUR_PX
    sigmas = tuple(float(size * share) for share in shares)
    x, y = region.box.centre
    reach = (0.5 + _CONTEXT) * max(region.box.width, region.box.height)
    rows = slice(max(int(y - reach), 0), min(int(y + reach) + 1, shape[0]))
    columns = slice(max(int(x - reach), 0), min(int(x + reach) + 1, shape[1]))
    longest = max(rows.stop - rows.start, columns.stop - columns.start)
    factor = max(factor, longest / _LONG_SIDES[1])
    return [_View((rows, columns), factor, sigma, _MARGIN // 2) for sigma in sigmas], sigmas


def _rendered(picture: Image, view: _View) -> tuple[Image, float]:
    """Return a view's pixels, margin included, and its exact reduction."""
    part = picture[view.window]
    height, width = part.shape[:2]
    size = (max(round(width / view.factor), 1), max(round(height / view.factor), 1))
    factor = max(height, width) / max(size)
    pixels: Any = part
    if size != (width, height):
        method = cv2.INTER_AREA if factor > 1 else cv2.INTER_LINEAR
        pixels = cv2.resize(part, size, interpolation=method)
    pixels = _smoothed(np.asarray(pixels, np.uint8), view.sigma / factor)
    if view.margin:
        rim = view.margin
        pixels = cv2.copyMakeBorder(pixels, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=FILL)
    return np.asarray(pixels, np.uint8), factor


def _smoothed(pixels: Image, sigma: float) -> Image:
    if sigma < 0.3:  # nothing that a pixel shows
        return pixels
    return np.asarray(
        cv2.GaussianBlur(pixels, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8
    )


def _patch(picture: Image, matrix: geometry.Matrix) -> Image:
    """Return an aligned patch, filled evenly outside the picture: a reflection has a face too."""
    patch = geometry.crop(picture, matrix, _PATCH)
    y, x = np.mgrid[:_PATCH, :_PATCH]
    there = geometry.transform(geometry.invert(matrix), np.stack([x, y], axis=-1))
    height, width = picture.shape[:2]
    patch[((there < -0.5) | (there > (width - 0.5, height - 0.5))).any(axis=-1)] = FILL
    return patch


def _unmirrored(seen: Candidates) -> Candidates:
    boxes = seen.boxes.copy()
    boxes[:, [0, 2]] = _PATCH - boxes[:, [2, 0]]
    landmarks = seen.landmarks[:, _MIRRORED] * (-1, 1) + (_PATCH - 1, 0)
    return Candidates(seen.scores, boxes, landmarks)


def _expected(seen: Candidates) -> Candidates:
    """Return the one candidate, if any, where the aligned face should be."""
    seen = seen.take(iou(seen.boxes, _EXPECTED)[:, 0] > _SAME)
    return seen.take(np.argsort(-seen.scores)[:1])


def _to_picture(looks: Candidates, score: float, matrix: geometry.Matrix) -> Candidates:
    """Average the views of one face and take it from the patch to the picture."""
    weights = looks.scores / looks.scores.sum()
    landmarks = np.tensordot(weights, looks.landmarks, axes=1)
    box = geometry.upright_box(matrix, Box(*map(float, weights @ looks.boxes)))
    points = geometry.transform(geometry.invert(matrix), landmarks)
    return Candidates(np.array([score]), np.array([box.as_tuple()]), points[None])


def _share_inside(boxes: Array, box: Box) -> Array:
    """Return which share of each box lies inside another, range [0, 1]."""
    low = np.maximum(boxes[:, :2], (box.x0, box.y0))
    high = np.minimum(boxes[:, 2:], (box.x1, box.y1))
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return np.asarray(np.prod(np.clip(high - low, 0, None), axis=1) / area, np.float64)


def _rows(candidates: Candidates) -> list[tuple[float, Array, Landmarks]]:
    return list(zip(candidates.scores, candidates.boxes, candidates.landmarks, strict=True))
