"""Solid covers: a bar over the eyes, an ellipse over a face or a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from seethrough.degrade.base import Degradation, Float, check
from seethrough.types import Box

EYE_BAR = Box(20, 47, 108, 70)
"""PROTOCOL's bar over the eyes, in pixels of the 128 px aligned crop."""


@dataclass(frozen=True)
class EyeBar(Degradation):
    """A black rectangle, by default where the eyes of an aligned 128 px crop are.

    Parameters
    ----------
    box : Box
        Half-open pixels, rounded to whole ones.
    """

    box: Box = EYE_BAR
    lengths = ("box",)

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        covered = picture.copy()
        x0, y0, x1, y1 = (max(0, round(v)) for v in self.box.as_tuple())
        covered[y0:y1, x0:x1] = 0
        return covered


@dataclass(frozen=True)
class Ellipse:
    """A filled ellipse: ``((x + 0.5 - cx) / a)^2 + ((y + 0.5 - cy) / b)^2 <= 1``.

    Parameters
    ----------
    centre : (float, float)
        ``(cx, cy)`` in pixels; a pixel's centre lies at its index plus one half.
    half_axes : (float, float)
        ``(a, b)`` in pixels, above 0.
    """

    centre: tuple[float, float]
    half_axes: tuple[float, float]
    lengths: ClassVar[tuple[str, ...]] = ("centre", "half_axes")

    def __post_init__(self) -> None:
        check(min(self.half_axes) > 0, "an ellipse without extent", "give half-axes above 0")

    @classmethod
    def inscribed(cls, box: Box) -> Ellipse:
        """The largest ellipse inside a box."""
        return cls(box.centre, (box.width / 2, box.height / 2))

    def mask(self, height: int, width: int) -> npt.NDArray[np.bool_]:
        """``bool (height, width)``: which pixels lie inside."""
        (cx, cy), (a, b) = self.centre, self.half_axes
        x = ((np.arange(width) + 0.5 - cx) / a) ** 2
        y = ((np.arange(height) + 0.5 - cy) / b) ** 2
        return np.asarray(x[None] + y[:, None] <= 1)


MASK_FACE = Ellipse((64, 82), (37, 43))
MASK_HEAD = Ellipse((64, 62), (62, 70))
"""PROTOCOL's solid covers, in pixels of the 128 px aligned crop."""


@dataclass(frozen=True)
class SolidMask(Degradation):
    """A black ellipse over a face or a head.

    Parameters
    ----------
    centre, half_axes : (float, float)
        As in :class:`Ellipse`.
    """

    centre: tuple[float, float]
    half_axes: tuple[float, float]
    lengths = ("centre", "half_axes")

    def __post_init__(self) -> None:
        Ellipse(self.centre, self.half_axes)

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        mask = Ellipse(self.centre, self.half_axes).mask(*picture.shape[:2])
        return np.where(mask[..., None], np.float32(0), picture)
