"""Where a restored crop goes in its picture, and how it is made to fit there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.geometry import Matrix, Window, feather_mask, invert, place, transform
from seethrough.types import CoveredRegion, Image, Mask, Operator

Change = npt.NDArray[np.float32]
"""``float32 (H, W, 3)``: what is added to a picture, in 8-bit levels."""

_MARGIN = 0.06  # of the crop's side, its soft rim: what it fades over is not restored
_RIM = 4.0  # px of the crop over which a cover's restoration fades into the picture
_COLOUR_SIGMA = 24.0  # px of the crop: colour is matched at this scale, features are not
_LEAST_GRAIN = 1.0  # levels: less is not seen
_MOST_GRAIN = 6.0  # levels: more would hide what was restored
_LEAST_STRIP = 8  # px: fewer do not tell their noise


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One restored region in its picture.

    Attributes
    ----------
    window : tuple of slice
        Rows and columns of the picture.
    alpha : Mask
        ``float32 (h, w)`` of the window, range [0, 1]: how much of the change each pixel takes.
    change : ndarray
        ``float32 (h, w, 3)``: restored less given, in levels.
    """

    window: Window
    alpha: Mask
    change: Change


def region_mask(matrix: Matrix, size: int, cover: CoveredRegion | None) -> Mask:
    """Return which part of a crop is to be replaced.

    Where nothing is known to be covered, that is the whole crop with a soft rim. Otherwise it is
    the cover, a little enlarged so that no cut cell stays behind: what lies beside a cover is
    clear, and better than any restoration.

    Parameters
    ----------
    matrix : ndarray
        ``float64 (2, 3)``, picture to crop.
    size : int
        Side of the crop in pixels.
    cover : CoveredRegion, optional
        In pixels of the picture.

    Returns
    -------
    Mask
        ``float32 (size, size)``, zero at the crop's border.
    """
    mask = feather_mask(size, _MARGIN)
    if cover is None:
        return mask
    ys, xs = np.mgrid[:size, :size]
    points = transform(invert(matrix), np.stack([xs, ys], axis=-1)) + 0.5
    box = cover.box
    outside_x = np.maximum(box.x0 - points[..., 0], points[..., 0] - box.x1)
    outside_y = np.maximum(box.y0 - points[..., 1], points[..., 1] - box.y1)
    # Distance to the box in pixels of the picture, 0 inside.
    distance = np.hypot(np.maximum(outside_x, 0), np.maximum(outside_y, 0))
    pixel = math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))
    slack = _slack(cover.operator)
    step = np.clip(1 - (distance - slack) * pixel / _RIM, 0, 1)
    return np.minimum(mask, (step * step * (3 - 2 * step)).astype(np.float32))


def _slack(operator: Operator) -> float:
    """How far a cover may reach beyond the box that was found for it, in picture pixels."""
    if operator.size is None:
        return 1.0
    share = 0.5 if operator.kind == "mosaic" else 1.0 if operator.kind == "gauss" else 0.25
    return max(1.0, share * max(operator.size))


def matched_colour(restored: Change, given: Change, mask: Mask) -> Change:
    """Take the slow colour difference at the rim off a restored crop.

    Parameters
    ----------
    restored, given : ndarray
        ``float32 (S, S, 3)`` levels.
    mask : Mask
        ``float32 (S, S)``; where it is between 0 and 1, both pictures show.

    Returns
    -------
    ndarray
        ``float32 (S, S, 3)``: the difference, averaged over the rim by a normalised convolution
        and faded inwards, is subtracted.
    """
    rim = 4 * mask * (1 - mask)
    weight = np.asarray(cv2.GaussianBlur(rim, (0, 0), _COLOUR_SIGMA), np.float32)
    if float(weight.max()) < 1e-6:
        return restored
    drift = np.asarray(
        cv2.GaussianBlur((restored - given) * rim[..., None], (0, 0), _COLOUR_SIGMA), np.float32
    )
    near = weight / weight.max()
    drift *= (near / np.maximum(weight, 1e-6))[..., None]
    return np.asarray(restored - drift, np.float32)


def noise_sigma(part: Image) -> float:
    """Estimate a picture's noise in levels.

    The median response to J. Immerkaer's mask ("Fast noise variance estimation", CVIU 64(2),
    1996), which answers neither to constant areas nor to slopes; the median ignores edges.
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    response = cv2.filter2D(grey, -1, kernel)[1:-1, 1:-1]
    return float(np.median(np.abs(response))) / 0.6745 / 6 if response.size else 0.0


def with_grain(layer: Layer, picture: Image, rng: np.random.Generator) -> Layer:
    """Give a restored region the grain of the picture around it, as far as it lacks any.

    Parameters
    ----------
    layer : Layer
        The restored region.
    picture : Image
        ``uint8 (H, W, 3)`` as given.
    rng : numpy.random.Generator
        Source of the grain.

    Returns
    -------
    Layer
        The same where no grain is missing that would be seen.
    """
    around = min(map(noise_sigma, _strips(picture, layer.window)), default=0.0)
    restored = np.clip(picture[layer.window] + layer.change, 0, 255).astype(np.uint8)
    missing = math.sqrt(max(0.0, around**2 - noise_sigma(restored) ** 2))
    if missing < _LEAST_GRAIN:
        return layer
    grain = rng.normal(0, min(missing, _MOST_GRAIN), layer.alpha.shape).astype(np.float32)
    return Layer(layer.window, layer.alpha, layer.change + grain[..., None])


def _strips(picture: Image, window: Window) -> list[Image]:
    """Return what lies above, below, left and right of a window, as far as there is enough."""
    rows, columns = window
    tall, wide = (rows.stop - rows.start) // 2, (columns.stop - columns.start) // 2
    strips = (
        picture[max(0, rows.start - tall) : rows.start, columns],
        picture[rows.stop : rows.stop + tall, columns],
        picture[rows, max(0, columns.start - wide) : columns.start],
        picture[rows, columns.stop : columns.stop + wide],
    )
    return [np.ascontiguousarray(s) for s in strips if min(s.shape[:2]) >= _LEAST_STRIP]


def compose(picture: Image, layers: Sequence[Layer]) -> tuple[Image, npt.NDArray[np.bool_]]:
    """Add every layer to a copy of the picture.

    Where regions overlap, a pixel is shared by the squares of their alphas: it belongs to the
    region that it lies deeper in, with a soft border between.

    Returns
    -------
    picture : Image
        Where no layer has alpha, every pixel is the given one.
    synthesised : ndarray
        ``bool (H, W)``: where a layer has alpha.
    """
    result = picture.copy()
    synthesised = np.zeros(picture.shape[:2], np.bool_)
    for layer in layers:
        total, strongest = np.square(layer.alpha), layer.alpha.copy()
        for other in layers:
            shared = _intersection(layer.window, other.window)
            if other is layer or shared is None:
                continue
            mine, theirs = _within(shared, layer.window), _within(shared, other.window)
            total[mine] += np.square(other.alpha[theirs])
            strongest[mine] = np.maximum(strongest[mine], other.alpha[theirs])
        share = strongest * np.square(layer.alpha) / np.maximum(total, 1e-12)
        touched = layer.alpha > 0
        sum_ = result[layer.window] + share[..., None] * layer.change
        levels = np.clip(np.rint(sum_), 0, 255).astype(np.uint8)
        result[layer.window] = np.where(touched[..., None], levels, result[layer.window])
        synthesised[layer.window] |= touched
    return result, synthesised


def placed_layer(
    picture: Image, pieces: Sequence[tuple[Matrix, Mask, Change]], *, replace: bool
) -> Layer | None:
    """Warp the restored crops of one region to the picture.

    Parameters
    ----------
    picture : Image
        ``uint8 (H, W, 3)`` as given.
    pieces : sequence of (Matrix, Mask, ndarray)
        For each crop: picture to crop, its mask (masks of one region add up to 1), and
        ``float32 (S, S, 3)`` levels: restored pixels with ``replace``, otherwise restored less
        given.
    replace : bool
        Whether the picture's own detail under the crops is dropped. A mosaic's cell borders must
        go; the grain and the fine detail of a blurred picture may stay.

    Returns
    -------
    Layer or None
        ``None`` where every crop lies outside the picture.
    """
    placed = []
    for matrix, mask, levels in pieces:
        window, alpha = place(mask, matrix, picture.shape)
        if alpha.size:
            placed.append((window, alpha, place(levels, matrix, picture.shape)[1]))
    if not placed:
        return None
    rows = slice(min(w[0].start for w, _, _ in placed), max(w[0].stop for w, _, _ in placed))
    columns = slice(min(w[1].start for w, _, _ in placed), max(w[1].stop for w, _, _ in placed))
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    total, change = np.zeros(shape, np.float32), np.zeros((*shape, 3), np.float32)
    for window, alpha, levels in placed:
        here = _within(window, (rows, columns))
        total[here] += alpha
        change[here] += alpha[..., None] * levels
    change /= np.maximum(total, 1e-12)[..., None]
    if replace:
        change -= picture[rows, columns]
    return Layer((rows, columns), np.minimum(total, 1), change)


def _intersection(one: Window, other: Window) -> Window | None:
    rows = slice(max(one[0].start, other[0].start), min(one[0].stop, other[0].stop))
    columns = slice(max(one[1].start, other[1].start), min(one[1].stop, other[1].stop))
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None


def _within(window: Window, outer: Window) -> Window:
    """Express a window relative to the corner of another that contains it."""
    rows, columns = window
    top, left = outer[0].start, outer[1].start
    return (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )
