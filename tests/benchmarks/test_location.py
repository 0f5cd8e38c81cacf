"""Faces in whole photos: the region that is degraded, and what counts as located."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from benchmarks import location
from seethrough import degrade, geometry
from seethrough.restorer import Restorer
from seethrough.types import Box, Face, Image


@pytest.fixture(scope="module")
def photo() -> Image:
    return np.ascontiguousarray(data.astronaut())  # type: ignore[no-untyped-call]


LANDMARKS = (geometry.template(128) + 0.5) * 1.5 - 0.5 + (120, 20)  # a face of 192 px


def test_the_region_is_the_aligned_square() -> None:
    assert location.face_region(LANDMARKS).as_tuple() == pytest.approx((120, 20, 312, 212))
    face = location.face_region(LANDMARKS, "face").as_tuple()
    assert face == pytest.approx((162, 74, 270, 206))


@pytest.mark.parametrize("extent", location.EXTENTS)
def test_only_the_region_is_degraded(photo: Image, extent: location.Extent) -> None:
    degraded = location.degraded_photo(photo, LANDMARKS, degrade.Mosaic(8.0), extent)
    x0, y0, x1, y1 = (round(v) for v in location.face_region(LANDMARKS, extent).as_tuple())
    outside = np.ones(photo.shape[:2], bool)
    outside[y0:y1, x0:x1] = False
    np.testing.assert_array_equal(degraded[outside], photo[outside])
    assert (degraded[y0:y1, x0:x1] != photo[y0:y1, x0:x1]).mean() > 0.5


def test_the_cell_follows_the_face(photo: Image) -> None:
    degraded = location.degraded_photo(photo, LANDMARKS, degrade.Mosaic(8.0))
    x0, y0, x1, y1 = (round(v) for v in location.face_region(LANDMARKS).as_tuple())
    change = np.abs(np.diff(degraded[y0:y1, x0:x1].astype(int), axis=1)).sum(axis=(0, 2))
    lines = np.flatnonzero(change)
    assert (np.diff(lines) == 12).all()  # 8 px of the crop are 12 px of the photo


def test_located_and_false_faces() -> None:
    target = Face(Box(100, 100, 200, 220), geometry.template(128), 1.0)
    other = Face(Box(300, 100, 380, 200), geometry.template(128), 1.0)
    clean = [target, other]

    def locate(*boxes: Box) -> tuple[bool, int]:
        found = [Face(box, geometry.template(128), 1.0) for box in boxes]
        result = location.compare(found, target, clean)
        return result.face is not None, result.false

    assert locate() == (False, 0)
    assert locate(Box(110, 105, 205, 225), Box(300, 100, 380, 200)) == (True, 0)
    assert locate(Box(300, 100, 380, 200)) == (False, 0)  # the other face is no substitute
    assert locate(Box(150, 100, 250, 220)) == (False, 0)  # a poor box of a true face
    assert locate(Box(110, 105, 205, 225), Box(400, 400, 480, 480)) == (True, 1)


def test_quality_prefers_the_true_landmarks(photo: Image) -> None:
    landmarks = np.array([(202, 102), (246, 103), (226, 128), (204, 139), (244, 141)], float)
    target = Face(geometry.tight_box(landmarks), landmarks, 1.0)
    degraded = location.degraded_photo(photo, landmarks, degrade.GaussianBlur(4.0))
    moved = Face(target.box, landmarks + np.array([9.0, -9.0]), 1.0)
    restorer = Restorer("cpu", threads=1)

    def found(*faces: Face) -> location.Quality:
        return location.quality(restorer, photo, degraded, target, faces, ())

    same, worse, none = found(target), found(moved), found()
    assert same.found == same.reference == worse.reference > same.given
    assert worse.found < same.found - 0.5
    assert none.found == none.given


def test_the_subject_is_the_face_in_the_middle(photo: Image) -> None:
    middle = Face(Box(200, 200, 300, 320), LANDMARKS, 0.7)
    assert location.subject(photo, [Face(Box(0, 0, 50, 60), LANDMARKS, 1.0), middle]) is middle
    assert location.subject(photo, []) is None


def test_misalignment_is_what_was_done() -> None:
    assert location.misalignment(LANDMARKS, LANDMARKS) == pytest.approx(np.zeros(4), abs=1e-9)
    shifted = LANDMARKS + np.array([3.0, -1.5])  # the photo is 1.5 times the crop's size
    assert location.misalignment(shifted, LANDMARKS) == pytest.approx([-2, 1, 0, 0], abs=1e-9)
    larger = (LANDMARKS - LANDMARKS.mean(axis=0)) * 1.1 + LANDMARKS.mean(axis=0)
    assert location.misalignment(larger, LANDMARKS)[3] == pytest.approx(-np.log(1.1))


def test_a_few_photos_are_measured(shared: object) -> None:
    from benchmarks.results import Options, default_shared

    section = location.run(Options(default_shared()), people=[1, 2])
    located, restored, misaligned = section.tables
    assert len(located.rows) == len(restored.rows) == len(misaligned.rows) == 6
    assert {row["setting"] for row in located.rows} == set(location.SETTINGS)
