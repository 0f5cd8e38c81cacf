"""Picture files: decoded with all that is needed to write them back, encoded atomically.

Networks look at ``Picture.pixels``: 8 bits, RGB, sRGB, upright. Beside that view a
:class:`Picture` keeps the samples as the file stores them (depth, grey or colour, colour
profile, alpha), and :func:`write` starts from those: a pixel that was not changed gets its own
samples back, bit for bit, in every lossless format. Changed pixels are brought from sRGB to the
picture's own colour space and depth.

What is not kept: the orientation tag (pictures are stored upright), embedded thumbnails and
maker notes (they show the old picture), EXIF in which a file may lie (``exif_kept``), XMP, and
CMYK, palettes and bilevel samples, which become RGB or grey.
"""

from __future__ import annotations

import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL import ImageOps

from seethrough import colour, encoders, exif_kept
from seethrough.errors import InputError, OutputError, UsageError
from seethrough.files import check_output, read_bytes, write_bytes, write_private
from seethrough.types import Image

Samples: TypeAlias = npt.NDArray[Any]
"""``uint8`` or ``uint16``, ``(H, W)`` grey or ``(H, W, 3)`` RGB, in the file's colour space."""

MAX_PIXELS = 2 * 89_478_485
"""Larger pictures are refused before they are decoded: 179 megapixels, Pillow's own limit."""

MAX_BYTES = 1 << 31
"""Larger files are refused before they are read."""

READ_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Suffixes of pictures, in lower case; what a file is, its content tells."""

WRITE_SUFFIXES = frozenset(encoders.ENCODERS)
"""Suffixes that can be written. BMP and GIF cannot: they hold no word of what was done."""

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
_DEPTHS = (1, 2, 4, 8, 16)

# A phone's portrait as stored -> upright, by the value of the EXIF orientation tag.
_UPRIGHT: dict[int, Callable[[Samples], Samples]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a[::-1].swapaxes(0, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[::-1],
}

_pillow = Lock()  # Python's warning filters belong to the process, not to a thread

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what matters is raised


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture, upright.

    Attributes
    ----------
    pixels : Image
        ``uint8 (H, W, 3)``, RGB, sRGB: what networks look at.
    samples : ndarray
        ``uint8`` or ``uint16``, ``(H, W)`` or ``(H, W, 3)``: what the file stores.
    alpha : ndarray or None
        ``(H, W)``, dtype of ``samples``; not premultiplied.
    profile : bytes or None
        ICC profile of ``samples``; sRGB where absent.
    exif : bytes or None
        Descriptive EXIF tags, without orientation, thumbnail and maker note.
    format : str or None
        The file's format as Pillow names it, such as ``JPEG``.
    """

    pixels: Image
    samples: Samples
    alpha: Samples | None = None
    profile: bytes | None = None
    exif: bytes | None = None
    format: str | None = None

    @classmethod
    def of(cls, pixels: Image) -> Picture:
        """Return a picture that comes from no file.

        Parameters
        ----------
        pixels : Image
            ``uint8 (H, W, 3)``, RGB, sRGB.
        """
        return cls(pixels, pixels)

    def reduced(self, width: int, height: int) -> Picture:
        """Return the same picture with fewer pixels: area averages of pixels, samples and alpha.

        Parameters
        ----------
        width, height : int
            The new size in pixels, 1 or more and at most the present one.
        """

        def average(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)

        return replace(
            self,
            pixels=average(self.pixels),
            samples=average(self.samples),
            alpha=None if self.alpha is None else average(self.alpha),
        )

    @property
    def grey(self) -> bool:
        """Whether the samples are grey."""
        return self.samples.ndim == 2

    @property
    def bits(self) -> int:
        """Bits of one sample: 8 or 16."""
        return 8 * self.samples.dtype.itemsize

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


def read(path: Path) -> Picture:
    """Decode a still picture.

    Parameters
    ----------
    path : Path
        A JPEG, PNG, WebP, TIFF, BMP or GIF file, whatever its suffix says.

    Returns
    -------
    Picture
        Upright: the EXIF orientation has been applied.

    Raises
    ------
    InputError
        Where the file is missing, unreadable, empty, truncated, no picture, too large, animated
        or has several pages, or has samples of a depth that is not supported.
    """
    data = read_bytes(path, MAX_BYTES)
    quiet = _without_messages() if data[:2] in (b"II", b"MM") else nullcontext()  # TIFF
    with _pillow, quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damage that matters raises; the rest is not news
        try:
            return _decode(data)
        except _Refused as refusal:
            raise InputError(f"{path} {refusal.what}", refusal.remedy) from None
        except PIL.UnidentifiedImageError as error:
            raise InputError(
                f"{path} is not a picture of a known type",
                "give a JPEG, PNG, WebP, TIFF, BMP or GIF file",
            ) from error
        except PIL.Image.DecompressionBombError as error:
            raise _too_large(path) from error
        except Exception as error:  # decoders raise almost anything on damaged bytes
            raise InputError(
                f"{path} is damaged or truncated ({_first_line(error)})",
                "check that it was copied whole",
            ) from error


def check_target(path: Path, *, overwrite: bool) -> None:
    """Make sure, before work begins, that a picture may be written to ``path``.

    Raises
    ------
    UsageError
        Where the suffix names no format that can be written.
    OutputError
        Where something is there already and ``overwrite`` is false.
    """
    if path.suffix.lower() not in WRITE_SUFFIXES:
        raise UsageError(
            f"pictures cannot be written as {path.suffix or 'a file without a suffix'} ({path})",
            f"end the name in one of {', '.join(sorted(WRITE_SUFFIXES))}",
        )
    check_output(path, overwrite=overwrite)


def write(
    path: Path,
    picture: Picture,
    pixels: Image,
    *,
    changed: npt.NDArray[np.bool_] | None = None,
    description: str,
    overwrite: bool = False,
    reconstruction: bool = True,
    private: bool = False,
) -> None:
    """Encode a picture with new pixels in place of some, all at once or not at all.

    PNG and TIFF keep the depth; they, WebP (written lossless) and nothing else keep the alpha,
    over white in JPEG (quality 95, 4:4:4). Missing parent folders are created.

    Parameters
    ----------
    path : Path
        Where to; the suffix chooses the format.
    picture : Picture
        What the pixels outside ``changed`` are taken from, and all that is not pixels.
    pixels : Image
        ``uint8 (H, W, 3)``, RGB, sRGB, the size of ``picture``.
    changed : ndarray of bool, optional
        ``(H, W)``: the pixels to take from ``pixels``; all of them where absent. Outside,
        ``pixels`` is not looked at.
    description : str
        Goes into the metadata: what was done, by which weights (names and SHA-256).
    overwrite : bool
        Whether a file at ``path`` may be replaced.
    reconstruction : bool
        Whether to mark the file as made in part by a trained network (IPTC digital source type).
    private : bool
        Whether only the owner may read the file.

    Raises
    ------
    UsageError
        Where the suffix names no format that can be written.
    OutputError
        Where ``path`` exists and ``overwrite`` is false, where the format cannot hold so large
        a picture, and where writing fails: no permission, disk full.
    """
    check_target(path, overwrite=overwrite)
    frame = encoders.Frame(
        samples=_with_changes(picture, pixels, changed),
        alpha=picture.alpha,
        profile=picture.profile,
        mark=encoders.Mark(description, reconstruction, picture.exif),
    )
    encoder = encoders.ENCODERS[path.suffix.lower()]
    if max(picture.width, picture.height) > encoder.longest_side:
        raise OutputError(
            f"{path} cannot hold {picture.width} x {picture.height} pixels, "
            f"at most {encoder.longest_side} along a side",
            "choose .png",
        )
    put = write_private if private else write_bytes
    put(path, encoder.encode(frame), overwrite=overwrite)


class _Refused(Exception):  # noqa: N818 - carries half a message to the one place that has the path
    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def _too_large(path: Path | None = None) -> Exception:
    what = f"has more than {MAX_PIXELS / 1e6:.0f} megapixels"
    remedy = "reduce it or cut out the part that matters"
    return InputError(f"{path} {what}", remedy) if path else _Refused(what, remedy)


def _decode(data: bytes) -> Picture:
    source = PIL.Image.open(io.BytesIO(data), formats=_FORMATS)
    if source.width * source.height > MAX_PIXELS:
        raise _too_large()
    # The second picture of a phone's MPO is a preview or a depth map.
    if source.format != "MPO" and getattr(source, "is_animated", False):
        raise _Refused(
            "holds several pictures (animated, or pages)", "save the one you want as a still file"
        )
    depth = _depth(source, data)
    orientation = source.getexif().get(0x0112, 1)
    exif = exif_kept.descriptive_exif(source)
    profile = source.info.get("icc_profile") or None
    source.load()
    if depth == 16 and source.mode in ("LA", "RGB", "RGBA"):  # Pillow has kept 8 bits of them
        grey = source.mode == "LA" or (source.format == "PNG" and data[25] in (0, 4))
        samples, alpha = _sixteen_bit(data, grey=grey)
        if source.format == "PNG":  # OpenCV turns TIFF files itself
            turn = _UPRIGHT.get(orientation, _UPRIGHT[1])
            samples, alpha = turn(samples), None if alpha is None else turn(alpha)
    else:
        ImageOps.exif_transpose(source, in_place=True)
        samples, alpha, profile = _eight_bit(source, profile)
    samples = np.ascontiguousarray(samples)
    pixels, profile = colour.to_srgb(samples, profile)
    alpha = None if alpha is None else np.ascontiguousarray(alpha)
    return Picture(pixels, samples, alpha, profile, exif, source.format)


@contextmanager
def _without_messages() -> Iterator[None]:
    """Keep libtiff, which prints what it finds in damaged files, from standard error.

    What goes wrong is raised all the same. There is no gentler way than to close the descriptor
    to everybody for the time of a decoding.
    """
    try:
        kept = os.dup(2)
    except OSError:  # it is closed already
        yield
        return
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _depth(source: PIL.Image.Image, data: bytes) -> int:
    """Return the bits of one sample, refusing those that no route decodes truly."""
    depth = 8
    if source.format == "PNG":
        depth = data[24]  # in the header chunk, which comes first
    elif source.format == "TIFF":
        depth = max(source.tag_v2.get(258, (1,)))  # type: ignore[attr-defined]
    if depth not in _DEPTHS or source.mode in ("F", "I"):
        raise _Refused(f"has samples of {depth} bits, or floating ones", "convert it to 8 or 16")
    return depth


def _eight_bit(
    source: PIL.Image.Image, profile: bytes | None
) -> tuple[Samples, Samples | None, bytes | None]:
    """Return samples, alpha and the profile that still applies, of what Pillow decodes truly."""
    if source.mode.startswith("I;16"):
        return np.asarray(source).astype(np.uint16), None, profile
    if source.mode == "CMYK":
        return colour.cmyk_to_srgb(source, profile), None, None
    grey = source.mode in ("1", "L", "LA")
    if not grey and source.mode not in ("P", "PA", "RGB", "RGBA", "RGBX", "RGBa"):
        return np.asarray(source.convert("RGB")), None, None  # LAB, YCbCr, HSV
    if source.has_transparency_data:
        both = np.asarray(source.convert("LA" if grey else "RGBA"))
        return both[..., 0] if grey else both[..., :3], both[..., -1], profile
    return np.asarray(source.convert("L" if grey else "RGB")), None, profile


def _sixteen_bit(data: bytes, *, grey: bool) -> tuple[Samples, Samples | None]:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.dtype != np.uint16:
        raise _Refused("has 16-bit samples in a layout that is not supported", "convert it to PNG")
    if found.ndim == 2:
        return found, None
    samples = found[..., 0] if grey else found[..., 2::-1]
    return samples, found[..., 3] if found.shape[2] == 4 else None


def _with_changes(
    picture: Picture, pixels: Image, changed: npt.NDArray[np.bool_] | None
) -> Samples:
    """Return the samples of ``picture`` with those of ``pixels`` where they differ."""
    if pixels.shape != picture.pixels.shape:
        raise ValueError(f"pixels of shape {pixels.shape} for a picture {picture.pixels.shape}")
    if pixels is picture.pixels:
        return picture.samples
    differs = (pixels != picture.pixels).any(axis=2)
    if changed is not None:
        differs &= changed
    samples = picture.samples.copy()
    samples[differs] = colour.from_srgb(
        pixels[differs], grey=picture.grey, bits=picture.bits, profile=picture.profile
    )
    return samples


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
