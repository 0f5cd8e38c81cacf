"""The kernel of a blurred region: Gaussian or box, and its size.

The energies of a region's derivatives, order by order and after further smoothing by known
amounts, are moments of its power spectrum. For a Gaussian of sigma over a power spectrum
``w ** -b``, smoothed by ``t``, with ``S = sigma ** 2 + t ** 2``: the energy of order n over that
of order n + 1 is ``2 S / (2 n + 2 - b)``. What the picture's spectrum, a codec and the box
kernel's heavier tail do to those ratios is fitted: a quadratic regression whose coefficients
``benchmarks.operator_finder --fit`` writes to ``assets/operators.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.operators.parameters import parameters
from seethrough.operators.steps import Plane

Vector = npt.NDArray[np.float64]

_SPREADS = (0.2, 0.35, 0.5, 0.75, 1.0)  # further smoothing, in change lengths
_ORDERS = 4
FEATURES = len(_SPREADS) * (_ORDERS - 1) + 3
"""Number of features that :func:`features` returns."""
_BINOMIALS = ((1.0, 1.0), (1.0, 2.0, 1.0), (1.0, 3.0, 3.0, 1.0), (1.0, 4.0, 6.0, 4.0, 1.0))
_FIRST = np.array([[-0.5, 0.0, 0.5]], np.float32)
_LEAST_SIDE = 16  # pixels
_INSIDE, _CORE = 0.84, 0.68  # of the ellipse: what is read, and where derivatives are trusted
LARGEST_SIDE = 160  # pixels: larger regions are reduced first


def features(luma: Plane) -> tuple[float, Vector] | None:
    """Change length of a region in pixels, and scale-free features of its spectrum.

    Parameters
    ----------
    luma : Plane
        The region's bounding box, levels 0-255; only the inscribed ellipse is read.

    Returns
    -------
    tuple of float and ndarray, or None
        ``None`` where the region is too small or shows nothing.
    """
    if min(luma.shape) < _LEAST_SIDE:
        return None
    reduction = max(1.0, max(luma.shape) / LARGEST_SIDE)
    if reduction > 1:
        size = (round(luma.shape[1] / reduction), round(luma.shape[0] / reduction))
        if min(size) < _LEAST_SIDE:
            return None
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.float32)
    height, width = luma.shape
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height * 2 - 1
    x = (np.arange(width, dtype=np.float32)[None] + 0.5) / width * 2 - 1
    radius = x * x + y * y
    inside = (radius < _INSIDE**2).astype(np.float32)
    core = radius < _CORE**2
    centred = (luma - float(luma[inside > 0].mean())) * inside
    limit = 0.12 * min(height, width)

    def energies(spread: float, orders: int) -> list[float]:
        weight = cv2.GaussianBlur(inside, (0, 0), spread)
        derivatives = [cv2.GaussianBlur(centred, (0, 0), spread) / (weight + 1e-3)]
        out = []
        for binomial in _BINOMIALS[:orders]:
            last = cv2.filter2D(derivatives[-1], -1, _FIRST.T)
            derivatives = [cv2.filter2D(d, -1, _FIRST) for d in derivatives] + [last]
            parts = zip(derivatives, binomial, strict=True)
            out.append(sum(b * float((d[core] ** 2).mean()) for d, b in parts) + 1e-7)
        return out

    length, spread = 1.0, 1.0
    for _ in range(3):  # at a spread that suits the length, noise counts for little
        e1, e2 = energies(spread, 2)
        length = float(np.sqrt(max(e1 / e2 - spread**2, 1.0)))
        spread = float(np.clip(0.5 * length, 1.0, limit))
    if e1 < 1e-3:
        return None
    length = min(length, 0.35 * min(height, width))
    values = []
    for share in _SPREADS:
        spread = max(0.8, share * length)
        e = energies(spread, _ORDERS)
        values += [float(np.log(e[n] / e[n + 1]) - 2 * np.log(length)) for n in range(_ORDERS - 1)]
    values += [float(np.log(length)), float(np.log(length / min(height, width))), float(np.log(e1))]
    return length * reduction, np.array(values)


@dataclass(frozen=True, slots=True)
class Kernel:
    """What blurred a region: its kind, its size in pixels along x and y, and how sure that is."""

    kind: Literal["gauss", "box"]
    size: tuple[float, float]
    confidence: float


def explain(length: float, spectrum: Vector, *, scale: float = 1.0) -> Kernel:
    """Read the kernel from a region's change length and features.

    Sizes are divided by ``scale``, that of the picture measured.
    """
    length /= scale
    logit = parameters().is_gauss(spectrum)
    confidence = float(1 / (1 + np.exp(-abs(logit))))
    if logit >= 0:
        sigma = length * float(np.exp(parameters().log_sigma(spectrum)))
        return Kernel("gauss", (sigma, sigma), confidence)
    side = length * float(np.exp(parameters().log_side(spectrum)))
    return Kernel("box", (side, side), confidence)
