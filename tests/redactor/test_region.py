"""Where covers lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seethrough import geometry
from seethrough.degrade import MASK_HEAD
from seethrough.redactor import region
from seethrough.redactor.region import Region
from seethrough.types import Box
from tests.redactor.scene import Seen, face

SHAPE = (240, 320)


def whole(found: Region | None, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    mask = np.zeros(shape, np.bool_)
    if found is not None:
        assert 0 <= found.x0 < found.x1 <= shape[1]
        assert 0 <= found.y0 < found.y1 <= shape[0]
        mask[found.y0 : found.y1, found.x0 : found.x1] = found.mask
    return mask


def protocol_head(seen: Seen) -> np.ndarray:
    """PROTOCOL's mask-head, brought to the picture pixel by pixel."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    matrix = geometry.similarity(seen.landmarks, 128)
    there = geometry.transform(matrix, np.stack([x, y], axis=-1)) + 0.5
    (cx, cy), (a, b) = MASK_HEAD.centre, MASK_HEAD.half_axes
    return ((there[..., 0] - cx) / a) ** 2 + ((there[..., 1] - cy) / b) ** 2 <= 1


@given(
    st.floats(20, 300),
    st.floats(20, 220),
    st.floats(3, 90),
    st.floats(-180, 180),
)
@settings(max_examples=40, deadline=None)
def test_head_holds_protocols_ellipse_wherever_it_lies(
    x: float, y: float, width: float, degrees: float
) -> None:
    seen = face(x, y, width, degrees)
    mask = whole(region.head(seen, SHAPE))
    assert not (protocol_head(seen) & ~mask).any()


def test_head_is_not_much_larger_than_protocols() -> None:
    seen = face(160, 120, 60)
    assert whole(region.head(seen, SHAPE)).sum() < 1.2 * protocol_head(seen).sum()


def test_turned_head_is_covered_at_its_back() -> None:
    frontal = face(160, 120, 50)
    points = np.array(frontal.landmarks)
    middle = points[:, 0].mean()
    points[:, 0] = middle + 0.4 * (points[:, 0] - middle)  # foreshortened
    points[2, 0] += 8  # the nose points to the right
    turned = Seen(frontal.box, points)
    before, after = (whole(region.head(s, SHAPE)) for s in (frontal, turned))
    left, right = (np.flatnonzero(m.any(axis=0))[[0, -1]] for m in (before, after))
    assert right[0] < left[0] - 15
    assert after.sum() > before.sum()


@pytest.mark.parametrize(
    "landmarks",
    [
        None,
        np.full((5, 2), np.nan),
        np.full((5, 2), 160.0),
        face(40, 40, 50).landmarks,  # of another face
        face(160, 120, 4).landmarks,  # far too small
    ],
)
def test_box_alone_gives_a_large_upright_head(landmarks: np.ndarray | None) -> None:
    known = face(160, 120, 50)
    mask = whole(region.head(Seen(known.box, landmarks), SHAPE))
    assert not (whole(region.head(known, SHAPE)) & ~mask).any()


def test_landmarks_that_were_filled_in_count_as_unknown() -> None:
    known = face(160, 120, 50)
    bare = region.head(Seen(geometry.tight_box(known.landmarks)), SHAPE)
    filled = region.head(Seen(geometry.tight_box(known.landmarks), known.landmarks), SHAPE)
    assert bare is not None
    assert filled is not None
    assert bare.mask.sum() == filled.mask.sum()


def test_box_that_is_larger_than_its_landmarks_say_is_covered() -> None:
    known = face(160, 120, 50)
    x0, y0, x1, y1 = known.box.as_tuple()
    held = Seen(Box(x0 - 20, y0 - 20, x1 + 20, y1 + 20), known.landmarks)
    mask = whole(region.head(held, SHAPE))
    assert not (whole(region.oval(held, SHAPE)) & ~mask).any()


@pytest.mark.parametrize(("x", "y"), [(-200, 100), (600, 100), (100, -300), (100, 700)])
def test_face_outside_the_picture_has_no_cover(x: float, y: float) -> None:
    for shape in (region.head, region.face, region.eye_bar):
        assert shape(face(x, y, 40), SHAPE) is None


def test_tiny_face_is_covered() -> None:
    seen = face(100, 100, 2)
    assert not (whole(region.oval(seen, SHAPE)) & ~whole(region.head(seen, SHAPE))).any()


def test_growing_only_adds() -> None:
    seen = face(160, 120, 40, degrees=30)
    one, larger = (whole(region.head(seen, SHAPE, 1.0, grow)) for grow in (1.0, 1.3))
    assert not (one & ~larger).any()
    assert larger.sum() == pytest.approx(1.69 * one.sum(), rel=0.1)


def test_pixels_that_are_not_square() -> None:
    seen = face(160, 120, 60)
    points = np.array(seen.landmarks)
    points[:, 0] = (points[:, 0] + 0.5) / 2 - 0.5
    box = Box(seen.box.x0 / 2, seen.box.y0, seen.box.x1 / 2, seen.box.y1)
    narrow = whole(region.head(Seen(box, points), (240, 160), 2.0), (240, 160))
    square = whole(region.head(seen, SHAPE))
    assert narrow.sum() * 2 == pytest.approx(square.sum(), rel=0.03)
    assert np.abs(np.repeat(narrow, 2, axis=1).astype(int) - square).sum() < 0.03 * square.sum()


def test_bar_turns_with_the_face() -> None:
    upright, lying = (whole(region.eye_bar(face(160, 120, 60, d), SHAPE)) for d in (0, 90))
    assert np.ptp(np.nonzero(upright)[1]) > 3 * np.ptp(np.nonzero(upright)[0])
    assert np.ptp(np.nonzero(lying)[0]) > 3 * np.ptp(np.nonzero(lying)[1])
