"""Solid covers of any shape and colour are found through codecs, and what shows through is told."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from seethrough import degrade
from seethrough.operators import find_covered
from seethrough.types import Box, Image
from tests.operator_scene import about


def filled(
    picture: Image,
    shape: str,
    box: Box,
    *,
    turn: float = 0.0,
    colour: tuple[int, int, int] = (0, 0, 0),
    opacity: float = 1.0,
) -> Image:
    """A copy with a turned rectangle or ellipse of one colour laid over it."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    size = (box.width, box.height)
    if shape == "ellipse":
        half = (round(size[0] * 8), round(size[1] * 8))
        centre = (round(box.centre[0] * 16), round(box.centre[1] * 16))
        cv2.ellipse(mask, centre, half, turn, 0, 360, (1,), -1, shift=4)
    else:
        corners = cv2.boxPoints((box.centre, size, turn))
        cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], (1,))
    over = picture + (np.array(colour, float) - picture) * opacity
    return np.where(mask[..., None] > 0, np.floor(over + 0.5), picture).astype(np.uint8)


def small(picture: Image) -> Image:
    """At half size, as faces of 50 px are covered by bars of 13."""
    return np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


CODECS = {
    "png": lambda picture: picture,
    "jpeg-75": degrade.Jpeg(75),
    "jpeg-90": degrade.Jpeg(90),
    "h264-23": degrade.H264(23),
}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("turn", [-12, -6, -2.5, 0, 2.5, 6, 12])
@pytest.mark.parametrize("reduced", [False, True])
def test_a_bar_is_an_eye_bar(codec: str, turn: float, reduced: bool) -> None:
    """A bar follows the head's tilt; without this a barred face would pass for a clear one."""
    bar = Box(170, 90, 280, 120)
    picture = filled(data.astronaut()[:400], "bar", bar, turn=turn)
    if reduced:
        picture, bar = small(picture), Box(85, 45, 140, 60)
    (found,) = (r for r in find_covered(CODECS[codec](picture)) if r.box.iou(bar) > 0.1)
    assert found.operator.kind == "eye-bar"
    assert found.box.intersection(bar) > 0.8 * bar.area


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (190, 30, 90)])
@pytest.mark.parametrize("shape", ["ellipse", "box"])
def test_masks_of_any_colour_are_found(
    codec: str, colour: tuple[int, int, int], shape: str
) -> None:
    mask = Box(172, 62, 278, 174)  # above the collar, which is as black as the mask
    picture = filled(data.astronaut(), shape, mask, colour=colour)
    found = about(find_covered(CODECS[codec](picture)), mask)
    assert found.operator.kind == "solid"
    assert found.box.iou(mask) > 0.85


@pytest.mark.parametrize("codec", CODECS)
def test_what_shows_through_a_cover_is_told(codec: str) -> None:
    mask = Box(172, 62, 278, 174)  # above the collar, which is as black as the mask
    opaque, leaking = (
        about(
            find_covered(CODECS[codec](filled(data.astronaut(), "ellipse", mask, opacity=opacity))),
            mask,
        ).operator.residual
        for opacity in (1.0, 0.98)
    )
    assert opaque is not None
    assert leaking is not None
    assert opaque < 0.3 < leaking
