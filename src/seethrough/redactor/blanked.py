"""The only view of a picture that the safe styles get: what lies under any cover is gone.

Pixels beside a cover are withheld too. Films store colour at half the resolution and players blend
it, so that such a pixel's colour depends on the pixels under the cover.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.redactor.region import Region
from seethrough.redactor.source import Source
from seethrough.types import Image

MOAT = 4
"""Pixels around every cover that are withheld: a sample of chroma and its interpolation."""


class Blanked:
    """A picture without what lies under its covers.

    Parameters
    ----------
    source : Source
        The picture.
    regions : sequence of Region
        Every cover in it.
    """

    def __init__(self, source: Source, regions: Sequence[Region]) -> None:
        self._source = source
        self._withheld = [_widened(region, MOAT, source.shape) for region in regions]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return self._source.shape

    def part(self, x0: int, y0: int, x1: int, y1: int) -> tuple[Image, npt.NDArray[np.bool_]]:
        """Return a part which lies inside the picture, and which of its pixels are withheld.

        Returns
        -------
        pixels : Image
            ``uint8 (h, w, 3)``; 0 where withheld.
        withheld : ndarray
            ``bool (h, w)``.
        """
        withheld = np.zeros((y1 - y0, x1 - x0), np.bool_)
        for region in self._withheld:
            ax, ay = max(region.x0, x0), max(region.y0, y0)
            bx, by = min(region.x1, x1), min(region.y1, y1)
            if ax < bx and ay < by:
                withheld[ay - y0 : by - y0, ax - x0 : bx - x0] |= region.mask[
                    ay - region.y0 : by - region.y0, ax - region.x0 : bx - region.x0
                ]
        pixels = np.ascontiguousarray(self._source.part(x0, y0, x1, y1))
        known = cv2.bitwise_not(withheld.view(np.uint8) * np.uint8(255))
        return np.asarray(cv2.bitwise_and(pixels, pixels, mask=known), np.uint8), withheld

    def reduced(
        self, long_side: int, fill: tuple[int, int, int]
    ) -> tuple[Image, npt.NDArray[np.bool_], tuple[float, float]]:
        """Return a reduced copy with square pixels, filled evenly where withheld.

        Returns
        -------
        pixels : Image
            As :meth:`Source.reduced` makes it.
        withheld : ndarray
            ``bool (h, w)``: pixels in which a withheld one may have a part, however they were
            reduced.
        factors : (float, float)
            As of :meth:`Source.reduced`.
        """
        pixels, (fx, fy) = self._source.reduced(long_side)
        pixels = pixels.copy()
        withheld = np.zeros(pixels.shape[:2], np.bool_)
        for region in self._withheld:
            # A bicubic reduction reaches two of its own pixels far.
            x0, y0 = max(math.floor(region.x0 / fx) - 3, 0), max(math.floor(region.y0 / fy) - 3, 0)
            x1 = min(math.ceil(region.x1 / fx) + 3, pixels.shape[1])
            y1 = min(math.ceil(region.y1 / fy) + 3, pixels.shape[0])
            columns = ((np.arange(x0, x1) + 0.5) * fx - region.x0) / fx
            rows = ((np.arange(y0, y1) + 0.5) * fy - region.y0) / fy
            small = cv2.resize(
                region.mask.view(np.uint8) * np.uint8(255),
                (
                    max(math.ceil(region.mask.shape[1] / fx), 1),
                    max(math.ceil(region.mask.shape[0] / fy), 1),
                ),
                interpolation=cv2.INTER_AREA,
            )
            low = np.zeros((small.shape[0] + 8, small.shape[1] + 8), np.uint8)
            low[4:-4, 4:-4] = np.asarray(small) > 0
            low = np.asarray(cv2.dilate(low, np.ones((7, 7), np.uint8)), np.uint8)
            iy = np.clip(np.floor(rows).astype(int) + 4, 0, low.shape[0] - 1)
            ix = np.clip(np.floor(columns).astype(int) + 4, 0, low.shape[1] - 1)
            withheld[y0:y1, x0:x1] |= low[iy][:, ix] > 0
        pixels[withheld] = fill
        return pixels, withheld, (fx, fy)


def _widened(region: Region, by: int, shape: tuple[int, int]) -> Region:
    """Return a region with all pixels within a distance, clipped to the picture."""
    padded = np.pad(region.mask.view(np.uint8), by)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1, 2 * by + 1))
    wide = np.asarray(cv2.dilate(padded, kernel), np.uint8).view(np.bool_)
    left, top = max(by - region.x0, 0), max(by - region.y0, 0)
    x0, y0 = region.x0 - by + left, region.y0 - by + top
    return Region(x0, y0, wide[top : top + shape[0] - y0, left : left + shape[1] - x0])
