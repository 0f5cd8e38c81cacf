"""Where is a picture covered, and how was the cover made? The inverse of :mod:`degrade`.

Everything here looks at the picture alone, without an original: :func:`find_covered` searches a
whole picture, :func:`estimate` explains one box of it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.errors import UsageError
from seethrough.operators import blur, mosaic, solid
from seethrough.types import Box, CoveredRegion, Image, Operator

__all__ = ["estimate", "find_covered"]


def find_covered(picture: Image) -> tuple[CoveredRegion, ...]:
    """Find the covered regions of a picture, surest first.

    Parameters
    ----------
    picture : Image
        ``uint8 (H, W, 3)``, RGB.

    Returns
    -------
    tuple of CoveredRegion
        Empty for a clean picture. Boxes are in pixels; one place is reported once. A region
        that fills the whole picture is found if it is a mosaic; for blur without sharp
        surroundings ask :func:`estimate`.
    """
    _check(picture)
    luma = luma_of(picture)
    found: list[CoveredRegion] = []
    for regions in (mosaic.find(luma), solid.find(picture), blur.find(luma)):
        # One place has one cover, and the operators that leave more traces come first.
        found += [r for r in regions if not any(r.box.overlap(f.box) > 0.3 for f in found)]
    return tuple(sorted(found, key=lambda r: -r.operator.confidence))


def estimate(picture: Image, box: Box) -> Operator | None:
    """Say how one box of a picture was covered.

    Parameters
    ----------
    picture : Image
        ``uint8 (H, W, 3)``, RGB.
    box : Box
        Pixels of ``picture``; what lies outside the picture is left out. The whole picture is a
        box too.

    Returns
    -------
    Operator or None
        ``None`` where the box does not look covered, or is too small to tell. Without
        surroundings to compare with, a picture enlarged from a small one or out of focus reads as
        a Gaussian blur.
    """
    _check(picture)
    height, width = picture.shape[:2]
    x0, y0 = max(0, round(box.x0)), max(0, round(box.y0))
    x1, y1 = min(width, round(box.x1)), min(height, round(box.y1))
    if x1 <= x0 or y1 <= y0:
        return None
    part = picture[y0:y1, x0:x1]
    filled = solid.estimate(part)
    if filled is not None:
        return filled
    luma = luma_of(part)
    region = mosaic.estimate(luma)
    if region is not None and region.box.overlap(Box(0, 0, x1 - x0, y1 - y0)) > 0.5:
        return mosaic.moved(region.operator, x0, y0)
    return blur.estimate(luma)


def _check(picture: Image) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise UsageError(
            f"a picture of shape {picture.shape} and type {picture.dtype}",
            "give uint8 (H, W, 3), RGB",
        )


def luma_of(picture: Image) -> npt.NDArray[np.float32]:
    """Luma of a picture, ``float32 (H, W)``, levels 0-255."""
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, np.float32)
