"""Whether a line of text is clear already: the width of its edges, and the cells of a mosaic."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.text.lines import cap_height_of
from seethrough.types import Image, TextLine

_CLEAR_CAP = 20.0  # pixels: larger text is reduced to this before its edges are measured
_CLEAR_EDGE = 0.19  # cap heights: clear text has narrower edges
_CLEAR_CELL = 0.12  # cap heights: a finer mosaic leaves text legible
_FAINT = 0.04  # brightness on [0, 1]: less contrast is no text that could be judged
_STEEP = 98.5  # percentile of the gradients that stands for the steepest
_COMB = 0.65  # magnitude at the grid's frequency, relative to frequency zero


def edge_width(picture: Image, line: TextLine) -> float:
    """Measure how soft a line's edges are, relative to its cap height.

    Contrast (the spread of brightness in the line) over the steepest gradients is the width of
    an edge that rises evenly; of four directions the softest counts, as motion blurs only one.
    Large text is reduced first, so that noise does not pass for
    edges.

    Parameters
    ----------
    picture : Image
        ``uint8 (H, W, 3)``.
    line : TextLine
        A line in it.

    Returns
    -------
    float
        Edge width as a share of the cap height; infinite where the line has no contrast or
        lies outside the picture.
    """
    cap = cap_height_of(line)
    scale = min(1.0, _CLEAR_CAP / cap)
    grey, inside = _grey_of(picture, line, scale)
    if not inside.any():
        return float("inf")
    low, high = np.percentile(grey[inside], (2, 98))
    across = np.diff(grey, axis=1, append=grey[:, -1:])[inside]
    down = np.diff(grey, axis=0, append=grey[-1:])[inside]
    steepest = min(
        float(np.percentile(np.abs(across * np.cos(angle) + down * np.sin(angle)), _STEEP))
        for angle in np.deg2rad([0, 45, 90, 135])
    )
    if high - low < _FAINT or steepest <= 0:
        return float("inf")
    return float(high - low) / steepest / (cap * scale)


def cell_size(picture: Image, line: TextLine) -> float:
    """Measure the cells of a mosaic over a line, in picture pixels.

    A mosaic changes only at its grid lines: nearly all the gradient along x, summed over rows,
    lies in a comb of columns, and likewise along y. Letters spread it evenly.

    Returns
    -------
    float
        The smaller side of a cell; 0 where there is no mosaic.
    """
    grey, inside = _grey_of(picture, line, 1.0)
    sides = []
    for axis in (0, 1):
        within = np.take(inside, range(1, inside.shape[axis]), axis)
        # Squares: the ringing of a JPEG between grid lines is many small steps.
        steps = np.where(within, np.diff(grey, axis=axis) ** 2, 0)
        sides.append(_comb(steps.sum(axis=1 - axis), cap_height_of(line)))
    return min(sides)


def is_clear(picture: Image, line: TextLine) -> bool:
    """Tell whether a line is sharp enough to be left alone.

    Parameters
    ----------
    picture : Image
        ``uint8 (H, W, 3)``.
    line : TextLine
        A line in it.

    Returns
    -------
    bool
        ``False`` for text that is blurred, mosaicked or of too few pixels, relative to its
        cap height.
    """
    cap = cap_height_of(line)
    if edge_width(picture, line) > _CLEAR_EDGE:
        return False
    return cell_size(picture, line) <= _CLEAR_CELL * cap


def _grey_of(
    picture: Image, line: TextLine, scale: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return the brightness around a line at a scale, and which pixels lie in its quad."""
    height, width = picture.shape[:2]
    box = line.box
    x0, y0 = max(0, int(box.x0)), max(0, int(box.y0))
    x1, y1 = min(width, int(np.ceil(box.x1))), min(height, int(np.ceil(box.y1)))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return np.zeros((1, 1), np.float32), np.zeros((1, 1), np.bool_)
    grey: Any = cv2.cvtColor(picture[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    if scale < 1:
        size = (max(2, round((x1 - x0) * scale)), max(2, round((y1 - y0) * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    inside = np.zeros(grey.shape, np.uint8)
    corners = (line.quad - (x0, y0)) * (grey.shape[1] / (x1 - x0), grey.shape[0] / (y1 - y0)) - 0.5
    cv2.fillConvexPoly(inside, np.rint(corners).astype(np.int32), 1)
    return grey, inside.astype(np.bool_)


def _comb(profile: npt.NDArray[np.float32], largest: float) -> float:
    """Return the period of the comb that holds nearly all of a profile, or 0.

    The Fourier magnitude of a comb at its own frequency is that at frequency zero. It is so at
    the harmonics too: the longest period wins.
    """
    total = float(profile.sum())
    periods = np.arange(2.0, min(largest, len(profile) / 3), 0.125)
    if total <= 0 or not len(periods):
        return 0.0
    waves = np.exp(-2j * np.pi * np.arange(len(profile)) / periods[:, None])
    strength = np.abs(waves @ profile) / total
    fitting = np.flatnonzero(strength > _COMB)
    if not len(fitting):
        return 0.0
    last = fitting[-1]
    near = np.abs(periods - periods[last]) <= 0.15 * periods[last]
    return float(periods[near][strength[near].argmax()])
