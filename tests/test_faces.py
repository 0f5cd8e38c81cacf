"""Faces: what is found, where, and in which order.

The face is scikit-image's astronaut, which is in the public domain.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from seethrough import degrade, geometry
from seethrough.errors import UsageError
from seethrough.face_network import Candidates, iou
from seethrough.faces import FaceDetector
from seethrough.types import Box, CoveredRegion, Face, Image, Operator


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector("cpu", threads=1)


@pytest.fixture(scope="module")
def astronaut() -> Image:
    return np.ascontiguousarray(data.astronaut())  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def face(detector: FaceDetector, astronaut: Image) -> Face:
    (found,) = detector.detect(astronaut)
    return found


def portrait(astronaut: Image, size: int) -> Image:
    """Head and shoulders, ``size`` pixels square; the face is about 0.4 of it wide."""
    method = cv2.INTER_AREA if size < 256 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(astronaut[:256, 96:352], (size, size), interpolation=method))


def covered_face(picture: Image, face: Face, operator: degrade.Degradation) -> Image:
    return degrade.Within(operator, face.box)(picture)


def test_the_box_is_the_tight_face(face: Face) -> None:
    assert face.box.iou(geometry.tight_box(face.landmarks)) > 0.7
    assert 0.9 < face.score <= 1


def test_landmarks_are_in_order(face: Face) -> None:
    assert face.landmarks.shape == (5, 2)
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_landmarks_lie_on_the_face(face: Face) -> None:
    # Read off the picture by eye; a point may differ by an eighth of the eyes' distance.
    seen = [(202, 102), (246, 103), (226, 128), (204, 139), (244, 141)]
    assert np.hypot(*(face.landmarks - seen).T).max() < 5.5


def test_landmarks_of_a_mirrored_picture_mirror(
    detector: FaceDetector, astronaut: Image, face: Face
) -> None:
    (mirrored,) = detector.detect(np.ascontiguousarray(astronaut[:, ::-1]))
    back = mirrored.landmarks[[1, 0, 2, 4, 3]] * (-1, 1) + (astronaut.shape[1] - 1, 0)
    assert np.abs(back - face.landmarks).max() < 1.5


@pytest.mark.parametrize("factor", [0.3, 0.6, 2.5])
def test_a_face_is_the_same_at_other_sizes(
    detector: FaceDetector, astronaut: Image, face: Face, factor: float
) -> None:
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    picture = cv2.resize(astronaut, None, fx=factor, fy=factor, interpolation=method)
    (found,) = detector.detect(np.asarray(picture, np.uint8))
    exact = picture.shape[1] / astronaut.shape[1]
    expected = (face.landmarks + 0.5) * exact - 0.5
    assert np.abs(found.landmarks - expected).max() < 3 * exact + 1


@pytest.mark.parametrize("angle", [-25, 25])
def test_a_tilted_face_is_aligned(
    detector: FaceDetector, astronaut: Image, face: Face, angle: float
) -> None:
    turn = np.asarray(cv2.getRotationMatrix2D((224.0, 120.0), angle, 1), np.float64)
    picture = cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    (found,) = detector.detect(np.asarray(picture, np.uint8))
    assert np.abs(found.landmarks - geometry.transform(turn, face.landmarks)).max() < 5


@pytest.mark.parametrize("cells", [10, 7])
def test_a_mosaicked_face_is_found(
    detector: FaceDetector, astronaut: Image, face: Face, cells: int
) -> None:
    cell = face.box.width / cells
    picture = covered_face(astronaut, face, degrade.Mosaic(cell, (2, 3)))
    region = CoveredRegion(face.box, Operator("mosaic", (cell, cell), (1.0, 1.0), 1.0))
    (found,) = detector.detect(picture, [region])
    assert found.box.iou(face.box) > 0.5


@pytest.mark.parametrize("kind", ["gauss", "box"])
def test_a_blurred_face_is_found(
    detector: FaceDetector, astronaut: Image, face: Face, kind: str
) -> None:
    sigma = face.box.width / 12
    size = sigma if kind == "gauss" else round(sigma * 12**0.5)
    operator = degrade.GaussianBlur(sigma) if kind == "gauss" else degrade.BoxBlur(int(size))
    picture = covered_face(astronaut, face, operator)
    region = CoveredRegion(face.box, Operator(kind, (size, size), None, 1.0))  # type: ignore[arg-type]
    (found,) = detector.detect(picture, [region])
    assert found.box.iou(face.box) > 0.5


def test_a_mosaicked_face_is_found_without_a_report(
    detector: FaceDetector, astronaut: Image, face: Face
) -> None:
    picture = covered_face(astronaut, face, degrade.Mosaic(face.box.width / 9))
    (found,) = detector.detect(picture)
    assert found.box.iou(face.box) > 0.5


def test_a_solid_cover_is_no_face(detector: FaceDetector, astronaut: Image, face: Face) -> None:
    picture = astronaut.copy()
    x0, y0, x1, y1 = (round(v) for v in face.box.as_tuple())
    picture[y0 - 30 : y1 + 10, x0 - 20 : x1 + 20] = 0
    region = CoveredRegion(face.box, Operator("solid", None, None, 1.0))
    assert detector.detect(picture, [region]) == ()


def test_mosaic_without_a_face_is_no_face(detector: FaceDetector) -> None:
    texture = np.asarray(data.brick()[:256, :256])  # type: ignore[no-untyped-call]
    picture = degrade.Mosaic(12.0)(np.repeat(texture[..., None], 3, axis=2))
    region = CoveredRegion(Box(0, 0, 256, 256), Operator("mosaic", (12.0, 12.0), (0.0, 0.0), 1.0))
    assert detector.detect(picture, [region]) == ()


def test_overlapping_faces_stay_apart(detector: FaceDetector, astronaut: Image) -> None:
    picture = np.full((300, 420, 3), 128, np.uint8)
    picture[20:276, 20:276] = portrait(astronaut, 256)  # its face ends at x = 195
    picture[40:296, 172:374] = astronaut[:256, 165:367]  # in front; its face begins at 186
    found = detector.detect(picture)
    assert len(found) == 2
    left, right = sorted(found, key=lambda f: f.box.x0)
    assert left.box.x1 > right.box.x0


@pytest.mark.parametrize("side", ["left", "right", "top"])
def test_a_face_cut_by_the_border_is_found(
    detector: FaceDetector, astronaut: Image, face: Face, side: str
) -> None:
    x, y = (round(v) for v in face.box.centre)
    quarter = round(face.box.width / 4)
    cuts = {
        "left": (slice(0, 400), slice(x - quarter, 512)),
        "right": (slice(0, 400), slice(0, x + quarter)),
        "top": (slice(y - quarter, 512), slice(0, 512)),
    }
    rows, columns = cuts[side]
    (found,) = detector.detect(np.ascontiguousarray(astronaut[rows, columns]))
    moved = found.landmarks + np.array([columns.start, rows.start])
    assert np.abs(moved - face.landmarks).max() < 0.2 * face.box.width


def test_a_crowd_of_differing_sizes_is_found(detector: FaceDetector, astronaut: Image) -> None:
    rng = np.random.default_rng(5)
    picture = np.full((960, 1600, 3), 90, np.uint8)
    centres = []
    for row in range(5):
        for column in range(8):
            size = int(rng.integers(90, 190))
            top = row * 190 + int(rng.integers(0, 191 - size))
            left = column * 195 + int(rng.integers(0, 196 - size))
            picture[top : top + size, left : left + size] = portrait(astronaut, size)
            centres.append((left + size * 0.5, top + size * 0.47))
    found = detector.detect(picture)
    assert len(found) == len(centres)
    for x, y in centres:
        assert sum(f.box.x0 < x < f.box.x1 and f.box.y0 < y < f.box.y1 for f in found) == 1


def test_a_large_photo_keeps_its_coordinates(
    detector: FaceDetector, astronaut: Image, face: Face
) -> None:
    picture = np.full((3000, 4000, 3), 100, np.uint8)
    picture[2400:2912, 3400:3912] = astronaut
    (found,) = detector.detect(picture)
    assert np.abs(found.landmarks - face.landmarks - (3400, 2400)).max() < 4


def test_a_face_that_fills_the_picture_is_found(
    detector: FaceDetector, astronaut: Image, face: Face
) -> None:
    crop = geometry.crop(astronaut, geometry.similarity(face.landmarks, 128), 128)
    (found,) = detector.detect(crop)
    assert np.abs(found.landmarks - geometry.template(128)).max() < 4


def test_a_grey_picture_has_its_face(detector: FaceDetector, astronaut: Image, face: Face) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    (found,) = detector.detect(np.asarray(grey, np.uint8))
    assert found.box.iou(face.box) > 0.8


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (7, 3), (33, 31)])
def test_tiny_pictures_have_no_face(detector: FaceDetector, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(6)
    picture = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    region = CoveredRegion(
        Box(0, 0, shape[1], shape[0]), Operator("mosaic", (4.0, 4.0), (0.0, 0.0), 1.0)
    )
    assert detector.detect(picture, [region]) == ()


@pytest.mark.parametrize("name", ["brick", "grass", "gravel", "coffee"])
def test_pictures_without_faces_have_none(detector: FaceDetector, name: str) -> None:
    picture = np.asarray(getattr(data, name)(), np.uint8)
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    assert detector.detect(picture) == ()


def test_detection_does_not_change_the_picture_and_repeats(
    detector: FaceDetector, astronaut: Image, face: Face
) -> None:
    before = astronaut.copy()
    (again,) = detector.detect(astronaut)
    np.testing.assert_array_equal(astronaut, before)
    np.testing.assert_array_equal(again.landmarks, face.landmarks)


def test_options_are_checked() -> None:
    with pytest.raises(UsageError):
        FaceDetector("cpu", threads=0)


def test_distinct_keeps_the_best_of_each_face() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [6, 0, 16, 10], [50, 50, 60, 60]], float)
    candidates = Candidates(np.array([0.8, 0.9, 0.7, 0.5]), boxes, np.zeros((4, 5, 2)))
    assert candidates.distinct(0.4).scores.tolist() == [0.9, 0.7, 0.5]


def test_iou_agrees_with_boxes() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 2, 12, 30], [20, 20, 30, 30]], float)
    expected = [[Box(*a).iou(Box(*b)) for b in boxes] for a in boxes]
    np.testing.assert_allclose(iou(boxes, boxes), expected)
