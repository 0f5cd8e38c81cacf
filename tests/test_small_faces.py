"""Faces that are easily overlooked: small ones in large pictures, and those of other views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.data import astronaut

import seethrough
from seethrough import colour
from seethrough.face_views import starts
from seethrough.faces import ACCEPT, FaceDetector
from seethrough.image import Picture
from seethrough.pipeline.networks import Networks
from seethrough.redactor import StillPicture
from seethrough.redactor.second_detector import SecondDetector
from seethrough.types import Box, Image

FACE = Box(179, 59, 271, 176)
"""The astronaut's face in the whole picture."""

LARGE = (1400, 5200)
AT = (1270, 600)
"""Row and column of a small astronaut in a large picture: a tile's border goes through it."""


@pytest.fixture(scope="module")
def large() -> tuple[Image, Box]:
    """A large picture, and where a face of 18 px lies in it."""
    scale = 18 / FACE.width
    small = cv2.resize(astronaut(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = np.full((*LARGE, 3), 128, np.uint8)
    picture[AT[0] : AT[0] + small.shape[0], AT[1] : AT[1] + small.shape[1]] = small
    x0, y0, x1, y1 = (scale * value for value in FACE.as_tuple())
    return picture, Box(x0 + AT[1], y0 + AT[0], x1 + AT[1], y1 + AT[0])


@pytest.fixture(scope="module")
def networks() -> Networks:
    return Networks("cpu", 1)


def meets(found: Box, face: Box) -> bool:
    return found.iou(face) > 0.3


def test_the_search_for_small_faces_looks_at_a_pictures_own_pixels(
    large: tuple[Image, Box],
) -> None:
    picture, face = large
    detector = FaceDetector("cpu", 1)
    assert detector.detect(picture) == ()
    (found,) = detector.detect(picture, small=ACCEPT)
    assert meets(found.box, face)


def test_so_does_the_second_detector(large: tuple[Image, Box]) -> None:
    picture, face = large
    detector = SecondDetector("cpu", 1)
    assert detector.find(StillPicture(picture)) == []
    ((found, _),) = detector.find(StillPicture(picture), small=True)
    assert meets(found, face)


@given(st.integers(1, 20_000), st.integers(2, 2_000), st.data())
def test_tiles_cover_a_length_and_overlap(length: int, tile: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, tile - 1))
    begin = starts(length, tile, overlap)
    assert begin[0] == 0
    assert begin[-1] + tile >= length
    if len(begin) > 1:
        assert begin[-1] + tile == length
        assert np.diff(begin).min() > 0
        assert np.diff(begin).max() <= tile - overlap


def picture_of(samples: npt.NDArray[Any], alpha: npt.NDArray[Any] | None = None) -> Picture:
    pixels, _ = colour.to_srgb(samples, None)
    return Picture(pixels, samples, alpha)


def in_deep_shadow() -> Picture:
    """At 8 bits all of it is black."""
    return picture_of((astronaut() // 2).astype(np.uint16))


def dark() -> Picture:
    return picture_of((astronaut() // 10).astype(np.uint8))


def over_white() -> Picture:
    """Black ink, as much of it as the face is dark."""
    grey = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)
    return picture_of(np.zeros_like(astronaut()), (255 - grey).astype(np.uint8))


def over_black() -> Picture:
    """White paint, as much of it as the face is light."""
    grey = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)
    return picture_of(np.full_like(astronaut(), 255), np.asarray(grey, np.uint8))


def under_transparency() -> Picture:
    """No viewer shows it, and the file holds it."""
    return picture_of(astronaut(), np.zeros(astronaut().shape[:2], np.uint8))


@pytest.mark.parametrize(
    "picture", [in_deep_shadow, dark, over_white, over_black, under_transparency]
)
def test_faces_are_hidden_that_only_another_view_shows(picture: Any, networks: Networks) -> None:
    found = networks.faces_to_hide(picture())
    assert len(found) == 1
    assert meets(found[0].box, FACE)


def test_a_usual_picture_has_no_other_views() -> None:
    opaque = np.full(astronaut().shape[:2], 255, np.uint8)
    bright = np.maximum(astronaut(), 40)
    assert colour.other_views(bright, bright, None) == []
    assert colour.other_views(bright, bright, opaque) == []


def test_a_face_that_two_views_show_is_one(networks: Networks) -> None:
    half = np.full(astronaut().shape[:2], 128, np.uint8)
    assert len(networks.faces_to_hide(picture_of(astronaut(), half))) == 1


def test_what_only_16_bits_hold_of_a_face_is_gone(tmp_path: Path) -> None:
    samples = (astronaut() // 2).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "shadow.png"), samples[..., ::-1])
    seethrough.redact(tmp_path / "shadow.png", tmp_path / "safe.png", threads=1)
    written = cv2.imread(str(tmp_path / "safe.png"), cv2.IMREAD_UNCHANGED)
    assert written.dtype == np.uint16
    x0, y0, x1, y1 = (int(value) for value in FACE.as_tuple())
    assert (written[y0:y1, x0 + 10 : x1 - 10] == 0).all()
    np.testing.assert_array_equal(written[400:], samples[400:, :, ::-1])
