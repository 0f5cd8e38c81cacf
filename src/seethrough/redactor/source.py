"""What covers are made from: a frame or a photo, and where its faces are."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from seethrough.types import Box, Image, Landmarks


class Sighting(Protocol):
    """Where one face is in one frame; ``seethrough.tracker.Sighting`` is one.

    Attributes
    ----------
    track : int
        Number of the face: covers that change smoothly in time belong to one.
    box : Box
        The tight face in upright, stored pixels.
    landmarks : Landmarks or None
        ``(5, 2)`` xy; ``None``, not finite, or implausible where only the box is known.
    """

    @property
    def track(self) -> int: ...
    @property
    def box(self) -> Box: ...
    @property
    def landmarks(self) -> Landmarks | None: ...


class Source(Protocol):
    """A picture of which parts can be had; ``seethrough.video.Frame`` is one."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in upright, stored pixels."""
        ...

    def reduced(self, long_side: int) -> tuple[Image, tuple[float, float]]:
        """Return an upright copy with square pixels, its long side at most ``long_side``.

        The factors ``(fx, fy)`` lead back: ``x_source = (x + 0.5) * fx - 0.5``.
        """
        ...

    def picture(self) -> Image:
        """Return the whole picture."""
        ...

    def part(self, x0: int, y0: int, x1: int, y1: int) -> Image:
        """Return a part, half-open, which lies inside the picture."""
        ...


class StillPicture:
    """A photo as a :class:`Source`.

    Parameters
    ----------
    image : Image
        ``uint8 (H, W, 3)``, upright.
    """

    def __init__(self, image: Image) -> None:
        self._image = image

    @property
    def shape(self) -> tuple[int, int]:
        return self._image.shape[0], self._image.shape[1]

    def reduced(self, long_side: int) -> tuple[Image, tuple[float, float]]:
        height, width = self.shape
        factor = max(height, width) / long_side
        if factor <= 1:
            return self._image, (1.0, 1.0)
        size = (max(round(width / factor), 1), max(round(height / factor), 1))
        small = np.asarray(cv2.resize(self._image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return small, (width / size[0], height / size[1])

    def picture(self) -> Image:
        return self._image

    def part(self, x0: int, y0: int, x1: int, y1: int) -> Image:
        return self._image[y0:y1, x0:x1]
