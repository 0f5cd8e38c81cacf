"""Views: copies of a picture, or of a part of it, in which faces are searched.

Reduced so that faces have the size which the network sees, smoothed so that the cells of a mosaic
are no texture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from seethrough import geometry
from seethrough.face_network import FILL
from seethrough.types import CoveredRegion, Image

# The plain search: long sides of the views in pixels. The network sees faces of 12 to 500 px.
_LONG_SIDES = (2560, 1280, 512, 200)
_MARGIN = 50  # px around the smallest view: a face may fill the picture
_HIDDEN_SIDE = 90  # px: long side of the smallest view against covers that nothing reported

# The search for small faces: parts of the picture, larger than they are.
_TILE = 640  # px of the picture
_ENLARGED = 2.0  # times
_SEEN = 32  # px in a view: faces so wide are found

CELL_PX = 9.0
"""Against covers: how many pixels a cell measures in a view."""

CELL_SIGMAS = (0.25, 0.35, 0.5)
"""By how many cells such views are smoothed."""

# Blurs need fewer pixels, and some smoothing that hides the edge of the region. Their size is an
# estimate, so that two scales are tried.
_BLUR_PX = (3.0, 4.5)
_BLUR_SIGMAS = (0.0, 0.4, 0.75)
_CONTEXT = 0.75  # of a region's size, around it


@dataclass(frozen=True, slots=True)
class View:
    """A copy of a picture's part: reduced by ``factor``, smoothed by ``sigma`` picture pixels."""

    window: geometry.Window | None  # the whole picture where absent
    factor: float
    sigma: float
    margin: int = 0


class Sources:
    """A picture, and a reduced copy from which its smaller views are made in less time."""

    def __init__(self, picture: Image) -> None:
        self._picture = picture
        self._longest = max(picture.shape[:2])
        self._small = _resized(picture, max(self._longest / _LONG_SIDES[1], 1.0))

    def rendered(self, view: View) -> tuple[Image, float]:
        """Return a view's pixels, margin included, and its exact reduction."""
        if view.window is not None:
            part, longest = self._picture[view.window], max(self._picture[view.window].shape[:2])
            pixels = _resized(part, view.factor)
        else:
            longest = self._longest
            small = max(self._small.shape[:2])
            if longest / view.factor <= small:
                pixels = _resized(self._small, view.factor * small / longest)
            else:
                pixels = _resized(self._picture, view.factor)
        factor = longest / max(pixels.shape[:2])
        pixels = smoothed(pixels, view.sigma / factor)
        if view.margin:
            rim = view.margin
            pixels = np.asarray(
                cv2.copyMakeBorder(pixels, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=FILL),
                np.uint8,
            )
        return pixels, factor


def plain_views(shape: tuple[int, ...]) -> list[View]:
    """Return the views of a whole picture for faces that nothing covers."""
    longest = max(shape[:2])
    sides = [min(longest, _LONG_SIDES[0])]
    sides += [side for side in _LONG_SIDES[1:-1] if side < 0.8 * sides[0]]
    views = [View(None, longest / side, 0) for side in sides]
    return [*views, View(None, longest / _LONG_SIDES[-1], 0, _MARGIN)]


def small_views(shape: tuple[int, ...]) -> list[View]:
    """Return overlapping parts of a picture, enlarged: of faces of 12 px the network sees few."""
    height, width = shape[:2]
    overlap = seen_from(shape)
    return [
        View((slice(y, min(y + _TILE, height)), slice(x, min(x + _TILE, width))), 1 / _ENLARGED, 0)
        for y in starts(height, _TILE, overlap)
        for x in starts(width, _TILE, overlap)
    ]


def seen_from(shape: tuple[int, ...]) -> int:
    """Return from how many pixels on the largest view of a whole picture shows faces for sure."""
    return math.ceil(_SEEN * max(max(shape[:2]) / _LONG_SIDES[0], 1.0))


def starts(length: int, tile: int, overlap: int) -> list[int]:
    """Return where tiles begin that cover a length, evenly spread, overlapping at least so much.

    Parameters
    ----------
    length, tile, overlap : int
        In pixels; ``overlap`` is less than ``tile``.
    """
    count = max(-(-(length - overlap) // (tile - overlap)), 1)
    last = max(length - tile, 0)
    return [round(index * last / max(count - 1, 1)) for index in range(count)]


def hidden_views(shape: tuple[int, ...]) -> list[View]:
    """Return smoothed views, each for cells half as large again as the one before."""
    longest = max(shape[:2])
    factor = max(longest / _LONG_SIDES[1], 1.0)
    views = []
    while longest / factor >= _HIDDEN_SIDE:
        sigma = CELL_SIGMAS[1] * CELL_PX * factor
        views.append(View(None, factor, sigma, _MARGIN // 2))
        factor *= 1.5
    return views


def cover_views(
    region: CoveredRegion, shape: tuple[int, ...]
) -> tuple[list[View], tuple[float, ...]]:
    """Return the views that suit a covered region, and the smoothing for the second look."""
    operator = region.operator
    if operator.size is None or operator.kind not in ("mosaic", "gauss", "box"):
        return [], ()
    size = max(operator.size)
    shares: tuple[float, ...] = CELL_SIGMAS
    wanted: tuple[float, ...] = (CELL_PX,)
    if operator.kind != "mosaic":
        if operator.kind == "box":
            size /= math.sqrt(12)  # the standard deviation of a box
        shares, wanted = _BLUR_SIGMAS, _BLUR_PX
    sigmas = tuple(float(size * share) for share in shares)
    x, y = region.box.centre
    reach = (0.5 + _CONTEXT) * max(region.box.width, region.box.height)
    rows = slice(max(int(y - reach), 0), min(int(y + reach) + 1, shape[0]))
    columns = slice(max(int(x - reach), 0), min(int(x + reach) + 1, shape[1]))
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return [], ()
    longest = max(rows.stop - rows.start, columns.stop - columns.start)
    factors = [max(size / pixels, longest / _LONG_SIDES[1]) for pixels in wanted]
    return [
        View((rows, columns), factor, sigma, _MARGIN // 2) for factor in factors for sigma in sigmas
    ], sigmas


def _resized(pixels: Image, factor: float) -> Image:
    height, width = pixels.shape[:2]
    size = (max(round(width / factor), 1), max(round(height / factor), 1))
    if size == (width, height):
        return pixels
    method = cv2.INTER_AREA if factor > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)


def smoothed(pixels: Image, sigma: float) -> Image:
    """Return a copy smoothed by a Gaussian of so many pixels; the same picture for hardly any."""
    if sigma < 0.3:  # nothing that a pixel shows
        return pixels
    return np.asarray(
        cv2.GaussianBlur(pixels, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8
    )
