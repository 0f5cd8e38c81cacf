"""PROTOCOL section 3: PSNR, SSIM, means with their intervals.

LPIPS is in :mod:`benchmarks.lpips`, identity distance in :mod:`benchmarks.identity`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from skimage.metrics import structural_similarity

from benchmarks.results import Estimate
from seethrough.types import Image

Crops = npt.NDArray[np.uint8]
"""``uint8 (N, H, W, 3)`` RGB."""
Scores = npt.NDArray[np.float64]
"""``float64 (N,)``: one score for each picture."""

RESAMPLES = 2000
"""Bootstrap draws for an interval."""


def _checked(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> None:
    if a.shape != b.shape:
        raise ValueError(f"pictures differ in shape: {a.shape} and {b.shape}")
    if a.dtype != np.uint8 or b.dtype != np.uint8:
        raise TypeError(f"8-bit pictures expected, not {a.dtype} and {b.dtype}")


def psnr(a: Image, b: Image) -> float:
    """Peak signal-to-noise ratio over all pixels and channels, in dB.

    Parameters
    ----------
    a, b : Image
        ``uint8``, of one shape.

    Returns
    -------
    float
        ``inf`` where the pictures are equal.
    """
    _checked(a, b)
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def ssim(a: Image, b: Image) -> float:
    """Structural similarity, range [-1, 1]: scikit-image, Gaussian weights, sigma 1.5.

    The channel axis is the last and the data range 1, as PROTOCOL says.
    """
    _checked(a, b)
    score = structural_similarity(  # type: ignore[no-untyped-call]
        a.astype(np.float64) / 255,
        b.astype(np.float64) / 255,
        gaussian_weights=True,
        sigma=1.5,
        channel_axis=-1,
        data_range=1.0,
    )
    return float(score)


def psnr_each(a: Crops, b: Crops) -> Scores:
    """PSNR of each pair, in dB."""
    return np.array([psnr(x, y) for x, y in zip(a, b, strict=True)])


def ssim_each(a: Crops, b: Crops) -> Scores:
    """SSIM of each pair."""
    return np.array([ssim(x, y) for x, y in zip(a, b, strict=True)])


def estimate(
    values: npt.ArrayLike, rng: np.random.Generator, *, resamples: int = RESAMPLES
) -> Estimate:
    """Mean with its 95 % percentile bootstrap interval.

    Parameters
    ----------
    values : array_like
        ``(N,)`` finite scores, one for each independent picture; booleans give a share.
    rng : numpy.random.Generator
        Draws the resamples.
    resamples : int
        How many.

    Raises
    ------
    ValueError
        Where there is no value or one is not finite.
    """
    scores = np.asarray(values, np.float64)
    if scores.ndim != 1 or scores.size == 0:
        raise ValueError("a mean needs a flat, non-empty list of values")
    if not np.isfinite(scores).all():
        raise ValueError("a value is not finite: say what it means before it is averaged")
    means = np.empty(resamples)
    for i in range(resamples):  # one draw at a time: N may be large
        means[i] = scores[rng.integers(0, scores.size, scores.size)].mean()
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(scores.mean()), float(low), float(high), int(scores.size))
