"""How far a restoration goes beyond what was found of a blur."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from seethrough import degrade
from seethrough.restorer.reach import reached
from seethrough.types import Box


def detailed() -> np.ndarray:
    """Detail of every size, as hair, skin and cloth have it."""
    rng = np.random.default_rng(2)
    layers = [
        degrade.GaussianBlur(sigma).apply(rng.normal(0, 1, (128, 128, 3)).astype(np.float32))
        * sigma
        for sigma in (0.5, 1, 2, 4, 8)
    ]
    return np.clip(128 + 35 * sum(layers), 0, 255).astype(np.uint8)


def known(box: Box) -> np.ndarray:
    mask = np.zeros((128, 128), np.float32)
    mask[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = 1
    return mask


@pytest.mark.parametrize("sigma", [3.0, 6.0, 10.0])
def test_a_blur_that_was_half_found_is_followed_to_its_end(sigma: float) -> None:
    cover, half = Box(30, 30, 98, 110), Box(32, 32, 96, 60)
    given = degrade.Within(degrade.GaussianBlur(sigma), cover)(detailed())
    mask = reached(given, known(half), sigma, 1.0)
    assert mask.dtype == np.float32
    assert mask.shape == (128, 128)
    assert mask[34:106, 34:94].mean() > 0.9
    outside = np.ones((128, 128), np.bool_)
    outside[24:116, 24:104] = False
    assert mask[outside].mean() < 0.05
    assert (mask >= known(half)).all()
    assert mask.max() <= 1


def test_it_stops_where_the_picture_is_clear() -> None:
    half = Box(40, 40, 88, 88)
    mask = reached(detailed(), known(half), 4.0, 1.0)
    np.testing.assert_allclose(mask, known(half), atol=0.25)
    assert mask.mean() - known(half).mean() < 0.01


@pytest.mark.parametrize("enlarged", [2, 4])
def test_an_enlargement_is_no_blur(enlarged: int) -> None:
    """Clear surroundings of a small face look smooth once the crop has enlarged them."""
    side = 128 // enlarged
    small = detailed()[:side, :side]
    cover = Box(8 * side // 32, 8 * side // 32, 24 * side // 32, 24 * side // 32)
    for sigma in (1.5, 3.0):
        given = degrade.Within(degrade.GaussianBlur(sigma), cover)(small)
        crop = np.asarray(cv2.resize(given, (128, 128), interpolation=cv2.INTER_CUBIC))
        found = known(Box(32, 32, 96, 96))
        mask = reached(crop, found, sigma * enlarged, enlarged)
        assert mask.mean() < found.mean() + 0.12


def test_a_plain_backdrop_stays() -> None:
    wall = np.full((128, 128, 3), 200, np.uint8)
    face = degrade.Ellipse((64, 72), (30, 38))
    wall[face.mask(128, 128)] = detailed()[face.mask(128, 128)]
    given = degrade.Within(degrade.GaussianBlur(4), face)(wall)
    mask = reached(given, face.mask(128, 128).astype(np.float32), 4.0, 1.0)
    assert mask[64, 64] == 1
    assert mask[:8].max() < 0.1
    assert mask[:, :4].max() < 0.1


def test_another_smooth_place_is_not_reached() -> None:
    first, second = Box(10, 20, 50, 100), Box(80, 20, 120, 100)
    given = detailed()
    for box in (first, second):
        given = degrade.Within(degrade.GaussianBlur(5), box)(given)
    mask = reached(given, known(Box(15, 25, 45, 50)), 5.0, 1.0)
    assert mask[25:95, 15:45].mean() > 0.9
    assert mask[25:95, 85:115].max() == 0


def test_nothing_known_is_nothing_reached() -> None:
    given = degrade.GaussianBlur(5)(detailed())
    assert reached(given, np.zeros((128, 128), np.float32), 5.0, 1.0).max() == 0
