"""Patterns that repeat every four pixels are taken away, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.data import astronaut

from seethrough.restorer import Restorer
from seethrough.restorer.checkerboard import PERIOD, without_checkerboard


@pytest.fixture
def face() -> np.ndarray:
    crop = astronaut()[48:176, 160:288].astype(np.float32) / 255
    return np.ascontiguousarray(crop.transpose(2, 0, 1))[None]


def test_a_photo_stays_as_it_is(face: np.ndarray) -> None:
    assert np.abs(without_checkerboard(face) - face).max() < 0.02
    assert np.sqrt(np.square(without_checkerboard(face) - face).mean()) < 0.006


def test_a_pattern_goes_and_what_lies_under_it_stays(
    face: np.ndarray, rng: np.random.Generator
) -> None:
    pattern = 0.1 * rng.standard_normal((1, 3, PERIOD, PERIOD)).astype(np.float32)
    chequered = face + np.tile(pattern, (1, 1, 32, 32))
    expected = without_checkerboard(face) + pattern.mean(axis=(2, 3), keepdims=True)
    np.testing.assert_allclose(without_checkerboard(chequered), expected, atol=1e-5)


def test_it_is_done_once_and_means_stay(face: np.ndarray) -> None:
    once = without_checkerboard(face)
    np.testing.assert_allclose(without_checkerboard(once), once, atol=1e-5)
    np.testing.assert_allclose(once.mean(axis=(2, 3)), face.mean(axis=(2, 3)), atol=1e-5)


def test_pictures_have_no_part_in_one_another(face: np.ndarray) -> None:
    both = np.concatenate([face, face[:, :, ::-1]])
    np.testing.assert_array_equal(without_checkerboard(both)[1:], without_checkerboard(both[1:]))


def test_realistic_faces_have_none() -> None:
    crop = astronaut()[48:176, 160:288]
    shown = Restorer("cpu", threads=1, realism=1.0).restore_crops(crop[None], ["face"])
    folded = shown.astype(float).reshape(32, PERIOD, 32, PERIOD, 3).mean(axis=(0, 2))
    assert np.abs(folded - folded.mean(axis=(0, 1))).max() < 0.6  # of a level: rounding, clipping
