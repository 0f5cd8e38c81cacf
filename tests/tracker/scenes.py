"""Small films of one real face, as arrays, with where it is in each frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import cv2
import numpy as np
import skimage.data

from seethrough.types import Box, Image

SIZE = (180, 320)
RATE = Fraction(25)
Place = tuple[float, float, float, float]  # centre x, y, width of the face, degrees clockwise

_FACE = (177.0, 68.0, 268.0, 184.0)  # the astronaut's, forehead to chin
_MIDDLE = np.array([(_FACE[0] + _FACE[2]) / 2, (_FACE[1] + _FACE[3]) / 2])


@dataclass(frozen=True)
class ArrayFrame:
    """A frame that needs no decoder."""

    picture: Image
    index: int
    time: Fraction

    @property
    def shape(self) -> tuple[int, int]:
        return self.picture.shape[0], self.picture.shape[1]

    def reduced(self, long_side: int) -> tuple[Image, tuple[float, float]]:
        assert max(self.shape) <= long_side
        return self.picture, (1.0, 1.0)


@dataclass(frozen=True)
class ArrayFilm:
    """What is known of such a film."""

    width: int = SIZE[1]
    height: int = SIZE[0]
    rate: Fraction = RATE
    frames: int | None = None


@cache
def scenery(seed: int = 0) -> Image:
    coarse = np.random.default_rng(seed).integers(30, 220, (12, 20, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def drawn(place: Place | None, seed: int = 0) -> Image:
    """Return the scenery with the astronaut's head at a place."""
    picture = scenery(seed).copy()
    if place is None:
        return picture
    x, y, width, degrees = place
    astronaut = skimage.data.astronaut()
    mask = np.zeros(astronaut.shape[:2], np.float32)
    axes = (int((_FACE[2] - _FACE[0]) * 0.68), int((_FACE[3] - _FACE[1]) * 0.72))
    cv2.ellipse(mask, (int(_MIDDLE[0]), int(_MIDDLE[1])), axes, 0, 0, 360, 1.0, -1)
    scale = width / (_FACE[2] - _FACE[0])
    astronaut = cv2.GaussianBlur(astronaut, (0, 0), max(0.4 / scale, 0.1))
    matrix = cv2.getRotationMatrix2D(tuple(_MIDDLE), -degrees, scale)
    matrix[:, 2] += (x, y) - _MIDDLE
    size = SIZE[::-1]
    head = cv2.warpAffine(astronaut, matrix, size)
    alpha = cv2.warpAffine(mask, matrix, size)[..., None]
    return np.asarray(picture * (1 - alpha) + head * alpha, np.uint8)


def box_of(place: Place) -> Box:
    """Return the tight face of an upright head at a place."""
    x, y, width, _ = place
    height = width * (_FACE[3] - _FACE[1]) / (_FACE[2] - _FACE[0])
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def film(
    count: int, course: Callable[[int], Place | None], seed: Callable[[int], int] = lambda _: 0
) -> list[ArrayFrame]:
    """Return the frames of a film in which a head follows a course."""
    return frames_of([drawn(course(i), seed(i)) for i in range(count)])


def frames_of(pictures: Sequence[Image]) -> list[ArrayFrame]:
    return [ArrayFrame(picture, i, i / RATE) for i, picture in enumerate(pictures)]
