"""Regions that a person places by hand: how large they may be."""

from __future__ import annotations

import numpy as np

from seethrough.errors import UsageError
from seethrough.geometry import tight_box
from seethrough.pipeline.options import RestoreOptions
from seethrough.types import Box

MOST = 4
"""Sides of a region, in longer sides of its picture, at most. What lies outside a picture is made
up before a face is cut out, so that a slip of the pen would take gigabytes."""


def check_box(box: Box, width: int, height: int, name: str = "the box") -> None:
    """Refuse a region that is far larger than its picture.

    Parameters
    ----------
    box : Box
        The region, in pixels of the picture.
    width, height : int
        Of the picture.
    name : str
        What to call it in the error.

    Raises
    ------
    UsageError
        Where it is wider or higher than :data:`MOST` times the picture's longer side.
    """
    if max(box.width, box.height) > MOST * max(width, height):
        x0, y0, x1, y1 = box.as_tuple()
        raise UsageError(
            f"{name} {x0:g},{y0:g},{x1:g},{y1:g} is larger than {MOST} times the longer side "
            f"of the picture, which has {width} x {height} pixels",
            "give pixels of this picture, counted from the top left corner",
        )


def check_placed(options: RestoreOptions, width: int, height: int) -> None:
    """Refuse boxes, and landmarks of faces, that are far larger than their picture.

    Raises
    ------
    UsageError
        As :func:`check_box` does.
    """
    for box in options.box:
        check_box(box, width, height)
    for points in options.landmarks:
        face = tight_box(np.reshape(np.array(points, np.float64), (5, 2)))
        check_box(face, width, height, "the face of the landmarks, in the box")
