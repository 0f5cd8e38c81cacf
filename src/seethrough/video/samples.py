"""Between RGB pixels and the luma and chroma samples of a film.

A film stores one luma sample for each pixel and, mostly, one pair of chroma samples for several.
What the numbers mean is said by its matrix, its range and its bit depth (ITU-T H.273).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.types import Image

Plane: TypeAlias = npt.NDArray[Any]
"""``uint8`` or ``uint16``, ``(h, w)``."""

FULL_RANGE = 2  # H.273's video_full_range_flag, as FFmpeg numbers it

_KR_KB = {
    1: (0.2126, 0.0722),  # BT.709
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.601
    6: (0.299, 0.114),
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020, and its constant luminance treated as not constant
    10: (0.2627, 0.0593),
}
"""Weights of red and blue in luma, by H.273's number of the matrix (its table 4)."""


def matrix_of(tag: int, width: int, height: int) -> tuple[float, float]:
    """Return the weights of red and blue in luma.

    A film that does not say, or says what is not a matrix of luma weights, is taken for BT.709
    where it is larger than standard definition, as mpv and browsers do.
    """
    large = width >= 1280 or height > 576
    return _KR_KB.get(tag, _KR_KB[1 if large else 6])


@dataclass(frozen=True)
class Coding:
    """What the samples of a frame mean.

    Attributes
    ----------
    depth : int
        Bits of a sample.
    step : tuple of int
        How many pixels (across, down) share a pair of chroma samples; (0, 0): there is no chroma.
    weights : tuple of float
        Weights of red and blue in luma.
    full : bool
        Whether samples use the whole range of their bits.
    woven : bool
        Whether rows belong to two fields in turn, so that where chroma is shared down, a chroma
        sample belongs to every other row.
    """

    depth: int
    step: tuple[int, int]
    weights: tuple[float, float]
    full: bool
    woven: bool = False

    @property
    def dtype(self) -> type[np.uint8 | np.uint16]:
        return np.uint8 if self.depth == 8 else np.uint16

    @property
    def neutral(self) -> int:
        """The chroma sample of grey."""
        return 1 << (self.depth - 1)

    def to_rgb(self) -> npt.NDArray[np.float64]:
        """Return ``(3, 4)``: (Y, Cb, Cr, 1) to RGB in levels 0 to 255."""
        forward = self.from_rgb()
        inverse = np.linalg.inv(forward[:, :3])
        return np.column_stack([inverse, -inverse @ forward[:, 3]])

    def from_rgb(self) -> npt.NDArray[np.float64]:
        """Return ``(3, 4)``: (R, G, B, 1) in levels 0 to 255 to (Y, Cb, Cr)."""
        red, blue = self.weights
        luma = np.array([red, 1 - red - blue, blue])
        cb = (np.array([0.0, 0.0, 1.0]) - luma) / (2 * (1 - blue))
        cr = (np.array([1.0, 0.0, 0.0]) - luma) / (2 * (1 - red))
        most = (1 << self.depth) - 1
        unit = 1 << (self.depth - 8)
        of_luma, of_chroma = (most, most) if self.full else (219 * unit, 224 * unit)
        black = 0 if self.full else 16 * unit
        scaled = np.stack([luma * of_luma, cb * of_chroma, cr * of_chroma]) / 255
        return np.column_stack([scaled, [black, self.neutral, self.neutral]])


def rgb_of(planes: tuple[Plane, ...], coding: Coding) -> Image:
    """Convert planes of one size, chroma brought to luma's already, to RGB."""
    luma = planes[0]
    if coding.step == (0, 0):
        grey = np.full_like(luma, coding.neutral)
        planes = (luma, grey, grey)
    merged = cv2.merge(planes)
    if coding.depth > 8:
        merged = merged.astype(np.float32)
    rgb = cv2.transform(merged, coding.to_rgb())
    if rgb.dtype != np.uint8:
        rgb = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return np.asarray(rgb, np.uint8)


def part_of(planes: tuple[Plane, ...], coding: Coding, x0: int, y0: int, x1: int, y1: int) -> Image:
    """Convert a part of a frame to RGB; chroma samples count for each pixel that shares them."""
    cut = [np.ascontiguousarray(planes[0][y0:y1, x0:x1])]
    across, down = coding.step
    for plane in planes[1:] if across else ():
        rough = plane[y0 // down : -(-y1 // down), x0 // across : -(-x1 // across)]
        fine = rough if down == 1 else np.repeat(rough, down, axis=0)
        fine = fine if across == 1 else np.repeat(fine, across, axis=1)
        left, top = x0 % across, y0 % down
        cut.append(np.ascontiguousarray(fine[top : top + y1 - y0, left : left + x1 - x0]))
    return rgb_of(tuple(cut), coding)


def small_of(planes: tuple[Plane, ...], coding: Coding, width: int, height: int) -> Image:
    """Reduce the planes of a frame by area, then convert them to RGB."""
    across, down = coding.step
    size = (width, height)
    luma = planes[0]
    small = [cv2.resize(luma, size, interpolation=_how(luma, size))]
    for plane in planes[1:] if across else ():
        # Chroma counts for whole blocks of pixels: at an odd edge the last block hangs over.
        block = (plane.shape[1] * across, plane.shape[0] * down)
        if block != (luma.shape[1], luma.shape[0]):
            plane = np.repeat(np.repeat(plane, down, axis=0), across, axis=1)
            plane = np.ascontiguousarray(plane[: luma.shape[0], : luma.shape[1]])
        small.append(cv2.resize(plane, size, interpolation=_how(plane, size)))
    return rgb_of(tuple(small), coding)


def _how(plane: Plane, size: tuple[int, int]) -> int:
    smaller = size[0] <= plane.shape[1] and size[1] <= plane.shape[0]
    return cv2.INTER_AREA if smaller else cv2.INTER_LINEAR


def paint_on(
    planes: tuple[Plane, ...],
    coding: Coding,
    pixels: Image,
    mask: npt.NDArray[np.bool_],
    x0: int,
    y0: int,
) -> None:
    """Replace the samples under masked pixels, in place.

    A chroma sample is replaced if any pixel that shares it is masked, by the mean of those
    masked pixels alone: nothing of what it held, or of pixels outside the mask, remains in it.
    """
    height, width = mask.shape
    # One pixel may stand for all (black covers): then it is converted once.
    alone = pixels.strides[:2] == (0, 0)
    painted = _samples(pixels[:1, :1].copy() if alone else pixels, coding)
    inside = np.ascontiguousarray(mask).view(np.uint8)
    target = planes[0][y0 : y0 + height, x0 : x0 + width]
    _put(np.broadcast_to(painted[..., 0], mask.shape), inside, target)
    across, down = coding.step
    if not across:
        return
    # Woven, two chroma rows share four rows of pixels: both are replaced if any of these is masked.
    rows = 2 if coding.woven and down == 2 else 1
    tall = down * rows
    left, top = x0 % across, y0 % tall
    wide, high = -(-(left + width) // across), -(-(top + height) // tall)

    def mean(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Average over the blocks of pixels that share a sample; nothing lies around."""
        blocks = np.zeros((high * tall, wide * across), np.float32)
        blocks[top : top + height, left : left + width] = values
        return np.asarray(cv2.resize(blocks, (wide, high), interpolation=cv2.INTER_AREA))

    weight = inside.astype(np.float32)
    share = mean(weight)
    touched = np.repeat((share > 0).view(np.uint8), rows, axis=0)
    x, y = x0 // across, y0 // tall * rows
    for index, plane in enumerate(planes[1:], 1):
        if alone:
            new = np.broadcast_to(painted[..., index], share.shape)
        else:
            new = mean(painted[..., index] * weight) / np.maximum(share, 1e-6)
        new = np.repeat(np.rint(new).astype(coding.dtype), rows, axis=0)
        target = plane[y : y + high * rows, x : x + wide]
        seen = target.shape[0]  # woven, the last four rows may hang over the edge
        _put(new[:seen], touched[:seen], target)


def _put(values: Plane, mask: npt.NDArray[np.uint8], target: Plane) -> None:
    """Copy values into a part of a plane, where the mask is not 0."""
    cv2.copyTo(np.ascontiguousarray(values), mask, target)


def _samples(pixels: Image, coding: Coding) -> Plane:
    """Convert RGB pixels to samples ``(h, w, 3)`` of Y, Cb and Cr."""
    if coding.depth == 8:
        return np.asarray(cv2.transform(pixels, coding.from_rgb()))
    levels = cv2.transform(pixels.astype(np.float32), coding.from_rgb())
    return np.clip(np.rint(levels), 0, (1 << coding.depth) - 1).astype(np.uint16)
