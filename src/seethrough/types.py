"""The types that cross room borders: pictures, boxes, faces, regions and restorations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from seethrough.errors import UsageError

Image: TypeAlias = npt.NDArray[np.uint8]
"""``uint8``, ``(H, W, 3)``, RGB, sRGB."""

Mask: TypeAlias = npt.NDArray[np.float32]
"""``float32``, ``(H, W)``, range [0, 1]."""

Landmarks: TypeAlias = npt.NDArray[np.float64]
"""``float64``, ``(5, 2)``, xy pixels: left eye, right eye, nose, left and right mouth
corner, viewer's left first. A pixel's centre lies at its index (OpenCV's convention)."""

Kind: TypeAlias = Literal["face", "text"]
OperatorKind: TypeAlias = Literal["mosaic", "gauss", "box", "solid", "eye-bar"]


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in pixels, half-open: ``x0 <= x < x1``.

    Raises
    ------
    UsageError
        Where the rectangle is empty or not finite.
    """

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        if not np.isfinite([self.x0, self.y0, self.x1, self.y1]).all():
            raise UsageError("a box has a coordinate that is not finite", "give four numbers")
        if self.x1 <= self.x0 or self.y1 <= self.y0:
            raise UsageError(
                f"the box {self.x0:g},{self.y0:g},{self.x1:g},{self.y1:g} is empty",
                "give x0,y0,x1,y1 with x0 < x1 and y0 < y1",
            )

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def intersection(self, other: Box) -> float:
        """Area in common with ``other``, in square pixels."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(width, 0.0) * max(height, 0.0)

    def iou(self, other: Box) -> float:
        """Intersection over union with ``other``, range [0, 1]."""
        shared = self.intersection(other)
        return shared / (self.area + other.area - shared)

    def overlap(self, other: Box) -> float:
        """Area in common with ``other`` over that of the smaller, range [0, 1]."""
        return self.intersection(other) / min(self.area, other.area)

    def as_tuple(self) -> tuple[float, float, float, float]:
        return self.x0, self.y0, self.x1, self.y1


@dataclass(frozen=True, slots=True)
class Operator:
    """How a covered region was made, as far as the picture alone tells.

    Attributes
    ----------
    kind : str
        ``mosaic``, ``gauss``, ``box``, ``solid`` or ``eye-bar``.
    size : tuple of float or None
        In picture pixels. Mosaic: cell width and height (may be fractional). Gauss: sigma
        twice. Box: kernel width and height. ``None`` for solid covers and bars.
    phase : tuple of float or None
        Mosaic only: picture coordinates of one grid corner, reduced modulo the cell, in
        ``[0, size)``: grid lines lie at ``x = phase[0] + k * size[0]``.
    confidence : float
        Range [0, 1].
    residual : float or None
        Solid covers and bars only: standard deviation of the pixels deep inside, in levels
        (0-255), mean over the channels. An opaque cover has 0, or a few tenths after a codec;
        more says that something shows through.
    """

    kind: OperatorKind
    size: tuple[float, float] | None
    phase: tuple[float, float] | None
    confidence: float
    residual: float | None = None


@dataclass(frozen=True, slots=True)
class CoveredRegion:
    """A region of a picture that an operator has covered."""

    box: Box
    operator: Operator


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face in a picture.

    Attributes
    ----------
    box : Box
        The tight face: forehead to chin, cheek to cheek.
    landmarks : Landmarks
        ``(5, 2)`` xy pixels.
    score : float
        The detector's confidence, range [0, 1]; 1 where a person placed the face.
    """

    box: Box
    landmarks: Landmarks
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class TextLine:
    """One line of text in a picture.

    Attributes
    ----------
    quad : ndarray
        ``float64 (4, 2)`` xy corners: top left, top right, bottom right, bottom left, as read.
    score : float
        Range [0, 1].
    """

    quad: npt.NDArray[np.float64]
    score: float

    @property
    def box(self) -> Box:
        """The axis-aligned rectangle around the line."""
        x0, y0 = self.quad.min(axis=0)
        x1, y1 = self.quad.max(axis=0)
        return Box(float(x0), float(y0), float(x1), float(y1))


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Pixels to paint over a picture or a frame.

    Attributes
    ----------
    x0, y0 : int
        Top left corner in upright pixels; the patch lies inside the picture.
    pixels : Image
        ``uint8 (h, w, 3)``.
    mask : ndarray
        ``bool (h, w)``: only these pixels are painted.

    Raises
    ------
    UsageError
        Where shapes, types or the corner are wrong.
    """

    x0: int
    y0: int
    pixels: Image
    mask: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.x0 < 0 or self.y0 < 0:
            raise UsageError(
                f"a patch begins at {self.x0},{self.y0}, outside the picture", "clip it first"
            )
        if self.pixels.dtype != np.uint8 or self.pixels.shape != (*self.mask.shape, 3):
            raise UsageError(
                "a patch's pixels do not fit its mask", "give uint8 (h, w, 3) and bool (h, w)"
            )
        if self.mask.dtype != np.bool_ or self.mask.size == 0:
            raise UsageError("a patch's mask is wrong", "give bool (h, w), not empty")


@dataclass(frozen=True, slots=True)
class WeightsUsed:
    """Which weights had a part in an output."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """What became of one face or line of text.

    ``status`` is ``done`` or ``skipped``; a skipped region carries its ``reason`` and its
    pixels are those of the input. In a film, a region is one face followed through ``span``, from
    and to in seconds, and its box and landmarks are those of one frame.
    """

    kind: Kind
    box: Box
    landmarks: Landmarks | None
    score: float
    status: Literal["done", "skipped"]
    reason: str | None
    operator: Operator | None
    consistency_db: float | None
    seconds: float
    span: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Restoration:
    """A restored picture and what it knows about itself.

    Attributes
    ----------
    picture : Image
        A reconstruction: a plausible guess, never evidence.
    synthesised : ndarray
        ``bool (H, W)``: the pixels that the network wrote. All others are the input's.
    regions : tuple of Region
        One for each face and line found, skipped ones included.
    weights : tuple of WeightsUsed
        Names and checksums.
    """

    picture: Image
    synthesised: npt.NDArray[np.bool_]
    regions: tuple[Region, ...]
    weights: tuple[WeightsUsed, ...] = field(default=())
