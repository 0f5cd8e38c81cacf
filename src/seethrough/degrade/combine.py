"""Operators made of operators: chains, limits to a region, other scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

import cv2
import numpy as np

from seethrough.degrade.base import Degradation, Float, check, float32, pair
from seethrough.degrade.blurs import BoxBlur, GaussianBlur
from seethrough.degrade.covers import Ellipse
from seethrough.degrade.mosaics import Mosaic
from seethrough.types import Box

T = TypeVar("T", bound=Degradation)


@dataclass(frozen=True)
class Within(Degradation):
    """An operator limited to a region, as tools apply it to a face in a photo.

    Parameters
    ----------
    operator : Degradation
        Must keep the size of a picture.
    region : Box or Ellipse
        Where it acts.
    feather : float
        Width in pixels over which the cover fades into the picture; 0 is a hard border.
    cropped : bool
        The operator sees the region's rectangle alone (its borders reflect there and a mosaic's
        grid starts there), as tools do that cut the face out first. Otherwise it sees the
        whole picture.
    """

    operator: Degradation
    region: Box | Ellipse
    feather: float = 0.0
    cropped: bool = False
    lengths = ("operator", "region", "feather")

    def __post_init__(self) -> None:
        check(self.feather >= 0, f"a rim of {self.feather:g} px", "give 0 or more")

    @property
    def random(self) -> bool:  # type: ignore[override]
        """Whether the operator inside draws random numbers."""
        return self.operator.random

    def alpha(self, height: int, width: int) -> Float:
        """``float32 (height, width)`` on [0, 1]: how much of the cover each pixel takes."""
        inside = np.zeros((height, width), np.float32)
        if isinstance(self.region, Box):
            x0, y0, x1, y1 = _whole(self.region, height, width)
            inside[y0:y1, x0:x1] = 1
        else:
            inside[self.region.mask(height, width)] = 1
        if self.feather > 0:
            inside = float32(cv2.GaussianBlur(inside, (0, 0), self.feather / 2))
        return inside

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        height, width = picture.shape[:2]
        covered = picture
        if self.cropped:
            x0, y0, x1, y1 = _whole(_bounds(self.region), height, width)
            if x1 > x0 and y1 > y0:
                covered = picture.copy()
                part = np.ascontiguousarray(picture[y0:y1, x0:x1])
                covered[y0:y1, x0:x1] = self.operator.apply(part, rng)
        else:
            covered = self.operator.apply(picture, rng)
        alpha = self.alpha(height, width)[..., None]
        return np.where(alpha == 0, picture, picture + (covered - picture) * alpha)


@dataclass(frozen=True)
class Chain(Degradation):
    """Operators one after another, rounded to 8 bit once at the end.

    Parameters
    ----------
    operators : tuple of Degradation
        In the order in which they act.
    """

    operators: tuple[Degradation, ...]
    lengths = ("operators",)

    def __init__(self, operators: Sequence[Degradation]) -> None:
        object.__setattr__(self, "operators", tuple(operators))

    @property
    def random(self) -> bool:  # type: ignore[override]
        """Whether any of the operators draws random numbers."""
        return any(operator.random for operator in self.operators)

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        for operator in self.operators:
            picture = operator.apply(picture, rng)
        return picture


def scaled(operator: T, factor: float) -> T:
    """The same operator with every length multiplied by ``factor``.

    Kernel sizes stay whole (Gaussian ones odd) and at least 1 px, cells at least 1 px.

    Parameters
    ----------
    operator : Degradation
        Any operator, chains and limited ones included.
    factor : float
        Above 0: pixels of the new picture per pixel of the old one.
    """
    check(factor > 0, f"a scale of {factor:g}", "give a factor above 0")
    changed: dict[str, Any] = {}
    for name in operator.lengths:
        value = getattr(operator, name)
        if isinstance(operator, BoxBlur):
            width, height = (max(1, round(v * factor)) for v in pair(value))
            changed[name] = (width, height) if isinstance(value, tuple) else width
        elif isinstance(operator, GaussianBlur) and name == "size":
            changed[name] = 2 * round((value * factor - 1) / 2) + 1 if value else 0
        else:
            smallest = 1.0 if isinstance(operator, Mosaic) and name == "cell" else None
            changed[name] = _scale(value, factor, smallest)
    if isinstance(operator, Chain):
        return type(operator)(changed["operators"])
    return replace(operator, **changed)


def _bounds(region: Box | Ellipse) -> Box:
    if isinstance(region, Box):
        return region
    (cx, cy), (a, b) = region.centre, region.half_axes
    return Box(cx - a, cy - b, cx + a, cy + b)


def _whole(box: Box, height: int, width: int) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (round(v) for v in box.as_tuple())
    xs, ys = (min(max(0, x), width) for x in (x0, x1)), (min(max(0, y), height) for y in (y0, y1))
    (left, right), (top, bottom) = xs, ys
    return left, top, right, bottom


def _scale(value: Any, factor: float, smallest: float | None) -> Any:
    if isinstance(value, Degradation):
        return scaled(value, factor)
    if isinstance(value, tuple):
        return tuple(_scale(v, factor, smallest) for v in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: _scale(getattr(value, f.name), factor, None) for f in fields(value)}
        return replace(value, **parts)
    return value * factor if smallest is None else max(smallest, value * factor)
