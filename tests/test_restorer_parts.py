"""What the restorer is made of: consistency, clarity, blending."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from seethrough.degrade import BoxBlur, GaussianBlur, Mosaic, MotionBlur, Within
from seethrough.geometry import similarity
from seethrough.restorer import CROP
from seethrough.restorer.blending import (
    Layer,
    compose,
    matched_colour,
    noise_sigma,
    region_mask,
    with_grain,
)
from seethrough.restorer.clarity import CLEAR_SIGMA, edge_sigma, is_clear
from seethrough.restorer.consistency import consistency, degradation, scaled
from seethrough.types import Box, CoveredRegion, Image, Operator

FACE = np.array([[204, 104], [243, 104], [226, 128], [210, 150], [241, 149]], np.float64)
"""The astronaut's landmarks."""


@pytest.fixture(scope="module")
def photo() -> Image:
    return np.ascontiguousarray(astronaut())


def mosaicked(photo: Image, cell: float = 8.0) -> tuple[Image, CoveredRegion]:
    box = Box(170, 60, 274, 196)
    operator = Operator("mosaic", (cell, cell), (0.0, 0.0), 0.95)
    return Within(Mosaic(cell), box)(photo), CoveredRegion(box, operator)


# Consistency


def test_a_true_original_is_consistent_with_its_mosaic(photo: Image) -> None:
    given_, cover = mosaicked(photo)
    everywhere = np.ones(photo.shape[:2], bool)
    right = consistency(given_, photo, everywhere, cover.operator, cover.box)
    wrong = consistency(given_, photo[:, ::-1].copy(), everywhere, cover.operator, cover.box)
    assert right is not None
    assert wrong is not None
    assert right > 50 > 25 > wrong


@pytest.mark.parametrize("operator", ["gauss", "box"])
def test_a_true_original_is_consistent_with_its_blur(photo: Image, operator: str) -> None:
    blur = GaussianBlur(5) if operator == "gauss" else BoxBlur(15)
    size = (5.0, 5.0) if operator == "gauss" else (15.0, 15.0)
    box = Box(170, 60, 274, 196)
    everywhere = np.ones(photo.shape[:2], bool)
    found = consistency(blur(photo), photo, everywhere, Operator(operator, size, None, 0.9), box)
    assert found == 99.0


def test_what_is_not_known_is_not_scored(photo: Image) -> None:
    everywhere = np.ones(photo.shape[:2], bool)
    solid = Operator("solid", None, None, 1.0)
    assert degradation(solid) is None
    assert consistency(photo, photo, everywhere, solid, Box(0, 0, 9, 9)) is None
    mosaic = Operator("mosaic", (8.0, 8.0), (0.0, 0.0), 1.0)
    assert consistency(photo, photo, ~everywhere, mosaic, Box(0, 0, 9, 9)) is None
    assert consistency(photo, photo, everywhere, mosaic, Box(600, 600, 640, 640)) is None


def test_a_mosaic_keeps_its_grid_in_a_part(photo: Image) -> None:
    operator = Operator("mosaic", (7.5, 9.0), (3.0, 4.0), 1.0)
    whole, part = degradation(operator), degradation(operator, (101, 57))
    assert whole is not None
    assert part is not None
    covered = whole(photo)
    # Cells that the part's border cuts average less, so only those inside are the same.
    inner = part(photo[57:200, 101:260].copy())[12:-12, 12:-12]
    np.testing.assert_array_equal(inner, covered[57 + 12 : 200 - 12, 101 + 12 : 260 - 12])


def test_operators_scale_with_the_picture() -> None:
    operator = Operator("mosaic", (8.0, 6.0), (2.0, 4.0), 0.7)
    assert scaled(operator, 0.5) == Operator("mosaic", (4.0, 3.0), (1.0, 2.0), 0.7)


# Clarity


@pytest.mark.parametrize("sigma", [1.5, 2.0, 3.0, 5.0])
def test_edge_sigma_measures_a_blur(sigma: float) -> None:
    board = np.zeros((96, 96, 3), np.uint8)
    board[:, 24:48] = board[:, 72:] = 200
    assert edge_sigma(GaussianBlur(sigma)(board)) == pytest.approx(sigma, rel=0.2)


def test_edge_sigma_of_a_flat_picture_is_infinite() -> None:
    assert edge_sigma(np.full((32, 32, 3), 90, np.uint8)) == float("inf")


def test_clear_and_degraded_faces_are_told_apart(photo: Image) -> None:
    matrix = similarity(FACE, CROP)
    assert is_clear(photo, matrix, CROP)
    assert not is_clear(GaussianBlur(3)(photo), matrix, CROP)


@pytest.mark.parametrize("angle", [0, 45, 90, 135])
def test_motion_leaves_no_face_clear(photo: Image, angle: float) -> None:
    assert not is_clear(MotionBlur(9, angle)(photo), similarity(FACE, CROP), CROP)


def test_a_small_clear_face_is_judged_at_its_own_scale(photo: Image) -> None:
    small = np.asarray(cv2.resize(photo, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)
    matrix = similarity((FACE + 0.5) / 2 - 0.5, CROP)
    assert is_clear(small, matrix, CROP)
    soft = np.asarray(cv2.resize(small, (512, 512), interpolation=cv2.INTER_CUBIC), np.uint8)
    soft = np.asarray(cv2.resize(soft, (1024, 1024), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert edge_sigma(soft) > CLEAR_SIGMA


# Blending


def test_a_mask_covers_the_cover_and_ends_inside_the_crop() -> None:
    matrix = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    cover = CoveredRegion(Box(40, 50, 90, 100), Operator("mosaic", (8.0, 8.0), (0.0, 0.0), 1.0))
    mask = region_mask(matrix, CROP, cover)
    assert mask[50:100, 40:90].min() == 1
    assert mask[50 - 10, 60] == 0
    assert mask[70, 90 + 10] == 0
    whole = CoveredRegion(Box(-50, -50, 300, 300), cover.operator)
    for each in (region_mask(matrix, CROP, whole), region_mask(matrix, CROP, None)):
        assert each[0].max() == each[-1].max() == each[:, 0].max() == each[:, -1].max() == 0


def test_colour_is_matched_and_features_are_kept() -> None:
    rng = np.random.default_rng(3)
    given_ = np.full((CROP, CROP, 3), 120, np.float32)
    features = cv2.GaussianBlur(rng.normal(0, 60, given_.shape), (0, 0), 1).astype(np.float32)
    made = given_ + features + np.array([20, -10, 5], np.float32)
    mask = region_mask(np.array([[1.0, 0, 0], [0, 1.0, 0]]), CROP, None)
    matched = matched_colour(made, given_, mask)
    rim = (mask > 0.1) & (mask < 0.9)
    assert np.abs((matched - given_)[rim].mean(axis=0)).max() < 5
    assert np.abs((made - given_)[rim].mean(axis=0)).max() > 15
    inner = (slice(40, 88), slice(40, 88))
    for channel in range(3):
        left, feature = (matched - given_)[inner][..., channel], features[inner][..., channel]
        assert np.corrcoef(left.ravel(), feature.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("sigma", [2.0, 5.0])
def test_noise_is_measured(sigma: float) -> None:
    ramp = np.tile(np.linspace(60, 180, 200), (200, 1))[..., None].repeat(3, axis=2)
    noise = np.random.default_rng(0).normal(0, sigma, (200, 200, 1))
    noisy = np.clip(np.rint(ramp + noise), 0, 255).astype(np.uint8)
    assert noise_sigma(noisy) == pytest.approx(sigma, rel=0.1)


def test_grain_is_that_of_the_surroundings() -> None:
    rng = np.random.default_rng(0)
    noisy = np.clip(rng.normal(128, 4, (200, 200, 1)), 0, 255).astype(np.uint8).repeat(3, axis=2)
    window = (slice(60, 140), slice(60, 140))
    layer = Layer(window, np.ones((80, 80), np.float32), np.zeros((80, 80, 3), np.float32))
    assert not with_grain(layer, noisy, rng).change.any()  # it has that grain already
    noisy[window] = 128
    grain = with_grain(layer, noisy, rng).change
    assert grain.std() == pytest.approx(4, rel=0.15)
    flat = np.full_like(noisy, 128)
    assert not with_grain(layer, flat, rng).change.any()


def test_layers_that_overlap_are_not_added_up() -> None:
    picture = np.full((20, 20, 3), 100, np.uint8)
    ones, change = np.ones((10, 10), np.float32), np.full((10, 10, 3), 40, np.float32)
    layers = [
        Layer((slice(0, 10), slice(0, 10)), ones, change),
        Layer((slice(5, 15), slice(5, 15)), ones, change),
    ]
    result, synthesised = compose(picture, layers)
    assert set(np.unique(result[synthesised])) == {140}
    assert set(np.unique(result[~synthesised])) == {100}
    assert synthesised.sum() == 175
