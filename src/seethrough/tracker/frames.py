"""What the tracker needs to know of a film and its frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.types import Image


def span(times: Sequence[Fraction], first: int, last: int) -> tuple[float, float]:
    """When some frames of a film begin and end to be shown.

    Parameters
    ----------
    times : sequence of Fraction
        When each frame is shown, and at last when the film ends, in seconds.
    first, last : int
        Frames, half-open; what lies after the end counts as the end.

    Returns
    -------
    (float, float)
        Seconds from the start of the film.
    """
    begin, end = (float(times[min(frame, len(times) - 1)]) for frame in (first, last))
    return begin, end


class FrameLike(Protocol):
    """A frame of a film, such as ``seethrough.video.Frame``."""

    @property
    def index(self) -> int: ...
    @property
    def time(self) -> Fraction: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    def reduced(self, long_side: int) -> tuple[Image, tuple[float, float]]: ...


class FilmLike(Protocol):
    """What is known of a film before it is decoded, such as ``seethrough.video.FilmInfo``."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def rate(self) -> Fraction: ...
    @property
    def frames(self) -> int | None: ...


@dataclass(frozen=True, eq=False)
class Small:
    """A reduced frame with square pixels, as the tracker keeps it for two seconds.

    Attributes
    ----------
    index : int
        Of the frame.
    picture : Image
        ``uint8 (h, w, 3)``.
    """

    index: int
    picture: Image

    @cached_property
    def grey(self) -> npt.NDArray[np.uint8]:
        return np.asarray(cv2.cvtColor(self.picture, cv2.COLOR_RGB2GRAY), np.uint8)

    @cached_property
    def levels(self) -> tuple[Image, ...]:
        """The picture, its half, quarter and eighth, by area."""
        parts = [self.picture]
        while len(parts) < 4 and min(parts[-1].shape[:2]) >= 64:
            above = parts[-1]
            size = (above.shape[1] // 2, above.shape[0] // 2)
            parts.append(np.asarray(cv2.resize(above, size, interpolation=cv2.INTER_AREA)))
        return tuple(parts)

    def without_copies(self) -> Small:
        """Return the same frame without what was derived from it, to be kept."""
        return Small(self.index, self.picture)
