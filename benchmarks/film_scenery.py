"""Surroundings for films, generated: a street of plain houses, and what people pass behind.

Nothing in it looks like a face; it has edges, repeated windows and grain, as streets have.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks import photo
from seethrough.types import Image

ROOM = 1.5
"""A scenery is so many times as wide and high as the frame, so that the camera can move."""


@lru_cache(maxsize=4)
def street(seed: int, width: int, height: int) -> Image:
    """Paint a street.

    Parameters
    ----------
    seed : int
        Of its generator.
    width, height : int
        Of the frame; the street is :data:`ROOM` times as large.

    Returns
    -------
    Image
        ``uint8``.
    """
    rng = np.random.default_rng([seed, width, height])
    width, height = round(ROOM * width), round(ROOM * height)
    base = photo.backdrop(rng, width, height).astype(np.float32) - 128
    picture = np.empty((height, width, 3), np.float32)
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    for channel, (top, low) in enumerate(zip((150, 175, 205), (205, 205, 200), strict=True)):
        picture[..., channel] = top + (low - top) * rows
    horizon = round(0.62 * height)
    x = 0
    while x < width:
        wide = int(rng.integers(width // 14, width // 6))
        tall = int(rng.integers(height // 4, round(0.58 * height)))
        colour = rng.uniform(60, 170) + rng.uniform(-25, 25, 3)
        picture[horizon - tall : horizon, x : x + wide] = colour
        _windows(picture[horizon - tall : horizon, x : x + wide], colour, rng)
        x += wide
    picture[horizon:] = rng.uniform(90, 140) + rng.uniform(-12, 12, 3)
    for y in range(horizon, height, max(height // 14, 1)):  # joints of the pavement
        picture[y : y + 2] -= 25
    return np.asarray(np.clip(picture + 0.35 * base, 0, 255), np.uint8)


def _windows(
    house: npt.NDArray[np.float32], colour: npt.NDArray[np.float64], rng: np.random.Generator
) -> None:
    height, width = house.shape[:2]
    pane = max(width // int(rng.integers(4, 8)), 6)
    for y in range(pane // 2, height - pane, 2 * pane):
        for x in range(pane // 2, width - pane, round(1.7 * pane)):
            house[y : y + round(1.3 * pane), x : x + pane] = colour * rng.uniform(0.35, 0.8)
            house[y : y + 2, x : x + pane] = colour * 1.2


@lru_cache(maxsize=8)
def grain(height: int, width: int, seed: int = 0) -> npt.NDArray[np.int16]:
    """Sensor noise of two levels, larger than the frame so that it can be shifted."""
    rng = np.random.default_rng([seed, 7])
    noise = 2 * rng.standard_normal((height + 64, width + 64, 1), np.float32)
    return np.rint(noise + np.zeros(3, np.float32)).astype(np.int16)


@dataclass(frozen=True, slots=True)
class Panel:
    """Something solid, a rectangle in front of people: a pillar, a sign, the bar of a fence.

    Attributes
    ----------
    x, y, width, height : float
        Its middle and size, in frame pixels.
    depth : float
        What is smaller lies in front.
    seed : int
        Its look.
    """

    x: float
    y: float
    width: float
    height: float
    depth: float
    seed: int = 0

    def rows_columns(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Return the part of a frame that it hides."""
        x0, y0 = round(self.x - self.width / 2), round(self.y - self.height / 2)
        x1, y1 = round(self.x + self.width / 2), round(self.y + self.height / 2)
        return (
            slice(min(max(y0, 0), shape[0]), min(max(y1, 0), shape[0])),
            slice(min(max(x0, 0), shape[1]), min(max(x1, 0), shape[1])),
        )

    def paint(self, frame: Image) -> None:
        """Paint it over a frame: shaded from left to right, with a texture of its own."""
        where = self.rows_columns(frame.shape)
        height, width = frame[where].shape[:2]
        if not height or not width:
            return
        x0, y0 = round(self.x - self.width / 2), round(self.y - self.height / 2)
        wall = _surface(self.seed)
        rows = (np.arange(where[0].start, where[0].stop) - y0) % wall.shape[0]
        columns = (np.arange(where[1].start, where[1].stop) - x0) % wall.shape[1]
        across = (np.arange(where[1].start, where[1].stop) - x0 + 0.5) / max(self.width, 1.0)
        shade = (1.05 - 0.5 * np.abs(across - 0.35)).astype(np.float32)[None, :, None]
        frame[where] = np.clip(wall[rows][:, columns] * shade, 0, 255)


@lru_cache(maxsize=8)
def _surface(seed: int) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng([seed, 11])
    wall = photo.backdrop(rng, 256, 256).astype(np.float32)
    colour = rng.uniform(70, 160) + rng.uniform(-30, 30, 3)
    smooth = cv2.GaussianBlur(wall, (0, 0), 1.0) - 128
    return np.asarray(colour + 0.4 * smooth, np.float32)
