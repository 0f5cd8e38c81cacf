"""Blurs in place: Gaussian, box, and motion along a line or a path."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.degrade.base import Degradation, Float, check, float32, pair


@dataclass(frozen=True)
class GaussianBlur(Degradation):
    """Gaussian blur in place.

    Parameters
    ----------
    sigma : float
        Standard deviation in pixels, above 0.
    size : int, optional
        Odd kernel size in pixels; 0 (default) lets OpenCV choose it from sigma.
    """

    sigma: float
    size: int = 0
    lengths = ("sigma", "size")

    def __post_init__(self) -> None:
        check(
            0 < self.sigma <= 1000, f"a blur of sigma {self.sigma:g} px", "give 0 < sigma <= 1000"
        )
        check(
            self.size == 0 or (self.size > 0 and self.size % 2 == 1),
            f"a Gaussian kernel of {self.size} px",
            "give an odd size, or 0 for automatic",
        )

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        return float32(
            cv2.GaussianBlur(
                picture, (self.size, self.size), self.sigma, borderType=cv2.BORDER_REFLECT_101
            )
        )


@dataclass(frozen=True)
class BoxBlur(Degradation):
    """Mean over a rectangle around each pixel, in place.

    Parameters
    ----------
    size : int or (int, int)
        Kernel width and height in pixels, at least 1.
    """

    size: int | tuple[int, int]
    lengths = ("size",)

    def __post_init__(self) -> None:
        check(min(pair(self.size)) >= 1, f"a box kernel of {self.size} px", "give 1 or more")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        kx, ky = (int(k) for k in pair(self.size))
        return float32(cv2.blur(picture, (kx, ky), borderType=cv2.BORDER_REFLECT_101))


def motion_kernel(points: npt.NDArray[np.float64]) -> Float:
    """Blur kernel of a camera that moves along a path while the shutter is open.

    Parameters
    ----------
    points : ndarray
        ``float64 (N, 2)`` xy positions in pixels, equally spaced in time.

    Returns
    -------
    ndarray
        ``float32 (K, K)``, K odd, sum 1, centred on the path's mean.
    """
    centred = points - points.mean(axis=0)
    radius = int(np.ceil(np.abs(centred).max())) + 1
    kernel = np.zeros((2 * radius + 1, 2 * radius + 1), np.float32)
    base = np.floor(centred).astype(int)
    part = centred - base
    for dy, wy in ((0, 1 - part[:, 1]), (1, part[:, 1])):
        for dx, wx in ((0, 1 - part[:, 0]), (1, part[:, 0])):
            np.add.at(kernel, (base[:, 1] + dy + radius, base[:, 0] + dx + radius), wx * wy)
    return np.asarray(kernel / kernel.sum(), np.float32)


@dataclass(frozen=True)
class MotionBlur(Degradation):
    """Blur along a straight line, in place.

    Parameters
    ----------
    length : float
        Length of the line in pixels, above 0.
    angle : float
        Degrees, anticlockwise from the x axis as seen on screen.
    """

    length: float
    angle: float = 0.0
    lengths = ("length",)

    def __post_init__(self) -> None:
        check(0 < self.length <= 1000, f"a motion of {self.length:g} px", "give 0 < length <= 1000")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        steps = np.linspace(-0.5, 0.5, max(2, int(4 * self.length) + 1)) * self.length
        angle = np.deg2rad(self.angle)
        kernel = motion_kernel(np.stack([steps * np.cos(angle), -steps * np.sin(angle)], axis=1))
        return float32(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REFLECT_101))


@dataclass(frozen=True)
class MotionPath(Degradation):
    """Blur along a random smooth path of a hand-held camera, in place.

    The direction turns at a rate that is itself a random walk, so that the path bends smoothly.

    Parameters
    ----------
    length : float
        Length of the path in pixels, above 0.
    """

    length: float
    lengths = ("length",)
    random = True

    def __post_init__(self) -> None:
        check(0 < self.length <= 1000, f"a motion of {self.length:g} px", "give 0 < length <= 1000")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        assert rng is not None
        count = max(8, int(4 * self.length))
        # Over the whole path the heading turns by about one radian, however long it is.
        turn = np.cumsum(rng.normal(0, 1.0, count)) * 2 * count**-1.5
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(turn)
        step = self.length / count
        path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1) * step, axis=0)
        kernel = motion_kernel(path)
        return float32(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REFLECT_101))
