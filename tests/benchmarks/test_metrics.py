"""PROTOCOL's metrics against independent references."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio

from benchmarks import metrics


@pytest.fixture
def pair(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    smooth = gaussian_filter(rng.uniform(0, 255, (48, 40, 3)), (3, 3, 0)) * 4 % 255
    noisy = np.clip(smooth + rng.normal(0, 12, smooth.shape), 0, 255)
    return smooth.astype(np.uint8), noisy.astype(np.uint8)


def test_psnr_matches_scikit_image(pair: tuple[np.ndarray, np.ndarray]) -> None:
    assert metrics.psnr(*pair) == pytest.approx(peak_signal_noise_ratio(*pair), abs=1e-9)


def test_psnr_of_one_level_everywhere() -> None:
    a = np.full((4, 4, 3), 100, np.uint8)
    assert metrics.psnr(a, a + 1) == pytest.approx(20 * math.log10(255))


def test_psnr_does_not_wrap_around() -> None:
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert metrics.psnr(black, white) == pytest.approx(0)


def test_psnr_is_infinite_for_equal_pictures(pair: tuple[np.ndarray, np.ndarray]) -> None:
    assert metrics.psnr(pair[0], pair[0]) == math.inf


def test_ssim_matches_its_definition(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """Wang et al. 2004 by hand: local means, variances and covariance under a Gaussian."""
    a, b = (p.astype(np.float64) / 255 for p in pair)

    def local(x: np.ndarray) -> np.ndarray:
        return gaussian_filter(x, (1.5, 1.5, 0), truncate=3.5, mode="reflect")

    samples = 11**2 / (11**2 - 1)  # scikit-image takes sample, not population, covariance
    mean_a, mean_b = local(a), local(b)
    var_a = samples * (local(a * a) - mean_a**2)
    var_b = samples * (local(b * b) - mean_b**2)
    cov = samples * (local(a * b) - mean_a * mean_b)
    c1, c2 = 0.01**2, 0.03**2
    score = ((2 * mean_a * mean_b + c1) * (2 * cov + c2)) / (
        (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    )
    expected = score[5:-5, 5:-5].mean()
    assert metrics.ssim(*pair) == pytest.approx(expected, abs=1e-6)


def test_ssim_of_equal_pictures_is_one(pair: tuple[np.ndarray, np.ndarray]) -> None:
    assert metrics.ssim(pair[0], pair[0]) == pytest.approx(1)


@pytest.mark.parametrize("score", [metrics.psnr, metrics.ssim])
def test_pictures_that_do_not_match_are_refused(score: object) -> None:
    a = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(ValueError, match="shape"):
        score(a, a[:8])
    with pytest.raises(TypeError, match="8-bit"):
        score(a, a.astype(np.float32))


def test_mean_is_of_the_scores_not_of_the_errors(rng: np.random.Generator) -> None:
    a = np.zeros((2, 8, 8, 3), np.uint8)
    b = np.stack([np.full((8, 8, 3), level, np.uint8) for level in (1, 100)])
    found = metrics.estimate(metrics.psnr_each(a, b), rng).mean
    assert found == pytest.approx((20 * math.log10(255) + 20 * math.log10(2.55)) / 2)


def test_interval_is_the_same_for_the_same_generator() -> None:
    values = np.random.default_rng(3).normal(5, 2, 50)
    first, second = (metrics.estimate(values, np.random.default_rng(1)) for _ in range(2))
    assert first == second
    assert first != metrics.estimate(values, np.random.default_rng(2))


def test_interval_agrees_with_the_normal_one() -> None:
    values = np.random.default_rng(3).normal(5, 2, 400)
    found = metrics.estimate(values, np.random.default_rng(1), resamples=4000)
    half = 1.96 * values.std(ddof=1) / math.sqrt(len(values))
    assert found.low == pytest.approx(values.mean() - half, abs=0.03)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03)
    assert found.n == 400


def test_share_of_booleans(rng: np.random.Generator) -> None:
    assert metrics.estimate([True, False, True, True], rng).mean == 0.75


def test_one_value_is_its_own_interval(rng: np.random.Generator) -> None:
    found = metrics.estimate([7.0], rng)
    assert (found.mean, found.low, found.high) == (7, 7, 7)


@pytest.mark.parametrize("values", [[], [[1.0]], [1.0, math.inf], [math.nan]])
def test_means_of_nonsense_are_refused(values: list[float], rng: np.random.Generator) -> None:
    with pytest.raises(ValueError, match=r"value|mean"):
        metrics.estimate(values, rng)
