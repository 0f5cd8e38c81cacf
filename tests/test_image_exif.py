"""What the EXIF of a picture keeps, and what may be another picture."""

from __future__ import annotations

import struct
from pathlib import Path

import PIL.Image
import pytest

from seethrough import image

NOTE = "a note"


@pytest.mark.parametrize("suffix", sorted(image.WRITE_SUFFIXES))
def test_exif_is_kept_without_thumbnail_orientation_and_maker_note(
    suffix: str, tmp_path: Path
) -> None:
    exif = PIL.Image.Exif()
    exif[0x010F] = "A camera"
    exif[0x0112] = 6
    exif.get_ifd(0x8769).update({0x9003: "2026:01:02 03:04:05", 0xA002: 8, 0xA003: 4})
    exif.get_ifd(0x8769)[0x927C] = b"maker note with a preview"
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 30.0, 0.0)})
    source = tmp_path / "photo.jpg"
    PIL.Image.new("RGB", (8, 4)).save(source, exif=with_thumbnail(exif.tobytes()))
    assert b"THUMBNAIL" in source.read_bytes()
    path = tmp_path / f"out{suffix}"
    picture = image.read(source)
    image.write(path, picture, picture.pixels, description=NOTE)
    assert b"THUMBNAIL" not in path.read_bytes()
    assert b"preview" not in path.read_bytes()
    with PIL.Image.open(path) as written:
        assert written.size == (4, 8)
        kept = written.getexif()
        assert kept[0x010F] == "A camera"
        assert 0x0112 not in kept
        details = kept.get_ifd(0x8769)
        assert details[0x9003] == "2026:01:02 03:04:05"
        size = (details.get(0xA002), details.get(0xA003))
        assert size == ((None, None) if suffix.startswith(".tif") else (4, 8))
        assert kept.get_ifd(0x8825)[2] == (51.0, 30.0, 0.0)


def with_thumbnail(exif: bytes) -> bytes:
    """Return EXIF bytes with a second directory that points to a thumbnail."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = "<" if tiff[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", tiff, 4)
    (count,) = struct.unpack_from(order + "H", tiff, at)
    link = at + 2 + 12 * count
    end = len(tiff)
    thumbnail = b"\xff\xd8THUMBNAIL\xff\xd9"
    offset = end + 2 + 24 + 4
    directory = struct.pack(order + "H", 2)
    directory += struct.pack(order + "HHII", 0x0201, 4, 1, offset)
    directory += struct.pack(order + "HHII", 0x0202, 4, 1, len(thumbnail)) + bytes(4)
    tiff = tiff[:link] + struct.pack(order + "I", end) + tiff[link + 4 :]
    return b"Exif\0\0" + tiff + directory + thumbnail
