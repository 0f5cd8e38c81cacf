"""The dial between the posterior mean and the realistic picture."""

from __future__ import annotations

import numpy as np
import pytest

from seethrough.restorer.dial import blended

DIALS = (0.1, 0.3, 0.5, 0.7, 0.9)


def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    made = rng.random((2, 2, 3, 128, 128)).astype(np.float32)
    return made[0], made[1]


def coarse(amount: float) -> np.ndarray:
    """A change without fine detail: a slow wave."""
    wave = np.sin(np.arange(128) / 128 * 2 * np.pi).astype(np.float32)
    return np.broadcast_to(np.float32(amount) * wave, (1, 3, 128, 128))


def fine(amount: float) -> np.ndarray:
    """A change of nothing but the finest detail: a chequered pattern."""
    cells = np.indices((128, 128)).sum(axis=0) % 2 * 2 - 1
    return np.broadcast_to(np.float32(amount) * cells.astype(np.float32), (1, 3, 128, 128))


def test_its_ends_are_the_two_pictures() -> None:
    mean, realistic = pair()
    assert np.array_equal(blended(mean, realistic, 0.0), mean)
    assert np.abs(blended(mean, realistic, 1.0) - realistic).max() < 1e-6


def test_where_both_agree_nothing_is_made_up() -> None:
    mean, _ = pair()
    for dial in DIALS:
        assert np.abs(blended(mean, mean, dial) - mean).max() < 1e-6


@pytest.mark.parametrize("dial", DIALS)
def test_detail_comes_before_structure(dial: float) -> None:
    mean = np.full((1, 3, 128, 128), 0.5, np.float32)
    share = {
        change: float(
            np.abs(blended(mean, mean + change(0.2), dial) - mean).mean()
            / np.abs(change(0.2)).mean()
        )
        for change in (coarse, fine)
    }
    assert share[fine] >= 0.99 * dial
    assert 0 < share[coarse] < dial**2


def test_colour_comes_last() -> None:
    mean = np.full((1, 3, 128, 128), 0.5, np.float32)
    stain = fine(0.2) * np.array([1, -0.509, 0], np.float32)[:, None, None]  # as bright as before
    taken = [
        np.abs(blended(mean, mean + stain, dial) - mean).mean() / np.abs(stain).mean()
        for dial in (0.5, 0.7, 1.0)
    ]
    assert taken[0] < taken[1] < 0.1
    assert taken[2] == pytest.approx(1, abs=1e-3)


def test_it_never_goes_back() -> None:
    mean = np.full((1, 3, 128, 128), 0.5, np.float32)
    stain = fine(0.2) * np.array([1, -0.509, 0], np.float32)[:, None, None]
    for change in (coarse(0.2), fine(0.2), stain):
        amounts = [np.abs(blended(mean, mean + change, d) - mean).mean() for d in (0, *DIALS, 1)]
        assert (np.diff(amounts) > 0).all()


def test_pictures_have_no_part_in_one_another() -> None:
    mean, realistic = pair()
    together = blended(mean, realistic, 0.7)
    assert np.array_equal(together[1:], blended(mean[1:], realistic[1:], 0.7))
