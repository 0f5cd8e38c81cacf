"""What a redacted file gives away beside what attackers read: no network runs here.

Faint structure in a solid cover is seen in the redacted file alone, as the operator finder does;
embedded previews are compared with the pictures at their own small size.
"""

from __future__ import annotations

import base64
import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

import cv2
import numpy as np
import PIL.Image
from PIL import ExifTags, ImageOps

from seethrough.auditor.cases import PARTIAL
from seethrough.auditor.covers import Cover, inside_of
from seethrough.auditor.pairing import Pair, luma
from seethrough.auditor.types import Leak
from seethrough.types import Box, Image

_PICTURE = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n")
_WRITTEN = re.compile(rb"<xmpGImg:image>([^<]{100,})<")  # in base64
_MOST_PREVIEWS = 32
_LEAST_FACE = 6  # pixels of a preview that a face has to be wide to be one
_CLEARLY = 4.0  # levels by which a preview differs from the covered picture
_NEARER = 0.6  # of that distance: a preview that is so near to the original shows it
_RING = 18  # pixels: a codec rings so far into a cover
_PAINTED = 0.85  # of the inside of paint has exactly one colour
_FLAT = 0.12  # levels: standard deviation of a cover that is one colour
_COHERENT = 0.5  # share of a structure that survives smoothing; noise keeps a tenth

# EXIF tags that lead to a person, a camera or a place.
_TELLING = {
    0x013B: "the photographer's name",
    0x8298: "a copyright line",
    0xA430: "the camera owner's name",
    0xA431: "the camera's serial number",
    0xA435: "the lens's serial number",
}
_SPEAKING = frozenset({"author", "comment", "copyright", "description", "title"})  # PNG's keywords
_XMP_PLACE = re.compile(r"exif:GPS|photoshop:City|Iptc4xmpCore:Location")
_XMP_PERSON = re.compile(
    r"dc:creator|photoshop:(?:AuthorsPosition|Credit)|Iptc4xmpExt:PersonInImage"
)


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """What a picture file holds beside its picture.

    Attributes
    ----------
    quality : int or None
        JPEG quality, read from the quantisation tables; ``None`` for other formats.
    lossy : bool
        Whether its pixels went through a codec that changes them.
    previews : tuple of Image
        Embedded pictures, upright.
    leaks : tuple of Leak
        What its metadata tell.
    description : str
        What it says it is.
    deep : Image or None
        What 16-bit samples hold below the levels of 8.
    """

    quality: int | None
    lossy: bool
    previews: tuple[Image, ...]
    leaks: tuple[Leak, ...]
    description: str = ""
    deep: Image | None = None


def read_container(data: bytes) -> Container:
    """Look into a picture file that has been decoded without trouble.

    Parameters
    ----------
    data : bytes
        The whole file.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with PIL.Image.open(io.BytesIO(data)) as source:
                tables = getattr(source, "quantization", None)
                quality = quality_of(tables) if tables else None
                lossy = source.format not in ("PNG", "BMP", "GIF", "TIFF")
                exif = source.getexif()
                said = {**getattr(source, "text", {}), "xmp": source.info.get("xmp", b"")}
        except Exception:  # the pixels were read by other means; nothing more is known
            return Container(None, True, (), ())
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        description = str(exif.get(ExifTags.Base.ImageDescription, ""))
        previews = tuple(_previews(data, orientation))
        return Container(quality, lossy, previews, _metadata(exif, said), description)


def quality_of(tables: dict[int, list[int]]) -> int:
    """Return the libjpeg quality, 1 to 100, whose luma table is nearest to a file's.

    Notes
    -----
    libjpeg scales its standard table by ``5000 / q`` per cent below quality 50 and by
    ``200 - 2 q`` above (``jpeg_quality_scaling``).
    """
    found = np.sort(np.asarray(tables[min(tables)], np.float64))
    quality = np.arange(1, 101)
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    levels = np.sort(_STANDARD_LUMA)
    tried = np.clip((levels[None] * scale[:, None] + 50) // 100, 1, 255)
    return int(quality[np.abs(tried - found).sum(axis=1).argmin()])


def bare_part(cover: Cover) -> Leak | None:
    """Say how much of a face its cover leaves bare, if that is much."""
    if cover.share >= PARTIAL:
        return None
    bare = round(100 * (1 - cover.share))
    return Leak("partial", f"The cover leaves {bare} % of this face as it was.")


def transparency(redacted: Image, cover: Cover, *, lossy: bool) -> Leak | None:
    """Find faint structure in a solid cover, in the redacted picture alone.

    A painted cover is one colour; what a codec does to it ends a block's width from its border.
    """
    kinds = ("solid", "eye-bar")
    if cover.operator is None or cover.operator.kind not in kinds or cover.stand_in:
        return None
    box = cover.box
    rim = _RING if lossy else max(3, round(0.15 * min(box.width, box.height)))
    inside = inside_of(cover.mask, rim)
    if inside.sum() < 64 or _one_shade(redacted[inside]) > _PAINTED:
        return None
    x0, y0, x1, y1 = (int(edge) for edge in box.as_tuple())
    window = (slice(y0, y1), slice(x0, x1))
    weight = inside[window].astype(np.float32)
    levels = redacted[window].astype(np.float32).mean(axis=2)
    centred = (levels - levels[weight > 0].mean()) * weight
    spread = float(np.sqrt((centred**2).sum() / weight.sum()))
    if spread < _FLAT:
        return None
    sigma = max(1.0, 0.02 * min(box.width, box.height))
    smooth = cv2.GaussianBlur(centred, (0, 0), sigma)
    kept = float(np.sqrt((smooth[weight > 0] ** 2).mean())) / spread
    if kept < _COHERENT:
        return None
    span = levels[weight > 0]
    return Leak(
        "transparent",
        "The cover is not one colour: faint structure shows in it "
        f"(levels {span.min():.0f} to {span.max():.0f}), as under paint that is not fully opaque. "
        "Stretching the contrast brings the face back.",
    )


def deep_transparency(container: Container, cover: Cover) -> Leak | None:
    """Find faint structure in a solid cover below the levels of 8 bits, in a 16-bit file."""
    if container.deep is None or container.deep.shape[:2] != cover.mask.shape:
        return None
    if transparency(container.deep, cover, lossy=False) is None:
        return None
    return Leak(
        "transparent",
        "The cover is one colour in 8 bits, but not in the 16 of this file: faint structure shows "
        "in it. Stretching the contrast brings the face back.",
    )


def _one_shade(colours: Image) -> float:
    """Return the share of the commonest colour, of ``uint8 (N, 3)``."""
    codes = colours.astype(np.int64) @ np.array([65536, 256, 1])
    return float(np.unique(codes, return_counts=True)[1].max() / len(codes))


def preview_shows(previews: tuple[Image, ...], pair: Pair, cover: Cover, face: Box) -> Leak | None:
    """Find an embedded preview that shows a face as it was before it was covered."""
    height, width = pair.redacted.shape[:2]
    for preview in previews:
        small = _unframed(preview, width / height)
        if small is None:
            continue
        rows, columns = small.shape[:2]
        if face.width * columns / width < _LEAST_FACE:
            continue
        before, after = (
            luma(np.asarray(cv2.resize(p, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8))
            for p in (pair.original, pair.redacted)
        )
        mask = cv2.resize(cover.mask.astype(np.float32), (columns, rows), None, 0, 0, 3) > 0.6
        if mask.sum() < 16:
            continue
        shown = luma(small)
        to_before = float(np.abs(shown - before)[mask].mean())
        to_after = float(np.abs(shown - after)[mask].mean())
        if to_after > _CLEARLY and to_before < _NEARER * to_after:
            return Leak(
                "thumbnail",
                f"A preview of {preview.shape[1]} x {preview.shape[0]} px, embedded in the "
                "redacted file, still shows this face uncovered.",
            )
    return None


def _embedded(data: bytes) -> Iterator[bytes]:
    """Find what may be the beginnings of pictures in a file, behind its own."""
    for found in _PICTURE.finditer(data, 1):
        yield data[found.start() :]
    for written in _WRITTEN.findall(data):
        with suppress(ValueError):
            yield base64.b64decode(re.sub(rb"\s|&#xA;", b"", written))


def _previews(data: bytes, orientation: int) -> Iterator[Image]:
    """Decode the pictures inside a file: EXIF thumbnails, previews of phones and editors.

    Some editors write them as text (``xmpGImg:image``), some programs append them.
    """
    for part in islice(_embedded(data), _MOST_PREVIEWS):
        try:
            with PIL.Image.open(io.BytesIO(part), formats=("JPEG", "PNG")) as found:
                found.load()
                upright = found.convert("RGB")
                if not found.getexif().get(ExifTags.Base.Orientation):
                    upright.getexif()[ExifTags.Base.Orientation] = orientation
                pixels = np.asarray(ImageOps.exif_transpose(upright), np.uint8)
            if min(pixels.shape[:2]) >= 16:
                yield pixels
        except Exception:  # three bytes that look like a picture and are none
            pass


def _unframed(preview: Image, aspect: float) -> Image | None:
    """Return a preview without the bars that fill it up to a fixed shape."""
    height, width = preview.shape[:2]
    wide, high = min(width, round(height * aspect)), min(height, round(width / aspect))
    if min(wide, high) < 16:
        return None
    x, y = (width - wide) // 2, (height - high) // 2
    return np.ascontiguousarray(preview[y : y + high, x : x + wide])


def _metadata(exif: PIL.Image.Exif, said: Mapping[str, Any]) -> tuple[Leak, ...]:
    """Name what tags tell; ``said`` is a PNG's text by keyword, and XMP."""
    leaks, written = [], str(said)
    if exif.get_ifd(ExifTags.IFD.GPSInfo) or _XMP_PLACE.search(written):
        leaks.append(Leak("place", "The redacted file says where it was taken."))
    tags = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    named = [words for tag, words in _TELLING.items() if str(tags.get(tag) or "").strip()]
    texts = [tags.get(ExifTags.Base.ImageDescription), tags.get(ExifTags.Base.UserComment)]
    texts += [text for keyword, text in said.items() if keyword.lower() in _SPEAKING]
    if any(_words(text) for text in texts) or _XMP_PERSON.search(written):
        named.append("words that may name people")
    if named:
        listed = ", ".join(named[:-1]) + " and " * (len(named) > 1) + named[-1]
        leaks.append(Leak("metadata", f"The redacted file holds {listed}."))
    return tuple(leaks)


def _words(text: Any) -> str:
    """Return what a person may have written: not what this program has, nor an empty comment."""
    if isinstance(text, bytes):
        text = text[8:].decode("utf-8", "ignore")  # behind the name of its encoding
    if not isinstance(text, str):  # damaged tags have any type
        return ""
    text = text.strip("\0 \n")
    return "" if "by seethrough" in text else text


# ITU-T T.81, table K.1.
_STANDARD_LUMA = np.array(
    [
        *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
        *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
        *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
        *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
    ]
)
