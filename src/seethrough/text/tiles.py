"""Cutting a line of text into the squares that the restorer takes, and their blending weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seethrough.errors import UsageError
from seethrough.geometry import Matrix
from seethrough.text.lines import cap_height_of
from seethrough.types import Mask, TextLine

TILE = 128
"""Side of a tile in pixels: what the restorer takes."""

_OVERLAP = 32  # pixels that neighbouring tiles share at least
_RIM = 8  # pixels over which a line fades into its picture, and a tile's edge that goes unused


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One square of a line.

    Attributes
    ----------
    matrix : ndarray
        ``float64 (2, 3)``: picture to tile, a similarity, for :func:`seethrough.geometry.crop`
        and ``place``.
    weight : Mask
        ``float32 (128, 128)``: how much the tile counts at each of its pixels. The weights of
        a line's tiles add up to 1 on the line and fall to 0 around it.
    """

    matrix: Matrix
    weight: Mask


def line_tiles(line: TextLine, *, cap_height: float = 20.0) -> tuple[Tile, ...]:
    """Cut a line into tiles which lie level along it.

    Neighbouring tiles are a whole number of tile pixels apart, so that their pixels coincide
    where they overlap (32 px or more) and their weights sum to exactly one there.

    Parameters
    ----------
    line : TextLine
        Its quad is taken as a rectangle, whose height tells the size of its letters.
    cap_height : float
        Height of capitals in a tile, in pixels, range [4, 64].

    Returns
    -------
    tuple of Tile
        Along the line as it reads; at least one.

    Raises
    ------
    UsageError
        Where the line has no extent or the cap height is out of range.
    """
    if not 4 <= cap_height <= 64:
        raise UsageError(f"a cap height of {cap_height:g} px", "give 4 to 64")
    along = line.quad[1] - line.quad[0] + line.quad[2] - line.quad[3]
    length = float(np.linalg.norm(along)) / 2
    if not length > 0 or not cap_height_of(line) > 0:
        raise UsageError("a line of text without extent", "give a quad with length and height")
    along = along / np.linalg.norm(along)
    down = np.array([-along[1], along[0]])
    scale = cap_height / cap_height_of(line)
    length, height = length * scale, float(np.linalg.norm(line.quad[3] - line.quad[0])) * scale

    span = length + 2 * _RIM
    count = max(1, math.ceil((span - _OVERLAP) / (TILE - _OVERLAP)))
    step = math.ceil((span - TILE) / (count - 1)) if count > 1 else 0
    covered = TILE + step * (count - 1)
    first = (length - covered) / 2  # where the first tile begins, from the start of the line

    # Quads count from pixel edges, matrices from pixel centres.
    middle = line.quad.mean(axis=0) - 0.5
    pixels = np.arange(TILE, dtype=np.float64) + 0.5
    across = _fade(pixels - TILE / 2, height / 2)
    tiles = []
    for index in range(count):
        begin = first + index * step
        linear = np.stack([along, down]) * scale
        centre = np.array([length / 2 - begin, TILE / 2]) - 0.5  # of the line, in the tile
        ramp = _fade(pixels + (begin - length / 2), length / 2)
        ramp = ramp * _share(pixels, step, index > 0, index < count - 1)
        tiles.append(
            Tile(
                np.column_stack([linear, centre - linear @ middle]),
                (across[:, None] * ramp[None, :]).astype(np.float32),
            )
        )
    return tuple(tiles)


def _fade(offset: npt.NDArray[np.float64], half: float) -> npt.NDArray[np.float64]:
    """Return 1 up to ``half`` from the middle, then a smooth fall to 0 over the rim."""
    return _smooth(1 - (np.abs(offset) - half) / _RIM)


def _share(
    x: npt.NDArray[np.float64], step: int, before: bool, after: bool
) -> npt.NDArray[np.float64]:
    """Return the share of a tile between its neighbours, ``step`` pixels before and after it."""
    width = TILE - step - 2 * _RIM  # of the blend, in the middle of the overlap
    rise = _smooth((x - _RIM) / width) if before else np.ones_like(x)
    fall = _smooth((x - step - _RIM) / width) if after else np.zeros_like(x)
    return rise - fall


def _smooth(t: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the cubic step from 0 at 0 to 1 at 1."""
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float64)
