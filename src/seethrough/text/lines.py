"""What a line of text is: an oriented rectangle whose height tells the size of its letters.

A line's quad counts from pixel edges, as boxes do: the corner of the picture is (0, 0).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from seethrough.types import Box, TextLine

Quad: TypeAlias = npt.NDArray[np.float64]
"""``float64 (4, 2)`` xy corners: top left, top right, bottom right, bottom left, as read."""

CAP_SHARE = 0.44
"""Cap height as a share of the height of a found quad, which holds ascenders, descenders and
a margin. Measured on rendered lines of known cap height."""


def line_in_box(box: Box) -> TextLine:
    """Return the line of text that a person says fills a box: level, or upright where tall."""
    centre = np.array(box.centre)
    return TextLine(oriented_quad(centre, box.width, box.height, 0.0), 1.0)


def cap_height_of(line: TextLine) -> float:
    """Estimate the height of a line's capitals in picture pixels, from its quad alone."""
    return CAP_SHARE * float(np.linalg.norm(line.quad[3] - line.quad[0]))


def oriented_quad(centre: Quad, width: float, height: float, angle: float) -> Quad:
    """Order a rectangle's corners as read: the long side is the line, left to right.

    ``angle`` in radians, clockwise on screen. A line that stands upright reads downwards. A
    rectangle that is nearly square lies level.
    """
    if height > 1.5 * width or (height > width / 1.5 and abs(np.sin(angle)) > 0.5**0.5):
        width, height, angle = height, width, angle + np.pi / 2
    along = np.array([np.cos(angle), np.sin(angle)])
    # Left to right; within 10 degrees of upright downwards, whichever way it leans.
    steep = abs(along[0]) < np.sin(np.deg2rad(10))
    if (steep and along[1] < 0) or (not steep and along[0] < 0):
        along = -along
    down = np.array([-along[1], along[0]])
    half, up = along * width / 2, down * height / 2
    return np.stack(
        [centre - half - up, centre + half - up, centre + half + up, centre - half + up]
    )
