"""Covers drawn in a photo and cut out with the face."""

from __future__ import annotations

import numpy as np
import pytest

from seethrough import degrade
from seethrough.degrade import Degradation, Ellipse, Within
from seethrough.geometry import invert, scale_of, transform
from seethrough.types import Box
from training import photo_space
from training.data import Mix, random_degradation


def face(seed: int = 3) -> np.ndarray:
    """Soft, so that resampling does it little harm."""
    noise = np.random.default_rng(seed).random((128, 128, 3), np.float32)
    soft = degrade.GaussianBlur(4).apply(noise)
    return np.asarray((soft - soft.min()) / np.ptp(soft), np.float32)


@pytest.mark.parametrize("seed", range(40))
def test_the_whole_crop_lies_in_its_photo(seed: int) -> None:
    matrix, side, scale = photo_space.random_view(128, np.random.default_rng(seed))
    assert 1 / scale_of(matrix) == pytest.approx(scale)
    middle = transform(invert(matrix), np.array([[63.5, 63.5]]))[0]
    assert np.abs(middle - (side - 1) / 2).max() <= 0.5
    corners = np.array([[0, 0], [127, 0], [0, 127], [127, 127]], np.float64)
    there = transform(invert(matrix), corners)
    assert there.min() >= 0
    assert there.max() <= side - 1


def test_a_cover_that_does_nothing_gives_the_crop_back() -> None:
    clean = face()
    for seed in range(4):
        given = photo_space.covered_in_photo(clean, degrade.Mosaic(1), np.random.default_rng(seed))
        assert given.dtype == np.float32
        assert np.abs(given - clean)[8:-8, 8:-8].mean() < 0.02


def test_what_a_partial_cover_leaves_is_not_resampled() -> None:
    clean, box = face(), Box(40, 40, 90, 100)
    for seed in range(4):
        given = photo_space.covered_in_photo(
            clean, Within(degrade.Mosaic(10), box), np.random.default_rng(seed)
        )
        far = np.ones((128, 128), np.bool_)
        far[20:120, 20:110] = False
        np.testing.assert_array_equal(given[far], clean[far])
        assert np.abs(given - clean)[60:80, 50:80].mean() > 0.02


@pytest.mark.parametrize(
    "region", [Box(30, 40, 80, 110), Ellipse((60, 70), (25, 35))], ids=["box", "ellipse"]
)
def test_a_region_keeps_its_place_and_size(region: Box | Ellipse) -> None:
    rng = np.random.default_rng(1)
    matrix, _, scale = photo_space.random_view(128, rng)
    there = photo_space.moved(Within(degrade.Mosaic(8), region, 2.0), matrix, scale)
    assert isinstance(there, Within)
    assert there.feather == pytest.approx(2 * scale)
    assert isinstance(there.operator, degrade.Mosaic)
    assert there.operator.cell == pytest.approx(8 * scale)
    back = transform(matrix, np.array([there.region.centre]) - 0.5)[0] + 0.5
    np.testing.assert_allclose(back, region.centre)
    if isinstance(there.region, Box) and isinstance(region, Box):
        assert there.region.width == pytest.approx(region.width * scale)
        assert there.region.height == pytest.approx(region.height * scale)
    elif isinstance(there.region, Ellipse) and isinstance(region, Ellipse):
        assert there.region.half_axes == pytest.approx([v * scale for v in region.half_axes])
    else:
        pytest.fail("the region became another shape")


def test_operators_of_the_whole_crop_are_only_scaled() -> None:
    operator: Degradation = degrade.GaussianBlur(3.0)
    matrix, _, scale = photo_space.random_view(128, np.random.default_rng(2))
    assert photo_space.moved(operator, matrix, scale) == degrade.scaled(operator, scale)


def test_a_mosaics_cells_are_turned() -> None:
    """Rows of the crop no longer repeat within a cell, as they do when degraded in place."""
    rng = np.random.default_rng(5)
    given = photo_space.covered_in_photo(face(), degrade.Mosaic(16), rng)
    in_place = degrade.Mosaic(16).apply(face())
    repeats = [
        np.mean(np.abs(np.diff(p, axis=0)).max(axis=(1, 2)) < 1e-3) for p in (given, in_place)
    ]
    assert repeats[0] < 0.3 < repeats[1]


def test_the_mix_draws_them(faces: np.ndarray) -> None:
    """With nothing but turned mosaics, no degradation of a face is one of the crop's own."""
    mix = Mix(x4=0, x8=0, mixed=0, gauss=0, box=0, motion=0, codec=0, partial=0, turned=1)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        clean = degrade.to_float(faces[seed % len(faces)])
        degraded, operator = random_degradation(clean, False, mix, rng)
        assert operator is None
        assert degraded.shape == clean.shape
        assert np.mean(np.abs(np.diff(degraded, axis=0)).max(axis=(1, 2)) < 1e-3) < 0.4


def test_only_sampled_cells_see_the_grain() -> None:
    clean, box = face(), Box(40, 40, 90, 100)
    for operator in (degrade.Mosaic(9), degrade.GaussianBlur(4), Within(degrade.Mosaic(9), box)):
        given = photo_space.with_grain(clean, operator, np.random.default_rng(1))
        np.testing.assert_array_equal(given, clean)
    sampled = degrade.Mosaic(9, sampled=True)
    grained = photo_space.with_grain(clean, sampled, np.random.default_rng(1))
    assert photo_space.GRAIN[0] / 2 < (grained - clean).std() < 2 * photo_space.GRAIN[1]
    assert grained.min() >= 0
    assert grained.max() <= 1


def test_grain_lies_under_the_cover_alone() -> None:
    clean, box = face(), Box(40, 40, 90, 100)
    sampled = Within(degrade.Mosaic(9, sampled=True), box)
    grained = photo_space.with_grain(clean, sampled, np.random.default_rng(1))
    inside = np.zeros((128, 128), np.bool_)
    inside[40:100, 40:90] = True
    np.testing.assert_array_equal(grained[~inside], clean[~inside])
    assert (grained != clean)[inside].mean() > 0.9
