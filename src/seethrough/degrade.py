"""The degradation model: what blurs, mosaics, covers and codecs do to a picture.

Restoration, training, audit and benchmarks all use these operators, so that one definition
answers every question about a cover. Each operator is a frozen dataclass that is called on a
picture; lengths are in pixels of that picture (:func:`scaled` rescales them, for operators
defined relative to a face). Arithmetic is float32 on [0, 1] with reflected borders
(``BORDER_REFLECT_101``), rounded half up to 8 bit once, at the end of a chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, ClassVar, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.errors import UsageError
from seethrough.types import Box, Image

Float = npt.NDArray[np.float32]
T = TypeVar("T", bound="Degradation")


def to_float(picture: Image) -> Float:
    """Bring 8-bit levels to float32 on [0, 1]."""
    return picture.astype(np.float32) / np.float32(255)


def to_uint8(picture: Float) -> Image:
    """Round float32 on [0, 1] half up to 8 bit, clipping."""
    return np.floor(np.clip(picture, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _check(condition: bool, what: str, remedy: str) -> None:
    if not condition:
        raise UsageError(what, remedy)


@dataclass(frozen=True)
class Degradation:
    """Base of every operator.

    Calling an operator takes and returns an :data:`~seethrough.types.Image`; ``apply`` does the
    same on float32, unrounded, so that chains round only once.
    """

    random: ClassVar[bool] = False
    """Whether the operator draws random numbers and therefore needs a generator."""
    lengths: ClassVar[tuple[str, ...]] = ()
    """Names of the fields that are lengths in pixels."""

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        """Degrade ``float32 (H, W, 3)`` on [0, 1]; the result is not rounded or clipped."""
        raise NotImplementedError

    def __call__(self, picture: Image, rng: np.random.Generator | None = None) -> Image:
        """Degrade a picture.

        Parameters
        ----------
        picture : Image
            ``uint8 (H, W, 3)``.
        rng : numpy.random.Generator, optional
            Needed by the random operators (``MotionPath``, ``Noise`` and chains of them).

        Returns
        -------
        Image
            ``uint8``; of the same size but for ``Downscale``.

        Raises
        ------
        UsageError
            If the operator is random and no generator is given.
        """
        _check(
            rng is not None or not self.random,
            f"{type(self).__name__} draws random numbers",
            "pass a numpy.random.Generator",
        )
        return to_uint8(self.apply(to_float(picture), rng))


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
        _check(
            0 < self.sigma <= 1000, f"a blur of sigma {self.sigma:g} px", "give 0 < sigma <= 1000"
        )
        _check(
            self.size == 0 or (self.size > 0 and self.size % 2 == 1),
            f"a Gaussian kernel of {self.size} px",
            "give an odd size, or 0 for automatic",
        )

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        return _blurred(
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
        _check(min(_pair(self.size)) >= 1, f"a box kernel of {self.size} px", "give 1 or more")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        kx, ky = (int(k) for k in _pair(self.size))
        return _blurred(cv2.blur(picture, (kx, ky), borderType=cv2.BORDER_REFLECT_101))


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
    return kernel / kernel.sum()


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
        _check(
            0 < self.length <= 1000, f"a motion of {self.length:g} px", "give 0 < length <= 1000"
        )

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        steps = np.linspace(-0.5, 0.5, max(2, int(4 * self.length) + 1)) * self.length
        angle = np.deg2rad(self.angle)
        kernel = motion_kernel(np.stack([steps * np.cos(angle), -steps * np.sin(angle)], axis=1))
        return _blurred(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REFLECT_101))


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
        _check(
            0 < self.length <= 1000, f"a motion of {self.length:g} px", "give 0 < length <= 1000"
        )

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        assert rng is not None
        count = max(8, int(4 * self.length))
        # Over the whole path the heading turns by about one radian, however long it is.
        turn = np.cumsum(rng.normal(0, 1.0, count)) * 2 * count**-1.5
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(turn)
        step = self.length / count
        path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1) * step, axis=0)
        kernel = motion_kernel(path)
        return _blurred(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REFLECT_101))


@dataclass(frozen=True)
class Mosaic(Degradation):
    """Pixelation: each cell of a grid becomes one colour.

    Parameters
    ----------
    cell : float or (float, float)
        Cell width and height in pixels, at least 1; need not be whole numbers: a pixel belongs
        to the cell that its centre lies in.
    phase : (float, float)
        Grid lines lie at ``x = k * cell - phase[0]``, likewise y. Cells that the border cuts
        average what is inside.
    sampled : bool
        Each cell takes the colour of its first (top left) pixel instead of its mean, as some
        tools do.
    """

    cell: float | tuple[float, float]
    phase: tuple[float, float] = (0.0, 0.0)
    sampled: bool = False
    lengths = ("cell", "phase")

    def __post_init__(self) -> None:
        _check(min(_pair(self.cell)) >= 1, f"a mosaic cell of {self.cell} px", "give 1 px or more")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        (cx, cy), (ox, oy) = _pair(self.cell), self.phase
        columns, rows = (
            _cells(picture.shape[1], cx, ox),
            _cells(picture.shape[0], cy, oy),
        )
        x0, x1 = np.unique(columns, return_index=True, return_inverse=True)[1:]
        y0, y1 = np.unique(rows, return_index=True, return_inverse=True)[1:]
        if self.sampled:
            cells = picture[y0][:, x0]
        else:
            sums = np.add.reduceat(np.add.reduceat(picture, y0, axis=0), x0, axis=1)
            counts = np.diff(y0, append=len(rows))[:, None] * np.diff(x0, append=len(columns))
            cells = sums / counts[..., None].astype(np.float32)
        return cells[y1][:, x1]


@dataclass(frozen=True)
class Downscale(Degradation):
    """Area-average to a smaller picture.

    Parameters
    ----------
    factor : float
        Above 1; the size is divided by it and rounded, to 1 px at least.
    """

    factor: float

    def __post_init__(self) -> None:
        _check(self.factor > 1, f"a reduction by {self.factor:g}", "give a factor above 1")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        height, width = (max(1, round(n / self.factor)) for n in picture.shape[:2])
        return _blurred(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))


@dataclass(frozen=True)
class Noise(Degradation):
    """Additive Gaussian noise, independent per pixel and channel.

    Parameters
    ----------
    sigma : float
        Standard deviation on the scale [0, 1], not negative.
    """

    sigma: float
    random = True

    def __post_init__(self) -> None:
        _check(0 <= self.sigma <= 1, f"noise of sigma {self.sigma:g}", "give a value in [0, 1]")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        assert rng is not None
        return picture + rng.standard_normal(picture.shape, np.float32) * np.float32(self.sigma)


@dataclass(frozen=True)
class Jpeg(Degradation):
    """JPEG compression with 4:2:0 chroma (libjpeg).

    Parameters
    ----------
    quality : int
        1 to 100.
    """

    quality: int

    def __post_init__(self) -> None:
        _check(1 <= self.quality <= 100, f"JPEG quality {self.quality}", "give 1 to 100")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        options = [
            cv2.IMWRITE_JPEG_QUALITY,
            self.quality,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        ]
        done, data = cv2.imencode(".jpg", to_uint8(picture)[..., ::-1], options)
        assert done
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert decoded is not None
        return to_float(np.ascontiguousarray(decoded[..., ::-1], np.uint8))


@dataclass(frozen=True)
class H264(Degradation):
    """H.264 compression of a one-second still film (x264 ``medium``, yuv420p), last frame.

    Parameters
    ----------
    crf : float
        Constant rate factor, 0 to 51.
    """

    crf: float

    def __post_init__(self) -> None:
        _check(0 <= self.crf <= 51, f"H.264 CRF {self.crf:g}", "give 0 to 51")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        from seethrough.video import still_through_h264  # loads PyAV, which few callers need

        return to_float(still_through_h264(to_uint8(picture), crf=self.crf))


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
        _check(min(self.half_axes) > 0, "an ellipse without extent", "give half-axes above 0")

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
        _check(self.feather >= 0, f"a rim of {self.feather:g} px", "give 0 or more")

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
            inside = _blurred(cv2.GaussianBlur(inside, (0, 0), self.feather / 2))
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
    _check(factor > 0, f"a scale of {factor:g}", "give a factor above 0")
    changed: dict[str, Any] = {}
    for name in operator.lengths:
        value = getattr(operator, name)
        if isinstance(operator, BoxBlur):
            width, height = (max(1, round(v * factor)) for v in _pair(value))
            changed[name] = (width, height) if isinstance(value, tuple) else width
        elif isinstance(operator, GaussianBlur) and name == "size":
            changed[name] = 2 * round((value * factor - 1) / 2) + 1 if value else 0
        else:
            smallest = 1.0 if isinstance(operator, Mosaic) and name == "cell" else None
            changed[name] = _scale(value, factor, smallest)
    if isinstance(operator, Chain):
        return type(operator)(changed["operators"])
    return replace(operator, **changed)


PRESETS: tuple[str, ...] = (
    "deface-blur",
    "deface-mosaic",
    "egoblur",
    "understand-ai",
    "editor-mosaic",
    "editor-gauss",
)
"""Names of the covers of real tools that :func:`preset` builds."""


def preset(name: str, face: Box, picture_size: tuple[int, int], pixel: float = 1.0) -> Degradation:
    """The cover that a real tool would put over a face, as its source defines it.

    Parameters
    ----------
    name : str
        One of :data:`PRESETS`. ``deface-blur``: box kernel of half the box, in the inscribed
        ellipse (deface 1.5, ``draw_det``). ``deface-mosaic``: one pixel sampled per 20 px cell,
        in the box (same). ``egoblur``: box kernel of half the picture, in the inscribed ellipse
        (EgoBlur demo, ``visualize``). ``understand-ai``: Gaussian, kernel 21, sigma 2, rim of
        9 px (anonymizer, ``Obfuscator``). ``editor-mosaic``: cell of a tenth of the box's width.
        ``editor-gauss``: radius of an eighth of the box's width.
    face : Box
        The face box in pixels of the picture.
    picture_size : (int, int)
        Width and height of the picture in pixels.
    pixel : float
        Size of one pixel of the source photo in pixels of this picture, where the picture is a
        rescaled crop of it; lengths that a tool gives in photo pixels are multiplied by it.

    Raises
    ------
    UsageError
        If the name is unknown.
    """
    ellipse = Ellipse.inscribed(face)
    half = (max(1, int(face.width) // 2), max(1, int(face.height) // 2))
    match name:
        case "deface-blur":
            return Within(BoxBlur(half), ellipse, cropped=True)
        case "deface-mosaic":
            mosaic = Mosaic(max(1.0, 20 * pixel), sampled=True)
            return Within(mosaic, face, cropped=True)
        case "egoblur":
            kernel = (max(1, picture_size[1] // 2), max(1, picture_size[0] // 2))
            return Within(BoxBlur(kernel), ellipse, cropped=True)
        case "understand-ai":
            return Within(scaled(GaussianBlur(2, 21), pixel), face, feather=9 * pixel)
        case "editor-mosaic":
            return Within(Mosaic(max(1.0, face.width / 10)), face, cropped=True)
        case "editor-gauss":
            return Within(GaussianBlur(face.width / 8), face)
        case _:
            raise UsageError(f"no tool is named {name!r}", f"choose from {', '.join(PRESETS)}")


def _blurred(picture: Any) -> Float:
    """Type what OpenCV returned; it keeps float32 and the shape."""
    return np.asarray(picture, np.float32)


def _pair(value: float | tuple[float, float]) -> tuple[float, float]:
    return value if isinstance(value, tuple) else (value, value)


def _cells(length: int, cell: float, offset: float) -> npt.NDArray[np.int64]:
    """Index of the cell that each pixel's centre lies in."""
    return np.floor((np.arange(length) + 0.5 + offset) / cell).astype(np.int64)


def _bounds(region: Box | Ellipse) -> Box:
    if isinstance(region, Box):
        return region
    (cx, cy), (a, b) = region.centre, region.half_axes
    return Box(cx - a, cy - b, cx + a, cy + b)


def _whole(box: Box, height: int, width: int) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (round(v) for v in box.as_tuple())
    return max(0, x0), max(0, y0), min(width, x1), min(height, y1)


def _scale(value: Any, factor: float, smallest: float | None) -> Any:
    if isinstance(value, Degradation):
        return scaled(value, factor)
    if isinstance(value, tuple):
        return tuple(_scale(v, factor, smallest) for v in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: _scale(getattr(value, f.name), factor, None) for f in fields(value)}
        return replace(value, **parts)
    return value * factor if smallest is None else max(smallest, value * factor)
