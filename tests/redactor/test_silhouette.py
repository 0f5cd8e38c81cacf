"""Silhouettes: people black, and nothing but sightings and surroundings decides where."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from seethrough.redactor import Coverer, StillPicture, Style
from seethrough.types import Image
from tests.redactor.scene import Seen, covered, face, under

COLLINS = face(224, 118, 96)
"""The astronaut's face, within a few pixels."""


@pytest.fixture(scope="module")
def astronaut() -> Image:
    return np.ascontiguousarray(skimage.data.astronaut())


def test_clothes_are_covered_and_the_background_is_not(astronaut: Image) -> None:
    result = covered(astronaut, [COLLINS], Style("silhouette"))
    assert (result[300:480, 120:260] == 0).all(), "the suit"
    assert np.array_equal(result[20:200, 340:500], astronaut[20:200, 340:500]), "the rocket"
    assert np.array_equal(result[20:120, :60], astronaut[20:120, :60]), "the flag"


def test_head_is_joined_to_the_body(astronaut: Image) -> None:
    result = covered(astronaut, [COLLINS], Style("silhouette"))
    head = under((512, 512), [COLLINS], Style("solid"))
    assert (result[head] == 0).all()
    assert (result[100:400, 215:235] == 0).all()


def test_head_is_covered_where_nobody_is_found() -> None:
    picture = np.full((200, 200, 3), 180, np.uint8)
    seen = [face(100, 80, 40)]
    result = covered(picture, seen, Style("silhouette"))
    assert (result[under((200, 200), seen, Style("solid"))] == 0).all()
    assert (result[:60, :20] == 180).all()


def test_the_face_decides_nothing(astronaut: Image, rng: np.random.Generator) -> None:
    head = under((512, 512), [COLLINS], Style("silhouette"))
    other = astronaut.copy()
    other[head] = rng.integers(0, 256, (int(head.sum()), 3), np.uint8)
    one, two = (covered(p, [COLLINS], Style("silhouette")) for p in (astronaut, other))
    assert np.array_equal(one, two)


def test_outline_stays_while_the_picture_stays(astronaut: Image) -> None:
    coverer = Coverer(Style("silhouette"), (512, 512), threads=1)
    source = StillPicture(astronaut)
    masks = []
    for _ in range(3):
        (patch,) = coverer.patches(source, [COLLINS])
        mask = np.zeros((512, 512), np.bool_)
        height, width = patch.mask.shape
        mask[patch.y0 : patch.y0 + height, patch.x0 : patch.x0 + width] = patch.mask
        masks.append(mask)
    assert np.array_equal(masks[0], masks[1])
    assert np.array_equal(masks[1], masks[2])


def test_next_scene_has_no_ghost_of_the_last(astronaut: Image) -> None:
    coverer = Coverer(Style("silhouette"), (512, 512), threads=1)
    coverer.patches(StillPicture(astronaut), [COLLINS])
    empty = np.full((512, 512, 3), 180, np.uint8)
    seen: list[Seen] = [face(400, 100, 40, track=2)]
    (patch,) = coverer.patches(StillPicture(empty), seen)
    assert patch.x0 > 250
