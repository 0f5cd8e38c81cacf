"""Faces under covers that no view sees through: guesses that end at one place, or do not.

The face is scikit-image's astronaut, which is in the public domain.
"""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from seethrough import degrade, geometry
from seethrough.face_aligner import FaceAligner
from seethrough.face_network import Candidates
from seethrough.face_settling import SETTLED, corrected, settled, tells_where
from seethrough.faces import FaceDetector
from seethrough.types import Box, CoveredRegion, Face, Image, Operator, OperatorKind

LANDMARKS = np.array([[204.0, 104.0], [245, 103], [227, 126], [207, 142], [244, 141]])
"""Of the astronaut: read off the picture by eye."""
FACE = geometry.tight_box(LANDMARKS)
BACKGROUND = Box(330, 90, 400, 176)
"""A part of the astronaut's picture without a face, of about a face's size."""


@pytest.fixture(scope="module")
def aligner() -> FaceAligner:
    return FaceAligner("cpu", threads=1)


@pytest.fixture(scope="module")
def astronaut() -> Image:
    return np.ascontiguousarray(data.astronaut())  # type: ignore[no-untyped-call]


def region(box: Box, kind: OperatorKind = "gauss") -> CoveredRegion:
    return CoveredRegion(box, Operator(kind, (9.0, 9.0), None, 1.0))


COVERS: dict[str, degrade.Degradation] = {
    "gauss": degrade.GaussianBlur(FACE.width / 9),
    "mosaic": degrade.Mosaic(FACE.width / 8),
}


@pytest.mark.parametrize("kind", ["gauss", "mosaic"])
@pytest.mark.parametrize("shift", [(0, 0), (6, -5), (-5, 6)])
@pytest.mark.parametrize("grown", [1.0, 1.25])
def test_guesses_end_at_the_face(
    aligner: FaceAligner,
    astronaut: Image,
    kind: OperatorKind,
    shift: tuple[int, int],
    grown: float,
) -> None:
    x, y = np.array(FACE.centre) + shift
    half = np.array([FACE.width, FACE.height]) / 2 * grown
    cover = Box(float(x - half[0]), float(y - half[1]), float(x + half[0]), float(y + half[1]))
    covered = degrade.Within(COVERS[kind], cover)(astronaut)
    found = settled(covered, region(cover, kind), aligner)
    assert len(found) == 1
    assert SETTLED <= found.scores[0] <= 1
    assert np.hypot(*(found.landmarks[0] - LANDMARKS).T).mean() < 0.12 * FACE.width
    assert Box(*map(float, found.boxes[0])).iou(FACE) > 0.6


@pytest.mark.parametrize("kind", ["gauss", "mosaic"])
def test_they_end_nowhere_in_particular_without_one(
    aligner: FaceAligner, astronaut: Image, kind: OperatorKind
) -> None:
    covered = degrade.Within(COVERS[kind], BACKGROUND)(astronaut)
    assert not len(settled(covered, region(BACKGROUND, kind), aligner))


def placed(box: Box) -> Face:
    return Face(box, geometry.upright_landmarks(box), 1.0)


def offset(face: Face) -> float:
    return float(np.hypot(*(face.landmarks - LANDMARKS).T).mean())


@pytest.mark.parametrize("kind", ["gauss", "mosaic"])
def test_a_box_drawn_by_hand_is_corrected(
    aligner: FaceAligner, astronaut: Image, kind: OperatorKind
) -> None:
    covered = degrade.Within(COVERS[kind], FACE)(astronaut)
    by_hand = placed(Box(FACE.x0 + 7, FACE.y0 - 6, FACE.x1 + 7, FACE.y1 - 6))
    assert tells_where(by_hand, [region(BACKGROUND), region(FACE, kind)])
    found = corrected(covered, by_hand, aligner)
    assert offset(found) < 0.6 * offset(by_hand)
    assert found.box == by_hand.box


def test_some_covers_tell_nothing() -> None:
    few = CoveredRegion(FACE, Operator("mosaic", (0.3 * FACE.width, 20.0), (0.0, 0.0), 1.0))
    for covered in ([], [region(BACKGROUND)], [region(FACE, "solid")], [few]):
        assert not tells_where(placed(FACE), covered)


def test_a_face_that_would_leave_its_box_stays(astronaut: Image) -> None:
    class Away(FaceAligner):
        def __init__(self) -> None:
            pass

        def __call__(self, picture: Image, faces: Candidates) -> Candidates:
            return faces.moved(1, FACE.width, 0)

    by_hand = placed(FACE)
    assert corrected(astronaut, by_hand, Away()) is by_hand


def test_large_covers_are_looked_at_reduced(aligner: FaceAligner, astronaut: Image) -> None:
    large = np.ascontiguousarray(np.kron(astronaut, np.ones((4, 4, 1), np.uint8)))
    box = Box(*(4 * edge for edge in FACE.as_tuple()))
    covered = degrade.Within(degrade.GaussianBlur(box.width / 9), box)(large)
    small = settled(
        degrade.Within(COVERS["gauss"], FACE)(astronaut), region(FACE), aligner
    ).landmarks[0]
    found = settled(covered, region(box), aligner).landmarks[0]
    assert np.hypot(*((found + 0.5) / 4 - 0.5 - small).T).mean() < 0.02 * FACE.width


def test_a_cover_gives_no_second_face(astronaut: Image) -> None:
    """A blur over eyes and nose alone, under which the detector still sees the face."""
    part = Box(FACE.x0 + 12, FACE.y0 + 25, FACE.x1 - 12, FACE.y1 - 45)
    covered = degrade.Within(degrade.GaussianBlur(5), part)(astronaut)
    alone = FaceDetector("cpu", 1).detect(covered)
    assert len(alone) == 1
    (told,) = FaceDetector("cpu", 1).detect(covered, [region(part)])
    assert told.box.iou(alone[0].box) > 0.7


@pytest.mark.parametrize("kind", ["solid", "eye-bar"])
def test_nothing_is_guessed_under_what_hides_all(
    aligner: FaceAligner, astronaut: Image, kind: OperatorKind
) -> None:
    assert not len(settled(astronaut, region(FACE, kind), aligner))


@pytest.mark.parametrize(
    "box", [Box(9, 9, 9.5, 9.5), Box(100, 100, 260, 130), Box(90, 90, 130, 200)]
)
def test_covers_that_are_no_face_cost_nothing(
    astronaut: Image, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: FaceAligner, picture: Image, faces: Candidates) -> Candidates:
        raise AssertionError("the aligner ran")

    monkeypatch.setattr(FaceAligner, "__call__", never)
    assert not len(settled(astronaut, region(box), FaceAligner("cpu", 1)))
