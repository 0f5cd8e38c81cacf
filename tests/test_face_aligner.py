"""The aligner: covered faces are brought closer to where they belong.

The face is scikit-image's astronaut, which is in the public domain.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from seethrough import degrade, geometry
from seethrough.face_aligner import FaceAligner
from seethrough.face_network import Candidates
from seethrough.types import Image, Landmarks

LANDMARKS = np.array([[204.0, 104.0], [245, 103], [227, 126], [207, 142], [244, 141]])
"""Of the astronaut, as dlib's predictor would see them: read off the picture by eye."""


@pytest.fixture(scope="module")
def aligner() -> FaceAligner:
    return FaceAligner("cpu", threads=1)


@pytest.fixture(scope="module")
def astronaut() -> Image:
    return np.ascontiguousarray(data.astronaut())  # type: ignore[no-untyped-call]


def candidate(landmarks: Landmarks) -> Candidates:
    box = geometry.tight_box(landmarks).as_tuple()
    return Candidates(np.array([0.9]), np.array([box]), landmarks[None])


def moved(
    landmarks: Landmarks, angle: float, scale: float, shift: tuple[float, float]
) -> Landmarks:
    centre = landmarks.mean(axis=0)
    turn = np.asarray(cv2.getRotationMatrix2D(tuple(centre), angle, scale), np.float64)
    return geometry.transform(turn, landmarks) + shift


def offset(faces: Candidates, expected: Landmarks) -> float:
    return float(np.hypot(*(faces.landmarks[0] - expected).T).mean())


OPERATORS: list[degrade.Degradation] = [degrade.Mosaic(7.0, (2, 3)), degrade.GaussianBlur(5.0)]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(("scale", "shift"), [(1, (7, -4)), (1, (-6, 5)), (1.15, (3, 3))])
def test_covered_faces_come_closer(
    aligner: FaceAligner,
    astronaut: Image,
    operator: degrade.Degradation,
    scale: float,
    shift: tuple[float, float],
) -> None:
    covered = degrade.Within(operator, geometry.tight_box(LANDMARKS))(astronaut)
    given = candidate(moved(LANDMARKS, 0, scale, shift))
    assert offset(aligner(covered, given), LANDMARKS) < 0.75 * offset(given, LANDMARKS)


@pytest.mark.parametrize("operator", OPERATORS)
def test_turned_faces_end_where_upright_ones_do(
    aligner: FaceAligner, astronaut: Image, operator: degrade.Degradation
) -> None:
    covered = degrade.Within(operator, geometry.tight_box(LANDMARKS))(astronaut)
    upright = aligner(covered, candidate(LANDMARKS)).landmarks[0]
    for angle in (-8.0, 8.0):
        given = candidate(moved(LANDMARKS, angle, 1, (0, 0)))
        assert offset(aligner(covered, given), upright) < 0.4 * offset(given, LANDMARKS)


def test_a_mirrored_picture_is_answered_mirrored(aligner: FaceAligner, astronaut: Image) -> None:
    covered = degrade.GaussianBlur(4.0)(astronaut)
    given = moved(LANDMARKS, 5, 1.05, (3, 2))
    plain = aligner(covered, candidate(given)).landmarks[0]
    width = astronaut.shape[1]
    flipped = given[[1, 0, 2, 4, 3]] * (-1, 1) + (width - 1, 0)
    answer = aligner(np.ascontiguousarray(covered[:, ::-1]), candidate(flipped)).landmarks[0]
    assert (
        np.abs(answer[[1, 0, 2, 4, 3]] * (-1, 1) + (width - 1, 0) - plain).max() < 1.5
    )  # the template is not quite symmetric


def test_the_box_moves_with_the_landmarks(aligner: FaceAligner, astronaut: Image) -> None:
    covered = degrade.GaussianBlur(4.0)(astronaut)
    given = candidate(moved(LANDMARKS, 0, 1.1, (6, 0)))
    found = aligner(covered, given)
    before, after = (np.ptp(f.landmarks[0][:2, 0]) for f in (given, found))
    widths = [f.boxes[0, 2] - f.boxes[0, 0] for f in (given, found)]
    assert widths[1] / widths[0] == pytest.approx(after / before, rel=0.05)
    assert found.scores is given.scores


def test_points_that_are_no_face_stay(aligner: FaceAligner, astronaut: Image) -> None:
    nowhere = Candidates(np.array([0.5]), np.array([[10.0, 10, 20, 20]]), np.full((1, 5, 2), 15.0))
    found = aligner(astronaut, nowhere)
    np.testing.assert_array_equal(found.landmarks, nowhere.landmarks)
    np.testing.assert_array_equal(found.boxes, nowhere.boxes)


def test_no_faces_give_none(aligner: FaceAligner, astronaut: Image) -> None:
    assert len(aligner(astronaut, Candidates.none())) == 0
