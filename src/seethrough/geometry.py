"""Five-point alignment, crops and paste-back: pure functions of arrays.

Coordinates are pixels and a pixel's centre lies at its index (OpenCV's convention), so the
left edge of the picture is at -0.5. Boxes alone are half-open and count from edges: the box
of pixel 7 is ``[7, 8)`` and its centre, as a point, is 7.
"""

from __future__ import annotations

import math
from typing import TypeAlias, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.errors import UsageError
from seethrough.types import Box, Image, Landmarks, Mask

Matrix: TypeAlias = npt.NDArray[np.float64]
"""``float64 (2, 3)``: an affine map of points, picture to crop."""

Window: TypeAlias = tuple[slice, slice]
"""Rows and columns of a picture."""

Pixels = TypeVar("Pixels", npt.NDArray[np.uint8], npt.NDArray[np.float32])

TEMPLATE_512: Landmarks = np.array(
    [
        [192.98, 239.95],
        [318.90, 240.19],
        [256.63, 314.02],
        [201.26, 371.41],
        [313.09, 371.15],
    ]
)
"""The FFHQ five points in a 512 px crop: eyes, nose, mouth corners, viewer's left first."""
TEMPLATE_512.setflags(write=False)

TIGHT = Box(28.0, 36.0, 100.0, 124.0)
"""The tight face in the 128 px crop (PROTOCOL section 2)."""

_MAX_SUPERSAMPLING = 64  # bounds memory: a face of 8,192 px in a crop of 128
_MAX_PATCH = 30_000  # OpenCV warps at most 32,767 pixels a side
_MARGIN = 3  # pixels around a patch, so that a cubic kernel never meets its edge


def template(size: int) -> Landmarks:
    """Return the five points of a crop of ``size`` pixels, ``float64 (5, 2)``.

    Sizes are converted about pixel centres: ``x' = (x + 0.5) * size / 512 - 0.5``.
    """
    return (TEMPLATE_512 + 0.5) * (size / 512) - 0.5


def transform(matrix: Matrix, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Apply an affine ``(2, 3)`` map to ``(..., 2)`` xy points."""
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def invert(matrix: Matrix) -> Matrix:
    """Return the inverse of an affine map: crop to picture for a map of picture to crop."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def scale_of(matrix: Matrix) -> float:
    """Return the map's magnification: crop pixels for each picture pixel."""
    return math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))


def similarity(landmarks: Landmarks, size: int) -> Matrix:
    """Return the similarity that aligns a face to the template, in least squares.

    Parameters
    ----------
    landmarks : Landmarks
        ``(5, 2)`` xy pixels of the picture.
    size : int
        Side of the crop in pixels.

    Returns
    -------
    ndarray
        ``float64 (2, 3)``, picture to crop; rotation, uniform scale and shift, no reflection.

    Raises
    ------
    UsageError
        Where the landmarks are not five finite points, or (nearly) coincide.

    Notes
    -----
    S. Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", PAMI 13(4), 1991, equations 40-42.
    """
    source = np.asarray(landmarks, np.float64)
    if source.shape != (5, 2) or not np.isfinite(source).all():
        raise UsageError("landmarks are not five finite points", "give x,y five times")
    target = template(size)
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_spread, target_spread = source - source_mean, target - target_mean
    variance = (source_spread**2).sum() / len(source)
    u, singular, vt = np.linalg.svd(target_spread.T @ source_spread / len(source))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    gain = float(singular @ sign)
    if variance < 1e-6 or gain < 1e-6:
        raise UsageError(
            "the landmarks coincide or cannot be a face",
            "give left eye, right eye, nose, left and right mouth corner, viewer's left first",
        )
    linear = (u * sign) @ vt * (gain / variance)
    return np.column_stack([linear, target_mean - linear @ source_mean])


def crop(picture: Image, matrix: Matrix, size: int) -> Image:
    """Cut an aligned square out of a picture.

    Where the crop is smaller than what it shows, each of its pixels is the mean over the area
    that it covers (an interpolation alone would alias); where it is larger it is interpolated
    bicubically. Beyond the border the picture is reflected (``BORDER_REFLECT_101``).

    Parameters
    ----------
    picture : Image
        ``uint8 (H, W, 3)``.
    matrix : ndarray
        ``float64 (2, 3)``, picture to crop, as :func:`similarity` returns it.
    size : int
        Side of the crop in pixels.

    Returns
    -------
    Image
        ``uint8 (size, size, 3)``.

    Raises
    ------
    UsageError
        Where the crop would show more than 30,000 pixels a side.
    """
    factor = _supersampling(1 / scale_of(matrix))
    patch, origin = _patch(picture, _corners(invert(matrix), size))
    local = matrix.copy()
    local[:, 2] += matrix[:, :2] @ origin
    warped = cv2.warpAffine(
        patch,
        _rescaled(local, factor),
        (size * factor, size * factor),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return _reduced(np.asarray(warped, np.uint8), factor)


def place(pixels: Pixels, matrix: Matrix, shape: tuple[int, ...]) -> tuple[Window, Pixels]:
    """Warp a crop, or a mask over it, back to where it lies in a picture.

    Parameters
    ----------
    pixels : ndarray
        ``uint8 (S, S, 3)`` crop, whose edge is repeated outwards, or ``float32 (S, S)`` mask,
        which is zero outside.
    matrix : ndarray
        ``float64 (2, 3)``, picture to crop.
    shape : tuple of int
        Shape of the picture; only height and width are read.

    Returns
    -------
    window : tuple of slice
        Rows and columns of the picture which the crop touches; empty where it lies outside.
    placed : ndarray
        The crop at the scale of the picture, of the size of the window.
    """
    side = pixels.shape[0]
    back = invert(matrix)
    rows, columns = _window(_corners(back, side), shape)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    if height == 0 or width == 0:
        return (rows, columns), np.zeros((height, width, *pixels.shape[2:]), pixels.dtype)
    factor = _supersampling(scale_of(matrix))
    local = back.copy()
    local[:, 2] -= (columns.start, rows.start)
    is_mask = pixels.ndim == 2
    warped = cv2.warpAffine(
        pixels,
        _rescaled(local, factor),
        (width * factor, height * factor),
        flags=cv2.INTER_LINEAR if is_mask else cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT if is_mask else cv2.BORDER_REPLICATE,
    )
    return (rows, columns), _reduced(np.asarray(warped, pixels.dtype), factor)


def paste(picture: Image, crop: Image, matrix: Matrix, mask: Mask) -> Image:
    """Blend an aligned crop back into a copy of its picture.

    Parameters
    ----------
    picture : Image
        ``uint8 (H, W, 3)``; not changed.
    crop : Image
        ``uint8 (S, S, 3)``.
    matrix : ndarray
        ``float64 (2, 3)``, picture to crop.
    mask : Mask
        ``float32 (S, S)``, range [0, 1], over the crop.

    Returns
    -------
    Image
        Where the mask, warped to the picture, is zero, every pixel is the picture's own.
    """
    window, weight = place(mask, matrix, picture.shape)
    _, placed = place(crop, matrix, picture.shape)
    result = picture.copy()
    if weight.size:
        alpha = weight[..., None]
        under = picture[window].astype(np.float32)
        blend = np.rint(under + alpha * (placed.astype(np.float32) - under))
        result[window] = np.where(alpha > 0, blend, under).astype(np.uint8)
    return result


def feather_mask(size: int, margin: float = 0.12) -> Mask:
    """Return the weight of an aligned crop in its picture: 1 inside, 0 at the rim.

    Parameters
    ----------
    size : int
        Side of the crop in pixels.
    margin : float
        Width of the soft rim as a share of the side, range (0, 0.5].

    Returns
    -------
    Mask
        ``float32 (size, size)``; a smooth step of the distance to a rounded square, exactly 0
        on the outermost pixels.
    """
    half = (size - 1) / 2
    rim = max(margin * size, 1.0)
    inner = max(half - 2 * rim, 0.0)  # corners are rounded with a radius of two rims
    offset = np.maximum(np.abs(np.arange(size) - half) - inner, 0.0)
    distance = half - inner - np.hypot(offset[:, None], offset[None, :])
    step = np.clip(distance / rim, 0.0, 1.0)
    return np.asarray(step * step * (3 - 2 * step), np.float32)


def tight_box(landmarks: Landmarks) -> Box:
    """Return the tight face, forehead to chin and cheek to cheek, that five points imply.

    In the 128 px crop it is x 28-100, y 36-124 (PROTOCOL section 2). A rotated face gets the
    box around the rotated ellipse inscribed in it.
    """
    return upright_box(similarity(landmarks, 128), TIGHT)


def upright_landmarks(box: Box) -> Landmarks:
    """Return the five points of an upright face that fills a tight box, ``float64 (5, 2)``."""
    whole = template(128)
    face = tight_box(whole)
    scale = ((box.width / face.width) * (box.height / face.height)) ** 0.5
    moved = (whole + 0.5 - np.array(face.centre)) * scale + np.array(box.centre) - 0.5
    return np.asarray(moved, np.float64)


def upright_box(matrix: Matrix, box: Box) -> Box:
    """Return the upright box, in the picture, around the ellipse inscribed in a crop's box.

    Without rotation it is that box itself; a rotated one does not grow by its corners.
    """
    back = invert(matrix)
    x, y = transform(back, np.array(box.centre) - 0.5) + 0.5
    half_x, half_y = np.hypot(back[:, 0] * box.width / 2, back[:, 1] * box.height / 2)
    return Box(float(x - half_x), float(y - half_y), float(x + half_x), float(y + half_y))


def _supersampling(reduction: float) -> int:
    """Return the whole number of samples per axis that a reduction needs."""
    return min(max(math.ceil(reduction - 1e-6), 1), _MAX_SUPERSAMPLING)


def _reduced(pixels: Pixels, factor: int) -> Pixels:
    if factor == 1:
        return pixels
    size = (pixels.shape[1] // factor, pixels.shape[0] // factor)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), pixels.dtype)


def _rescaled(matrix: Matrix, factor: float) -> Matrix:
    """Enlarge a map's target about pixel centres: ``x' = (x + 0.5) * factor - 0.5``."""
    result = matrix * factor
    result[:, 2] += (factor - 1) / 2
    return result


def _corners(back: Matrix, size: int) -> npt.NDArray[np.float64]:
    low, high = -0.5, size - 0.5
    return transform(back, [(low, low), (high, low), (high, high), (low, high)])


def _window(points: npt.NDArray[np.float64], shape: tuple[int, ...]) -> Window:
    """Return the part of a picture around ``points``, clipped to it."""
    slices = []
    for axis, length in ((1, shape[0]), (0, shape[1])):
        start = min(max(math.floor(points[:, axis].min()) - 1, 0), length)
        stop = min(max(math.ceil(points[:, axis].max()) + 2, start), length)
        slices.append(slice(start, stop))
    return slices[0], slices[1]


def _patch(
    picture: Image, points: npt.NDArray[np.float64]
) -> tuple[Image, npt.NDArray[np.float64]]:
    """Return the picture around ``points``, reflected beyond its border, and its xy origin.

    OpenCV could reflect by itself, but never returns for pictures one pixel wide, and its
    warps take at most 32,767 pixels a side.
    """
    low = np.floor(points.min(axis=0)).astype(int) - _MARGIN
    high = np.ceil(points.max(axis=0)).astype(int) + _MARGIN + 1
    if (high - low).max() > _MAX_PATCH:
        raise UsageError(
            f"a face of more than {_MAX_PATCH} pixels cannot be cropped", "check its landmarks"
        )
    columns = _reflected(low[0], high[0], picture.shape[1])
    rows = _reflected(low[1], high[1], picture.shape[0])
    return picture[rows][:, columns], low.astype(np.float64)


def _reflected(start: int, stop: int, length: int) -> slice | npt.NDArray[np.intp]:
    """Return the indices ``start`` to ``stop``, reflected into ``[0, length)`` (101)."""
    if start >= 0 and stop <= length:
        return slice(start, stop)
    period = max(2 * (length - 1), 1)
    index = np.arange(start, stop) % period
    return np.minimum(index, period - index) if length > 1 else np.zeros_like(index)
