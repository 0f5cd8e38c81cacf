"""Does the original show through a cover? Its gradients, correlated with the cover's."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.types import Image

RING = 12
"""Pixels inside a cover's border in which a codec mixes what lies on both sides."""

_SIDE = 160  # long side of the copies that are compared, in pixels
_LEAST = 60  # pixels of a copy from which a correlation says anything
_LEVEL = 0.12  # correlation that is structure, however many pixels
_SIGMAS = 5.0  # and so many standard deviations of unrelated pictures'
_GRAIN = 6.0  # pixels that vary as one, after smoothing
_FLAT = 0.02  # levels a pixel: gradients below it are one colour

Floats = npt.NDArray[np.float32]


def shows_through(original: Image, output: Image, cover: npt.NDArray[np.bool_]) -> bool:
    """Tell whether a cover's inside has structure of the original.

    Parameters
    ----------
    original, output : Image
        The part around one cover, ``uint8 (h, w, 3)``.
    cover : ndarray
        ``bool (h, w)``: covered pixels.

    Notes
    -----
    Smooth changes, which a soft blur has too, are taken away from the gradients first; the
    correlation of unrelated pictures is near 0, with a deviation of one over the root of the number
    of independent pixels that have a say. Those are few where both pictures vary in the same few
    places: a codec leaves a black cover's inside empty but for some blocks, and one of them may lie
    on the only strong edge of a face. Independence is not assumed of their strengths, then, but
    only of their directions: H. White's deviation (Econometrica 48, 1980), of a slope whose
    residuals vary from place to place.
    """
    found = correlation(original, output, cover)
    return found is not None and found[0] > max(_LEVEL, _SIGMAS * found[1])


def correlation(
    original: Image, output: Image, cover: npt.NDArray[np.bool_]
) -> tuple[float, float] | None:
    """Return the correlation of gradients inside a cover, and its deviation by chance.

    ``None`` where the cover is too small to say, or one colour.
    """
    deep = _inside(cover)
    height, width = cover.shape
    factor = max(height, width) / _SIDE
    size = (width, height)
    if factor > 1:
        size = (max(round(width / factor), 1), max(round(height / factor), 1))
        deep = np.asarray(cv2.resize(deep, size, interpolation=cv2.INTER_AREA), np.uint8)
    # Gradients reach two pixels far, and must not meet the border of the cover.
    sure = np.pad((deep == 255).view(np.uint8), 1)
    inside = np.asarray(cv2.erode(sure, np.ones((5, 5), np.uint8)), np.uint8)[1:-1, 1:-1]
    count = int(cv2.countNonZero(inside))
    if count < _LEAST:
        return None
    before, after = (_gradients(picture, size, inside) for picture in (original, output))
    energy = float(np.vdot(before, before)), float(np.vdot(after, after))
    if min(energy) < count * _FLAT**2:
        return None
    scale = math.sqrt(energy[0] * energy[1])
    together = float(np.vdot(before, after)) / scale
    # Both strong at one place count there as one, whatever the number of pixels around.
    shared = float(np.vdot((before * before).sum(axis=-1), (after * after).sum(axis=-1)))
    uneven = math.sqrt(_GRAIN * shared / 2) / scale
    return together, max(uneven, math.sqrt(_GRAIN / (2 * count)))


def _inside(cover: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Return what lies deeper inside a cover than a codec's ringing, as 0 and 255."""
    ring = min(RING, max(2, min(cover.shape) // 8))
    padded = np.pad(cover.view(np.uint8), 1)  # the picture's border is a border
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return np.where(np.asarray(distance) > ring, 255, 0).astype(np.uint8)


def _gradients(picture: Image, size: tuple[int, int], inside: npt.NDArray[np.uint8]) -> Floats:
    """Return gradients without their smooth part, 0 outside, ``float32 (h, w, 2)``."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    luma = cv2.resize(grey.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    both = np.stack(
        [
            np.asarray(cv2.Sobel(luma, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)),
            np.asarray(cv2.Sobel(luma, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)),
        ],
        axis=-1,
    )
    weight = (inside > 0).astype(np.float32)
    near = cv2.GaussianBlur(both * weight[..., None], (0, 0), 4.0)
    share = np.maximum(np.asarray(cv2.GaussianBlur(weight, (0, 0), 4.0)), 1e-3)
    fine = (both - np.asarray(near) / share[..., None]) * weight[..., None]
    return np.ascontiguousarray(fine, np.float32)
