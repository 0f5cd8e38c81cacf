"""Who is one person, among the originals of an audit: told by both recognisers, or not at all."""

from __future__ import annotations

import cv2
import numpy as np
import skimage.data

from seethrough.auditor.cases import aligned
from seethrough.auditor.references import same_people
from seethrough.types import Face
from tests.audit_scene import face, scene


def test_one_person_in_two_pictures_and_nobody_else() -> None:
    clean = aligned(scene(), face())
    other = aligned(
        np.asarray(cv2.GaussianBlur(scene()[:, ::-1], (0, 0), 0.8), np.uint8), _mirrored()
    )
    cat = np.ascontiguousarray(cv2.resize(skimage.data.chelsea(), (128, 128)))
    assert same_people([clean, cat, other], [0, 1, 2], "cpu", 1) == ((2,), (), (0,))
    # Nobody is twice in one picture.
    assert same_people([clean, cat, other], [0, 1, 0], "cpu", 1) == ((), (), ())


def test_a_single_picture_needs_no_recogniser() -> None:
    clean = aligned(scene(), face())
    assert same_people([clean, clean], [0, 0]) == ((), ())
    assert same_people([], []) == ()


def _mirrored() -> Face:
    points = face().landmarks[[1, 0, 2, 4, 3]].copy()
    points[:, 0] = 511 - points[:, 0]
    return Face(face().box, points, 1.0)
