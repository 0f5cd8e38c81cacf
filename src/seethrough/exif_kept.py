"""What stays of a picture's EXIF when its pixels change: words and numbers about how it was taken.

Any tag can hold a file, and a picture in it shows the old pixels. So only registered tags are kept
(Exif 3.0, CIPA DC-008-2023), only at a size that such words and numbers have, and never with what
looks like the start of a picture.
"""

from __future__ import annotations

import re
from typing import Any

import PIL.Image
from PIL.TiffImagePlugin import IFDRational

EXIF_IFD, GPS_IFD = 0x8769, 0x8825

WIDTH, HEIGHT = 0xA002, 0xA003
"""Tags of the Exif directory that say how large the picture is, in pixels."""

DESCRIPTIVE = (
    0x010F,  # make
    0x0110,  # model
    0x011A,  # resolution
    0x011B,
    0x0128,
    0x0132,  # date and time
    0x013B,  # artist
    0x8298,  # copyright
)
"""Tags of the first directory: what a camera or a person said, not how the picture is stored."""

_MOST_BYTES = 60_000  # of all together; a JPEG segment holds 65,533
_LONGEST_TEXT = 1_000  # bytes of one value
_MOST_NUMBERS = 64  # of one value

# Registered, and not here: the maker note, the pointer to another directory (0xA005), and tables
# that only a camera's maker can read (0x8828, 0xA20C, 0xA302, 0xA40B, 0xA462).
_DETAILS = frozenset(
    (
        *(0x829A, 0x829D),  # exposure time, aperture
        *(0x8822, 0x8824, 0x8827, *range(0x8830, 0x8836)),  # programme, sensitivity
        *(0x9000, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012),  # version, dates
        *(0x9101, 0x9102),  # components, compression
        *range(0x9201, 0x920B),  # shutter to focal length
        *(0x9214, 0x9286, 0x9290, 0x9291, 0x9292),  # subject area, comment, parts of seconds
        *range(0x9400, 0x9406),  # temperature to camera elevation
        *(0xA000, 0xA001, WIDTH, HEIGHT, 0xA004),  # version, colour space, size, sound file
        *(0xA20B, 0xA20E, 0xA20F, 0xA210),  # flash, focal plane
        *(0xA214, 0xA215, 0xA217),  # subject location, exposure index, sensing
        *(0xA300, 0xA301),  # file source, scene type
        *range(0xA401, 0xA40B),  # rendering to sharpness
        *(0xA40C, 0xA420),  # subject distance, picture's identifier
        *range(0xA430, 0xA43D),  # owner, serial numbers, lens, title, programs
        *(0xA460, 0xA461, 0xA500),  # composite, gamma
    )
)
_PLACE = frozenset(range(32))

_PICTURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF.{4}WEBP|II\*\0|MM\0\*|ftyp|\0\0\0\x0cjP  ", re.DOTALL
)


def descriptive_exif(source: PIL.Image.Image) -> bytes | None:
    """Return the EXIF tags of an open file that stay true of a copy with other pixels.

    Storage, orientation, thumbnail and maker note are left out, and so is what may hold a file:
    unregistered tags, text of more than 1,000 bytes, more than 64 numbers, and what holds the first
    bytes of a JPEG, PNG, GIF, WebP, TIFF, HEIF or JPEG 2000 file. Damaged EXIF is dropped.
    """
    kept = PIL.Image.Exif()
    try:
        found = source.getexif()
        for tag in DESCRIPTIVE:
            if tag in found and _is_plausible(found[tag]):
                kept[tag] = found[tag]
        for ifd, registered in ((EXIF_IFD, _DETAILS), (GPS_IFD, _PLACE)):
            tags = {
                tag: value
                for tag, value in found.get_ifd(ifd).items()
                if tag in registered and _is_plausible(value)
            }
            if tags:
                kept.get_ifd(ifd).update(tags)
        data = kept.tobytes()
        PIL.Image.Exif().load(data)
    except Exception:  # Pillow raises almost anything on damaged tags
        return None
    empty = len(PIL.Image.Exif().tobytes())
    return data if empty < len(data) <= _MOST_BYTES else None


def _is_plausible(value: Any) -> bool:
    """Say whether a value, as Pillow reads it, has a size and a kind that words or numbers have."""
    if isinstance(value, str):
        value = value.encode("latin-1", "replace")  # Pillow decodes any byte so
    if isinstance(value, bytes):
        return len(value) <= _LONGEST_TEXT and _PICTURE.search(value) is None
    numbers = value if isinstance(value, tuple) else (value,)
    return len(numbers) <= _MOST_NUMBERS and all(
        isinstance(number, int | float | IFDRational) for number in numbers
    )
