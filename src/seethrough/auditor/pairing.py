"""Do an original and a redacted file show the same picture, and where do they differ?

Both are compared at the redacted picture's size. That they are one scene is told by what lies
outside the covers: blocks with texture that look the same in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.degrade import Jpeg
from seethrough.errors import InputError
from seethrough.types import Image

Plane = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

_LONG_SIDE = 768  # pixels: scenes are compared at this size
_BLOCKS = 64  # along the longer side
_LEAST_BLOCK = 8  # pixels
_TEXTURE = 5.0  # levels: standard deviation from which a block has something to compare
_SAME = 0.95  # correlation of two blocks that show the same
_SHARE = 0.06  # of the textured blocks have to be the same
_LEAST = 8  # blocks, at least
_EQUAL = 2.5  # levels, between blocks without texture that show the same
_EVENLY = 0.22  # of all blocks have to be equal where few have texture,
_VARIED = 30.0  # and their levels to spread so far: studios have one backdrop for everybody
_LEVELS = 4.0  # a pixel has changed if it differs by so many levels more than codecs explain
_MOST_LOSSES = 3.0  # times those of other frames of a film
_ASPECT = 1.5  # pixels by which a rescaled picture's sides may be rounded


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """An original and its redaction, pixel on pixel.

    Attributes
    ----------
    original : Image
        ``uint8 (H, W, 3)``, brought to the redacted picture's size.
    redacted : Image
        ``uint8 (H, W, 3)``.
    scale : float
        Pixels of the redacted picture for each of the original file's.
    changed : ndarray
        ``bool (H, W)``: where they differ by more than compression explains.
    exact : bool
        Whether they are equal, to the level, where nothing was covered.
    losses : Losses or None
        How they differ there.
    """

    original: Image
    redacted: Image
    scale: float
    changed: Flags
    exact: bool = True
    losses: Losses | None = None


@dataclass(frozen=True, slots=True)
class Losses:
    """How a redacted file differs from its original where nothing is covered.

    Attributes
    ----------
    usual : float
        Levels by which a codec changes pixels, typically.
    gain, offset : float
        From the original's levels to the redacted file's.
    noise : float or None
        Levels, typical of blocks that show the same; 0 where nothing was lost.
    """

    usual: float
    gain: float = 1.0
    offset: float = 0.0
    noise: float | None = None


def pair_up(original: Image, redacted: Image, quality: int | None, names: tuple[str, str]) -> Pair:
    """Lay a redacted picture over its original.

    Parameters
    ----------
    original, redacted : Image
        ``uint8``, upright; of one size, or one a uniformly scaled copy of the other.
    quality : int or None
        JPEG quality of the redacted file, whose losses are no changes.
    names : (str, str)
        What to call the two in an error.

    Raises
    ------
    InputError
        Where their shapes differ, or what they show does.
    """
    (height, width), (full_height, full_width) = redacted.shape[:2], original.shape[:2]
    scale = ((width * height) / (full_width * full_height)) ** 0.5
    first, second = names
    unlike = misfit((full_width, full_height), (width, height))
    if unlike is not None:
        raise InputError(
            f"{first} ({full_width} x {full_height}) and {second} ({width} x {height}) do not "
            f"match: {unlike}",
            "give the redacted picture uncropped and unturned, or simulate its cover with --style",
        )
    if np.array_equal(original, redacted):  # however little there is to compare
        nothing = np.zeros((height, width), np.bool_)
        return Pair(original, redacted, 1.0, nothing, True, Losses(0.0, noise=0.0))
    original = fitted(original, redacted.shape)
    expected = original if quality is None else Jpeg(quality)(original)
    likeness = _compared(expected, redacted)
    if not likeness.enough and not _same_light(expected, redacted):
        raise InputError(
            f"{first} and {second} do not match: {_otherwise(expected, redacted)}",
            "give the original of this very picture, or simulate the cover with --style",
        )
    exact = scale == 1 and likeness.noise == 0
    difference = _difference(expected, redacted, likeness.gain, likeness.offset)
    if exact:
        changed = np.asarray(np.abs(difference) > _LEVELS)
        return Pair(original, redacted, scale, changed, exact, Losses(0.0, noise=0.0))
    difference = _smooth(difference, scaled=scale != 1)
    usual = _usual(difference, likeness.noise)
    losses = Losses(usual, likeness.gain, likeness.offset, likeness.noise)
    return Pair(original, redacted, scale, _beyond(difference, usual), exact, losses)


def misfit(original: tuple[float, float], redacted: tuple[float, float]) -> str | None:
    """Say how the sizes of two pictures, width and height, differ but for a scale; if they do."""
    (full_width, full_height), (width, height) = original, redacted
    scale = ((width * height) / (full_width * full_height)) ** 0.5
    if max(abs(width - scale * full_width), abs(height - scale * full_height)) <= _ASPECT:
        return None
    turned = max(abs(width - scale * full_height), abs(height - scale * full_width)) <= _ASPECT
    return "one is turned" if turned else "one is cropped or stretched"


def pair_again(original: Image, redacted: Image, losses: Losses) -> Pair:
    """Lay a frame of a redacted film over its original, given how other frames differ.

    Parameters
    ----------
    original, redacted : Image
        As in :func:`pair_up`; that they match is known.
    losses : Losses
        Of a frame nearby.
    """
    scale = (redacted.shape[0] * redacted.shape[1] / (original.shape[0] * original.shape[1])) ** 0.5
    original = fitted(original, redacted.shape)
    difference = _difference(original, redacted, losses.gain, losses.offset)
    if losses.noise == 0:
        return Pair(original, redacted, scale, np.abs(difference) > _LEVELS, True, losses)
    difference = _smooth(difference, scaled=scale != 1)
    # A cover over nearly all of a frame is no loss of a codec.
    usual = min(_usual(difference, losses.noise), _MOST_LOSSES * losses.usual)
    return Pair(original, redacted, scale, _beyond(difference, usual), False, losses)


def fitted(original: Image, shape: tuple[int, ...]) -> Image:
    """Return an original at the size of its redaction."""
    height, width = shape[:2]
    if original.shape[:2] == (height, width):
        return original
    how = cv2.INTER_AREA if height * width < original.shape[0] * original.shape[1] else (
        cv2.INTER_CUBIC
    )  # fmt: skip
    return np.asarray(cv2.resize(original, (width, height), interpolation=how), np.uint8)


class _Likeness(NamedTuple):
    """What the blocks of two pictures have in common."""

    same: int
    textured: int
    gain: float = 1.0
    offset: float = 0.0
    noise: float | None = None  # levels, typical of blocks that show the same

    @property
    def enough(self) -> bool:
        return self.same >= max(_LEAST, _SHARE * self.textured)


def luma(picture: Image) -> Plane:
    """Return a picture's luma, ``float32 (H, W)``, levels 0-255."""
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, np.float32)


def _difference(expected: Image, found: Image, gain: float, offset: float) -> Plane:
    return np.asarray(luma(expected) * gain + offset - luma(found), np.float32)


def _smooth(difference: Plane, *, scaled: bool) -> Plane:
    """Codecs and resampling differ from pixel to pixel, covers do not."""
    return np.abs(
        np.asarray(cv2.GaussianBlur(difference, (0, 0), 1.5 if scaled else 0.7), np.float32)
    )


def _usual(difference: Plane, noise: float | None) -> float:
    """The median of what codecs do, told from its lower tail: covers may fill most of a picture."""
    return max(3.6 * float(np.quantile(difference, 0.15)), 0.35 * (noise or 0.0))


def _beyond(difference: Plane, usual: float) -> Flags:
    changed = (difference > _LEVELS + 4 * usual).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(changed, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0)


def _compared(original: Image, redacted: Image) -> _Likeness:
    """Compare blocks that have texture, and fit the levels of the one file to the other's."""
    a, b = (_blocks(luma(picture)) for picture in (original, redacted))
    mean_a, mean_b = a.mean(axis=1), b.mean(axis=1)
    a, b = a - mean_a[:, None], b - mean_b[:, None]
    spread_a, spread_b = a.std(axis=1), b.std(axis=1)
    textured = spread_a > _TEXTURE
    alike = (a * b).mean(axis=1) / np.maximum(spread_a * spread_b, 1e-3)
    same = textured & (alike > _SAME) & (spread_b < 2 * spread_a) & (spread_a < 2 * spread_b)
    found = _Likeness(int(same.sum()), int(textured.sum()))
    if not found.enough:
        return found
    gain, offset = 1.0, 0.0
    if mean_a[same].std() > 8:
        gain, offset = (float(v) for v in np.polyfit(mean_a[same], mean_b[same], 1))
        if abs(gain - 1) < 0.02 and abs(offset) < 3:
            gain, offset = 1.0, 0.0
    noise = float(np.median((gain * a - b)[same].std(axis=1)))
    return found._replace(gain=gain, offset=offset, noise=noise)


def _same_light(original: Image, redacted: Image) -> bool:
    """Whether enough blocks are equal, texture or not, and not just one plain backdrop."""
    a, b = (_blocks(luma(picture)) for picture in (original, redacted))
    difference = a - b
    equal = (np.abs(difference.mean(axis=1)) < _EQUAL) & (difference.std(axis=1) < _EQUAL)
    return bool(equal.mean() > _EVENLY and a[equal].mean(axis=1).std() > _VARIED)


def _blocks(plane: Plane) -> npt.NDArray[np.float64]:
    """Return the square blocks of a plane, reduced to the size of comparison: ``(N, pixels)``."""
    reduction = max(1.0, max(plane.shape) / _LONG_SIDE)
    size = [max(_LEAST_BLOCK, round(n / reduction)) for n in plane.shape[::-1]]
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    side = max(_LEAST_BLOCK, max(size) // _BLOCKS)
    rows, columns = small.shape[0] // side, small.shape[1] // side
    cut = np.asarray(small, np.float64)[: rows * side, : columns * side]
    return cut.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side * side)


def _otherwise(original: Image, redacted: Image) -> str:
    """Say how two pictures fail to match: as a turned or mirrored copy, or altogether."""
    turns = {"turned by 180 degrees": original[::-1, ::-1], "mirrored": original[:, ::-1]}
    if original.shape[0] == original.shape[1]:
        turns["turned"] = np.rot90(original)
        turns["turned "] = np.rot90(original, 3)
    for words, turned in turns.items():
        if _compared(np.ascontiguousarray(turned), redacted).enough:
            return f"one is {words.strip()}"
    return "too little outside of the covers is the same in both"
