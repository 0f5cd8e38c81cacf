"""A drawn head. Segmenters find a person by the face; where it was blanked they get this one.

It is the same for everybody, placed by the landmarks.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from seethrough.redactor.region import Pose
from seethrough.types import Image

_SIZE = 256  # pixels of the drawing, of the 128 px crop
_SCALE = 4  # drawn so many times as large as the crop, for smooth edges

_HAIR, _SKIN, _SHADE = (70, 50, 40), (205, 160, 135), (165, 115, 95)
_WHITE, _IRIS, _LASH = (240, 235, 230), (60, 40, 30), (65, 48, 40)
_LIP, _MOUTH = (170, 85, 80), (110, 50, 50)


def draw_on(picture: Image, pose: Pose, factor: float) -> None:
    """Draw the head on a picture, in place.

    Parameters
    ----------
    picture : Image
        With square pixels, reduced by ``factor`` from the picture that the pose is of.
    pose : Pose
        Where.
    factor : float
        Pixels of that picture in one of this.
    """
    pixels, weight = _drawing()
    step = 128 / _SIZE / factor
    linear = np.stack([pose.right, pose.down], axis=1) * step
    origin = (pose.origin + 0.5) / factor - 0.5 - linear @ np.full(2, (_SIZE - 1) / 2)
    matrix = np.column_stack([linear, origin])
    size = (picture.shape[1], picture.shape[0])
    alpha = cv2.warpAffine(weight, matrix, size).astype(np.float32)[..., None] / 255
    head = cv2.warpAffine(pixels, matrix, size).astype(np.float32)
    picture[:] = np.rint(picture + alpha * (head - picture))


@cache
def _drawing() -> tuple[Image, Image]:
    """Return the head, ``uint8 (256, 256, 3)``, and its weight, ``uint8 (256, 256)``."""
    side = 128 * _SCALE
    pixels = np.zeros((side, side, 3), np.uint8)
    weight = np.zeros((side, side), np.uint8)

    def point(x: float, y: float) -> tuple[int, int]:
        return round(x * _SCALE), round(y * _SCALE)

    def oval(
        x: float, y: float, a: float, b: float, colour: tuple[int, int, int], on: Image = pixels
    ) -> None:
        cv2.ellipse(on, point(x, y), point(a, b), 0, 0, 360, colour, -1, cv2.LINE_AA)

    def arc(
        x: float, y: float, a: float, b: float, low: int, high: int, colour: tuple[int, int, int]
    ) -> None:
        thick = 2 * _SCALE
        cv2.ellipse(pixels, point(x, y), point(a, b), 0, low, high, colour, thick, cv2.LINE_AA)

    oval(64, 66, 47, 58, (255, 255, 255), weight)
    cv2.rectangle(weight, point(46, 118), point(82, 128), 255, -1)
    oval(64, 66, 47, 58, _HAIR)
    cv2.rectangle(pixels, point(46, 118), point(82, 128), _SHADE, -1)
    oval(64, 80, 36, 44, _SKIN)
    for x in (48, 80):
        oval(x, 60, 6.5, 3.2, _WHITE)
        oval(x, 60, 3, 3.2, _IRIS)
        arc(x, 58, 8, 5, 200, 340, _LASH)
        arc(x, 56, 10, 6, 200, 340, _LASH)
    arc(64, 76, 5, 4, 20, 160, _SHADE)
    oval(64, 92.5, 13, 4, _LIP)
    cv2.line(pixels, point(52, 92.5), point(76, 92.5), _MOUTH, _SCALE, cv2.LINE_AA)
    pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.8 * _SCALE), np.uint8)
    size = (_SIZE, _SIZE)
    return (
        np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8),
        np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.uint8),
    )
