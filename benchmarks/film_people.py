"""People cut out of the London set's whole portraits, each with where the face lies in it.

Landmarks come from the packaged detector on the clean portrait; the person is separated from the
studio's plain backdrop by GrabCut, with a soft rim.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks import parts, photo
from seethrough import geometry
from seethrough.faces import FaceDetector
from seethrough.types import Face, Image, Landmarks, Mask

Matrix: TypeAlias = npt.NDArray[np.float64]

SIDE = 900
"""Pixels of a cut-out; its face is about 300 px wide."""
OVAL_CENTRE = (63.5, 79.5)
OVAL_HALF_AXES = (36.0, 44.0)
"""The face oval in the aligned crop of 128 px: what the tight face's box holds as an ellipse."""

_CUT_SIDE = 600  # GrabCut works on so many pixels
_LEVELS = 5  # each half as large as the one before: a small face is never sampled sparsely


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """A person without surroundings.

    Attributes
    ----------
    levels : tuple of (Image, Mask)
        Pixels and opacity, 900 px and then half as large each time.
    crop_of : ndarray
        ``float64 (2, 3)``: the largest level's pixels to the aligned crop of 128 px.
    """

    levels: tuple[tuple[Image, Mask], ...]
    crop_of: Matrix

    @staticmethod
    def of(pixels: Image, alpha: Mask, landmarks: Landmarks) -> Person:
        """Prepare a cut-out of any size for placing."""
        levels = [(pixels, alpha)]
        while len(levels) < _LEVELS:
            above, opaque = levels[-1]
            size = (max(above.shape[1] // 2, 1), max(above.shape[0] // 2, 1))
            levels.append(
                (
                    np.asarray(cv2.resize(above, size, interpolation=cv2.INTER_AREA), np.uint8),
                    np.asarray(cv2.resize(opaque, size, interpolation=cv2.INTER_AREA), np.float32),
                )
            )
        return Person(tuple(levels), geometry.similarity(landmarks, 128))

    def mirrored(self) -> Person:
        """The same person as seen in a mirror."""
        width = self.levels[0][0].shape[1]
        flip = np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0]])
        back = np.array([[-1.0, 0.0, 2 * OVAL_CENTRE[0]], [0.0, 1.0, 0.0]])
        levels = tuple(
            (np.ascontiguousarray(p[:, ::-1]), np.ascontiguousarray(a[:, ::-1]))
            for p, a in self.levels
        )
        return Person(levels, joined(back, joined(self.crop_of, flip)))


def joined(second: Matrix, first: Matrix) -> Matrix:
    """Return the affine map that applies ``first``, then ``second``."""
    linear = second[:, :2] @ first[:, :2]
    return np.column_stack([linear, second[:, :2] @ first[:, 2] + second[:, 2]])


def people(shared: Path, threads: int = 1) -> tuple[Person, ...]:
    """Cut out the eight portraits; what was cut before is read from the cache.

    Raises
    ------
    InputError
        Where the portraits are missing.
    """
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted((shared / "data" / "eval" / "london" / "photos").glob("*.jpg")):
        digest.update(path.read_bytes())
    kept = parts.cache_folder() / f"film-people-{digest.hexdigest()[:16]}.npz"
    if not kept.exists():
        portraits = photo.portraits(shared, FaceDetector("cpu", threads))
        _keep(kept, [cut_out(pixels, face) for pixels, face in portraits])
    with np.load(kept, allow_pickle=False) as stored:
        pixels, alphas, points = stored["pixels"], stored["alphas"], stored["landmarks"]
    return tuple(
        Person.of(p, np.asarray(a, np.float32) / np.float32(255), q)
        for p, a, q in zip(pixels, alphas, points, strict=True)
    )


def _keep(path: Path, cuts: Sequence[tuple[Image, Mask, Landmarks]]) -> None:
    with parts.written(path) as temporary:
        np.savez(
            temporary,
            allow_pickle=False,
            pixels=np.stack([pixels for pixels, _, _ in cuts]),
            alphas=np.stack([np.rint(255 * alpha).astype(np.uint8) for _, alpha, _ in cuts]),
            landmarks=np.stack([landmarks for _, _, landmarks in cuts]),
        )


def cut_out(portrait: Image, face: Face) -> tuple[Image, Mask, Landmarks]:
    """Separate a person from a plain backdrop.

    Parameters
    ----------
    portrait : Image
        ``uint8 (H, W, 3)``: head and shoulders, the backdrop even.
    face : Face
        Where the face is.

    Returns
    -------
    Image
        ``uint8 (900, 900, 3)``.
    Mask
        Opacity, as large.
    Landmarks
        In its pixels.
    """
    sizes = np.array([_CUT_SIDE / side for side in portrait.shape[1::-1]])
    small = cv2.resize(portrait, (_CUT_SIDE, _CUT_SIDE), interpolation=cv2.INTER_AREA)
    back = geometry.invert(geometry.similarity((face.landmarks + 0.5) * sizes - 0.5, 128))
    x, y = geometry.transform(back, OVAL_CENTRE)
    unit = geometry.scale_of(back)
    marks = np.full((_CUT_SIDE, _CUT_SIDE), cv2.GC_PR_BGD, np.uint8)
    guesses = (  # head and hair, then shoulders, then what is certain of both
        ((x, y - 8 * unit), (62 * unit, 72 * unit), cv2.GC_PR_FGD),
        ((x, _CUT_SIDE), (0.5 * _CUT_SIDE, 0.25 * _CUT_SIDE), cv2.GC_PR_FGD),
        ((x, y), (29 * unit, 38 * unit), cv2.GC_FGD),
        ((x, _CUT_SIDE), (0.33 * _CUT_SIDE, 0.14 * _CUT_SIDE), cv2.GC_FGD),
    )
    for centre, axes, value in guesses:
        whole = [tuple(round(v) for v in pair) for pair in (centre, axes)]
        cv2.ellipse(marks, whole[0], whole[1], 0, 0, 360, value, -1)
    marks[: _CUT_SIDE // 30] = marks[: _CUT_SIDE // 2, [0, -1]] = cv2.GC_BGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(small, marks, (0, 0, 0, 0), *models, 6, cv2.GC_INIT_WITH_MASK)
    person = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(person)
    large = [n for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] > 0.02 * _CUT_SIDE**2]
    alpha = np.isin(labels, large).astype(np.float32)
    alpha = np.asarray(cv2.resize(alpha, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.float32)
    alpha = np.asarray(
        cv2.GaussianBlur(cv2.erode(alpha, np.ones((3, 3), np.uint8)), (0, 0), 1.5), np.float32
    )
    pixels = cv2.resize(portrait, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    ratio = SIDE / np.array(portrait.shape[1::-1])
    landmarks = (face.landmarks + 0.5) * ratio - 0.5
    return np.asarray(pixels, np.uint8), alpha, landmarks
