"""EXIF of a changed picture: words and numbers stay, whatever may be a file does not."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from seethrough import image

EXIF, GPS, INTEROP = 0x8769, 0x8825, 0xA005
JPEG = b"\xff\xd8\xff\xe0 a picture"

ORDINARY: dict[int, dict[int, Any]] = {
    0: {0x010F: "A camera", 0x011A: 72.0, 0x0132: "2026:01:02 03:04:05", 0x013B: "Jane Doe"},
    EXIF: {
        0x829A: 0.125,
        0x8827: 400,
        0x9000: b"0232",
        0x9003: "2026:01:02 03:04:05",
        0x9214: (10, 20, 30, 40),
        0x9286: b"ASCII\0\0\0a comment",
        0x9404: -9.5,
        0xA001: 1,
        0xA300: b"\3",
        0xA432: (24.0, 70.0, 2.8, 2.8),
        0xA434: "A lens",
        0xA500: 2.2,
    },
    GPS: {1: "N", 2: (51.0, 30.0, 0.0), 27: b"ASCII\0\0\0GPS"},
}


def tags_after(tags: dict[int, dict[int, Any]], folder: Path) -> PIL.Image.Exif:
    """Return what is left of tags once a picture that holds them was read and written."""
    exif = PIL.Image.Exif()
    exif.update(tags.get(0, {}))
    for ifd in (EXIF, GPS):
        exif.get_ifd(ifd).update(tags.get(ifd, {}))
    PIL.Image.new("RGB", (8, 4)).save(folder / "photo.png", exif=exif)
    picture = image.read(folder / "photo.png")
    image.write(folder / "out.png", picture, picture.pixels, description="a note", overwrite=True)
    with PIL.Image.open(folder / "out.png") as made:
        found = made.getexif()
        found.get_ifd(EXIF), found.get_ifd(GPS)
    return found


def with_tag(ifd: int, tag: int, value: Any) -> dict[int, dict[int, Any]]:
    return {**ORDINARY, ifd: {**ORDINARY[ifd], tag: value}}


def of(exif: PIL.Image.Exif, ifd: int) -> dict[int, Any]:
    return dict(exif) if ifd == 0 else exif.get_ifd(ifd)


def test_words_and_numbers_stay(tmp_path: Path) -> None:
    found = tags_after(ORDINARY, tmp_path)
    for ifd, tags in ORDINARY.items():
        left = of(found, ifd)
        for tag, value in tags.items():
            numbers = isinstance(value, float | tuple)
            assert left[tag] == (pytest.approx(value) if numbers else value)


@pytest.mark.parametrize(
    "value",
    [
        JPEG,
        b"UNICODE\0" + JPEG,
        b"ASCII\0\0\0\x89PNG\r\n\x1a\n",
        b"RIFF\x10\n\0\0WEBPVP8 ",
        b"II*\0\x08\0\0\0",
        b"MM\0*\0\0\0\x08",
        b"GIF89a",
        b"\0\0\0\x18ftypheic",
        b"\0\0\0\x0cjP  \r\n\x87\n",
        b"x" * 1001,
    ],
    ids=repr,
)
@pytest.mark.parametrize(("ifd", "tag"), [(EXIF, 0x9286), (EXIF, 0xA302), (GPS, 27)])
def test_bytes_that_may_be_a_file_go(value: bytes, ifd: int, tag: int, tmp_path: Path) -> None:
    found = tags_after(with_tag(ifd, tag, value), tmp_path)
    assert tag not in of(found, ifd)
    assert of(found, EXIF)[0x9003] == "2026:01:02 03:04:05"  # the rest stays
    assert of(found, 0)[0x013B] == "Jane Doe"


@pytest.mark.parametrize(("ifd", "tag"), [(0, 0x013B), (EXIF, 0xA434), (GPS, 29)])
@pytest.mark.parametrize("text", [JPEG.decode("latin-1"), "x" * 1001], ids=["JPEG", "long"])
def test_text_that_may_be_a_file_goes(ifd: int, tag: int, text: str, tmp_path: Path) -> None:
    raw = text.encode("latin-1")  # Pillow would write question marks
    assert tag not in of(tags_after(with_tag(ifd, tag, raw), tmp_path), ifd)


@pytest.mark.parametrize(
    ("ifd", "tag", "value"),
    [
        (EXIF, 0x9214, tuple(range(65))),
        (EXIF, 0x927C, b"a maker note"),
        (EXIF, 0x8828, b"a table"),
        (EXIF, 0xA40B, b"settings"),
        (EXIF, 0xC999, b"a private tag"),
        (EXIF, 0x9C9C, b"a comment"),
        (EXIF, INTEROP, {1: "R98", 0xC999: b"in another directory"}),
        (GPS, 99, b"a private tag"),
    ],
)
def test_tags_that_are_long_or_not_registered_go(
    ifd: int, tag: int, value: Any, tmp_path: Path
) -> None:
    found = tags_after(with_tag(ifd, tag, value), tmp_path)
    assert set(of(found, ifd)) == set(ORDINARY[ifd]) - {tag}


@pytest.mark.parametrize("suffix", sorted(image.WRITE_SUFFIXES))
def test_no_format_holds_a_picture_in_its_tags(suffix: str, tmp_path: Path) -> None:
    small = io.BytesIO()
    PIL.Image.effect_mandelbrot((24, 24), (-2, -1, 1, 1), 20).save(small, "JPEG")
    secret = small.getvalue()
    exif = PIL.Image.Exif()
    for tag in (0x9286, 0x8828, 0xA302, 0xC999):
        exif.get_ifd(EXIF)[tag] = secret
    exif.get_ifd(EXIF)[0xA434] = "A lens"
    PIL.Image.new("RGB", (8, 4)).save(tmp_path / "photo.jpg", exif=exif)
    assert secret in (tmp_path / "photo.jpg").read_bytes()
    picture = image.read(tmp_path / "photo.jpg")
    path = tmp_path / f"out{suffix}"
    image.write(path, picture, picture.pixels, description="a note")
    assert secret[-40:] not in path.read_bytes()
    assert b"A lens" in path.read_bytes()
