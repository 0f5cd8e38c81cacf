"""Covers as they come out of photos: drawn there, and turned with the face when it is cut out.

Degrading the aligned crop itself is simpler, and wrong in one way: a mosaic's cells then lie along
the crop's pixels. In a photo they lie along the photo's, and the alignment turns and resamples
them.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from seethrough import degrade
from seethrough.degrade import Degradation, Ellipse, Float, Mosaic, Within, scaled
from seethrough.geometry import Matrix, crop, invert, transform
from seethrough.types import Box

TURN = 6.0
"""Standard deviation of a face's tilt, in degrees."""
SMALLEST, LARGEST = 0.9, 1.8
"""Pixels of the photo for each of the crop."""
GRAIN = (0.002, 0.06)
"""Strength, on [0, 1], of detail finer than the crop's pixels: smooth skin to beards and noise."""
_MARGIN = 1.3  # of the crop's side: what of the photo is drawn around it


def random_view(size: int, rng: np.random.Generator) -> tuple[Matrix, int, float]:
    """Draw where a crop lies in a photo.

    Returns
    -------
    matrix : ndarray
        ``float64 (2, 3)``, photo to crop.
    side : int
        Of the square part of the photo around the crop, in pixels.
    scale : float
        Pixels of the photo for each of the crop.
    """
    scale = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))
    angle = np.deg2rad(np.clip(rng.normal(0, TURN), -2.5 * TURN, 2.5 * TURN))
    side = int(np.ceil(_MARGIN * size * scale))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    middle = np.full(2, (side - 1) / 2) + rng.uniform(-0.5, 0.5, 2)
    return np.column_stack([turn, (size - 1) / 2 - turn @ middle]), side, scale


def moved(operator: Degradation, matrix: Matrix, scale: float) -> Degradation:
    """Bring an operator of the crop to the photo; its region stays upright there.

    Parameters
    ----------
    operator : Degradation
        In pixels of the crop.
    matrix : ndarray
        ``float64 (2, 3)``, photo to crop.
    scale : float
        Pixels of the photo for each of the crop.
    """
    larger = scaled(operator, scale)
    if not isinstance(operator, Within) or not isinstance(larger, Within):
        return larger
    region = operator.region
    centre = region.centre
    x, y = transform(invert(matrix), np.array([centre]) - 0.5)[0] + 0.5
    if isinstance(region, Ellipse):
        a, b = (v * scale for v in region.half_axes)
        return replace(larger, region=Ellipse((x, y), (a, b)))
    a, b = region.width / 2 * scale, region.height / 2 * scale
    return replace(larger, region=Box(x - a, y - b, x + a, y + b))


def with_grain(photo: Float, operator: Degradation, rng: np.random.Generator) -> Float:
    """Give a photo the fine detail that a mosaic would sample.

    Cells of one pixel each carry all of a photo's detail, down to its grain; faces of 128 px have
    lost most of it, and cells sampled from them pass for means. All other covers average it away.

    Parameters
    ----------
    photo : Float
        ``float32 (H, W, 3)`` on [0, 1].
    operator : Degradation
        What will be applied; without sampled cells the photo comes back as it is.
    rng : numpy.random.Generator
        Source of the grain and of its strength.

    Returns
    -------
    Float
        ``float32 (H, W, 3)`` on [0, 1], with grain where the operator will cover it.
    """
    inner = operator.operator if isinstance(operator, Within) else operator
    if not isinstance(inner, Mosaic) or not inner.sampled:
        return photo
    strength = float(np.exp(rng.uniform(np.log(GRAIN[0]), np.log(GRAIN[1]))))
    grained = photo + np.float32(strength) * rng.standard_normal(photo.shape, np.float32)
    covered: Float = np.clip(grained, 0, 1)
    if isinstance(operator, Within):
        covered = np.where(operator.alpha(*photo.shape[:2])[..., None] > 0, covered, photo)
    return covered


def covered_in_photo(clean: Float, operator: Degradation, rng: np.random.Generator) -> Float:
    """Degrade a crop as if it lay in a photo, and cut it out again.

    Parameters
    ----------
    clean : Float
        ``float32 (N, N, 3)`` on [0, 1].
    operator : Degradation
        In pixels of the crop.
    rng : numpy.random.Generator
        Source of the view, and of what the operator draws.

    Returns
    -------
    Float
        Like ``clean``; the very same where the operator does not reach.
    """
    size = len(clean)
    matrix, side, scale = random_view(size, rng)
    photo = cv2.warpAffine(
        clean, invert(matrix), (side, side), flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT_101,
    )  # fmt: skip
    there = moved(operator, matrix, scale)
    photo = with_grain(np.clip(np.asarray(photo, np.float32), 0, 1), there, rng)
    given = degrade.to_uint8(there.apply(photo, rng))
    back = degrade.to_float(crop(given, matrix, size))
    if not isinstance(there, Within):
        return back
    # What is clear has been resampled twice on its way; in a photo it is not.
    reach = degrade.to_uint8(np.repeat(there.alpha(side, side)[..., None], 3, axis=2))
    alpha = degrade.to_float(crop(reach, matrix, size))
    return np.asarray(clean + (back - clean) * alpha, np.float32)
