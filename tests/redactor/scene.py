"""Faces whose place is known, without a detector."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from seethrough import geometry
from seethrough.redactor import Coverer, StillPicture, Style
from seethrough.types import Box, Image, Landmarks, Patch


@dataclass(frozen=True, eq=False)
class Seen:
    """A sighting."""

    box: Box
    landmarks: Landmarks | None = None
    track: int = 1


def face(x: float, y: float, width: float, degrees: float = 0.0, track: int = 1) -> Seen:
    """A frontal face whose crop's middle lies at (x, y), turned clockwise on screen."""
    unit = width / 72
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    points = (geometry.template(128) - 63.5) * unit @ turn.T + (x, y)
    x0, y0, x1, y1 = geometry.tight_box(points).as_tuple()
    # A little off, as a detector's: exactly there are points that were filled in.
    return Seen(Box(x0 - 0.02 * width, y0, x1 - 0.02 * width, y1), points, track)


def paint(picture: Image, patches: list[Patch]) -> Image:
    """Paint patches on a copy, as the verb does."""
    painted = picture.copy()
    for patch in patches:
        height, width = patch.mask.shape
        part = painted[patch.y0 : patch.y0 + height, patch.x0 : patch.x0 + width]
        assert part.shape[:2] == patch.mask.shape, "a patch hangs over the edge"
        part[patch.mask] = patch.pixels[patch.mask]
    return painted


def covered(picture: Image, seen: list[Seen], style: Style) -> Image:
    """Cover the faces of a photo."""
    coverer = Coverer(style, (picture.shape[0], picture.shape[1]), threads=1)
    return paint(picture, coverer.patches(StillPicture(picture), seen))


def under(shape: tuple[int, int], seen: list[Seen], style: Style) -> np.ndarray:
    """``bool (H, W)``: which pixels the covers lie over."""
    mask = np.zeros(shape, np.bool_)
    for region in Coverer(style, shape, threads=1).regions(seen):
        mask[region.y0 : region.y1, region.x0 : region.x1] |= region.mask
    return mask
