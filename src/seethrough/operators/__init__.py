"""Where is a picture covered, and how was the cover made? The inverse of :mod:`degrade`.

Everything here looks at the picture alone, without an original: :func:`find_covered` searches a
whole picture, :func:`estimate` explains one box of it.
"""

from __future__ import annotations

import cv2
import numpy as np

from seethrough.operators import blur, mosaic
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
        Empty for a clean picture.
    """
    luma = _luma(picture)
    mosaics = mosaic.find(luma)
    found = list(mosaics)
    for box, confidence in blur.find(luma):
        if any(box.intersection(m.box) > 0.3 * min(box.area, m.box.area) for m in mosaics):
            continue
        kernel = blur.kernel(_inside(luma, box))
        if kernel is not None:
            found.append(CoveredRegion(box, Operator("gauss", (kernel, kernel), None, confidence)))
    return tuple(sorted(found, key=lambda r: -r.operator.confidence))


def estimate(picture: Image, box: Box) -> Operator | None:
    """Say how one box of a picture was made; ``None`` if it does not look covered."""
    x0, y0, x1, y1 = (round(v) for v in box.as_tuple())
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = max(0, x0), max(0, y0), min(width, x1), min(height, y1)
    region = mosaic.estimate(_luma(picture[y0:y1, x0:x1]))
    if region is None or region.operator.size is None or region.operator.phase is None:
        return None
    operator = region.operator
    (cx, cy), (px, py) = region.operator.size, region.operator.phase
    return Operator("mosaic", (cx, cy), ((px + x0) % cx, (py + y0) % cy), operator.confidence)


def _inside(luma: mosaic.Plane, box: Box) -> mosaic.Plane:
    x0, y0, x1, y1 = (round(v) for v in box.as_tuple())
    return luma[max(0, y0) : y1, max(0, x0) : x1]


def _luma(picture: Image) -> mosaic.Plane:
    return cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY).astype(np.float32)
