"""What a redacted photo holds beside its pixels: nothing that shows the face."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms, PngImagePlugin, TiffImagePlugin
from skimage.data import astronaut

import seethrough
from seethrough import image
from seethrough.profiles import trimmed
from seethrough.tracker import Tracks, write_tracks
from seethrough.types import Box, Face

FACE = Box(179, 59, 271, 176)
LANDMARKS = np.array([[205, 105], [245, 105], [225, 125], [210, 148], [241, 148]], np.float32)
SECRET = b"\xff\xd8\xff\xe0 THE FACE \xff\xd9"
LATIN = SECRET.decode("latin-1")
TELLING = b"THE FACE"
DEFLATED = ("zTXt", "iTXt", "iCCP")
EXIF, GPS = 0x8769, 0x8825


def telling_profile() -> bytes:
    """Return sRGB with red and green exchanged, two secret tags, and more behind it."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    srgb = srgb.replace(b"gXYZ", b"????").replace(b"rXYZ", b"gXYZ").replace(b"????", b"rXYZ")
    (count,) = struct.unpack_from(">I", srgb, 128)
    table = 132 + 12 * count
    moved = b"".join(
        struct.pack(">4sII", tag, start + 24, length)
        for tag, start, length in struct.iter_unpack(">4sII", srgb[132:table])
    )
    end = len(srgb) + 24
    for name in (b"targ", b"Jane"):
        moved += struct.pack(">4sII", name, end, len(SECRET))
    size = struct.pack(">I", end + len(SECRET))
    head = size + srgb[4:128] + struct.pack(">I", count + 2)
    return head + moved + srgb[table:] + SECRET + SECRET


def telling_exif() -> PIL.Image.Exif:
    exif = PIL.Image.Exif()
    exif[0x010F] = "A camera"
    exif[0x010E] = exif[0x9C9C] = exif[0xC999] = exif[0x013B] = SECRET
    details = exif.get_ifd(EXIF)
    details.update(dict.fromkeys((0x8828, 0x9286, 0x927C, 0xA302, 0xA40B, 0xA20C, 0xC999), SECRET))
    exif.get_ifd(GPS).update({1: "N", 27: SECRET, 99: SECRET})
    return exif


def with_thumbnail(exif: bytes) -> bytes:
    """Return EXIF whose next directory points to a thumbnail."""
    tiff = bytearray(exif.removeprefix(b"Exif\0\0"))
    order = "<" if tiff[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", tiff, 4)
    (count,) = struct.unpack_from(order + "H", tiff, at)
    struct.pack_into(order + "I", tiff, at + 2 + 12 * count, len(tiff))
    next_one = struct.pack(order + "HHHII", 2, 0x0201, 4, 1, len(tiff) + 30)
    next_one += struct.pack(order + "HHIII", 0x0202, 4, 1, len(SECRET), 0)
    return b"Exif\0\0" + bytes(tiff) + next_one + SECRET


def jpeg() -> bytes:
    """A JPEG with comment, XMP, IPTC, a segment of its own, and a second picture (MPF) behind."""
    out, second = io.BytesIO(), io.BytesIO()
    picture = PIL.Image.fromarray(astronaut())
    picture.resize((64, 64)).save(second, "JPEG", comment=SECRET)
    picture.save(
        out,
        "MPO",
        save_all=True,
        append_images=[PIL.Image.open(second)],
        exif=with_thumbnail(telling_exif().tobytes()),
        icc_profile=telling_profile(),
        xmp=b"<x>" + SECRET + b"</x>",
        comment=SECRET,
    )
    data = out.getvalue()
    iptc = b"Photoshop 3.0\x008BIM\x04\x0c\0\0" + struct.pack(">I", len(SECRET)) + SECRET + b"\0"
    own = b"".join(
        struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
        for marker, body in ((0xED, iptc), (0xE9, SECRET), (0xFE, SECRET))
    )
    return data[:2] + own + data[2:] + second.getvalue() + SECRET


def png() -> bytes:
    """A PNG with every kind of text, a chunk of its own, and more behind its end."""
    out = io.BytesIO()
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", LATIN)
    notes.add_text("Raw profile type APP1", LATIN, zip=True)
    notes.add_itxt("XML:com.adobe.xmp", LATIN, zip=True)
    notes.add(b"faCe", SECRET)
    notes.add(b"faCe", SECRET, after_idat=True)
    PIL.Image.fromarray(astronaut()).save(
        out,
        "PNG",
        pnginfo=notes,
        exif=with_thumbnail(telling_exif().tobytes()),
        icc_profile=telling_profile(),
    )
    return out.getvalue() + SECRET


def webp() -> bytes:
    """A WebP with EXIF, XMP, and a chunk of its own."""
    out = io.BytesIO()
    PIL.Image.fromarray(astronaut()).save(
        out,
        "WEBP",
        lossless=True,
        exif=with_thumbnail(telling_exif().tobytes()),
        icc_profile=telling_profile(),
        xmp=SECRET,
    )
    body = out.getvalue()[8:] + b"FACE" + struct.pack("<I", len(SECRET)) + SECRET
    body += bytes(len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff() -> bytes:
    """A TIFF with XMP, IPTC, Photoshop's resources, own tags, and more behind its end."""
    out = io.BytesIO()
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag in (270, 305, 315, 700, 33723, 34377, 37724, 50341, 65000):
        tags[tag] = SECRET
        tags.tagtype[tag] = 2 if tag in (270, 305, 315) else 7
    tags[271] = "A camera"
    tags[EXIF] = telling_exif().get_ifd(EXIF)
    PIL.Image.fromarray(astronaut()).save(
        out, "TIFF", tiffinfo=tags, icc_profile=telling_profile(), compression="raw"
    )
    return out.getvalue() + SECRET


SOURCES = {".jpg": jpeg, ".png": png, ".webp": webp, ".tif": tiff}


def unfolded(data: bytes) -> bytes:
    """Return a file's bytes with what it holds deflated, and all that Pillow finds in it."""
    found = [data]
    for kind in DEFLATED:
        at = data.find(kind.encode())
        while at >= 0:
            (length,) = struct.unpack_from(">I", data, at - 4)
            chunk = data[at + 4 : at + 4 + length]
            starts = [i for i in range(len(chunk)) if chunk[i : i + 1] == b"\x78"]
            found += [part for i in starts if (part := inflated(chunk[i:]))]
            at = data.find(kind.encode(), at + 4)
    with PIL.Image.open(io.BytesIO(data)) as picture:
        found += [value for value in picture.info.values() if isinstance(value, bytes)]
        found += [str(value).encode() for value in picture.info.values()]
    return b"\n".join(found)


def inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data)
    except zlib.error:
        return b""


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the face is, so that no network has to look."""
    path = tmp_path_factory.mktemp("tracks") / "tracks.json"
    face = Face(FACE, LANDMARKS, 1.0)
    write_tracks(Tracks.of_photo([face], (512, 512)), path, overwrite=True)
    return path


@pytest.mark.parametrize("keep_metadata", [False, True])
@pytest.mark.parametrize("suffix", SOURCES)
def test_nothing_that_lies_beside_the_pixels_shows_the_face(
    suffix: str, keep_metadata: bool, tracks: Path, tmp_path: Path
) -> None:
    data = SOURCES[suffix]()
    assert unfolded(data).count(TELLING) > 8
    source = tmp_path / f"photo{suffix}"
    source.write_bytes(data)
    for made in (f"safe{suffix}", "safe.png", "safe.tif"):
        target = tmp_path / made
        seethrough.redact(
            source, target, tracks=tracks, keep_metadata=keep_metadata, verify=False, overwrite=True
        )
        left = unfolded(target.read_bytes())
        assert TELLING not in left
        assert (b"A camera" in left) == keep_metadata


def test_pixels_around_a_cover_and_the_colours_stay_with_a_profile_cut_down(
    tracks: Path, tmp_path: Path
) -> None:
    source, target = tmp_path / "photo.png", tmp_path / "safe.png"
    source.write_bytes(png())
    seethrough.redact(source, target, tracks=tracks, verify=False)
    before, after = image.read(source), image.read(target)
    assert after.profile == trimmed(telling_profile())
    assert len(after.profile or b"") < len(telling_profile())
    changed = (before.samples != after.samples).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert (rows.min(), columns.min()) > (0, 90)
    assert (rows.max(), columns.max()) < (260, 360)
    np.testing.assert_array_equal(after.pixels[~changed], before.pixels[~changed])
    assert (after.pixels[80:170, 190:260] == 0).all()


def test_a_profile_that_cannot_be_cut_down_is_dropped(
    tracks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seethrough.pipeline.redact_photo.trimmed", lambda _: None)
    source, target = tmp_path / "photo.png", tmp_path / "safe.png"
    source.write_bytes(png())
    seethrough.redact(source, target, tracks=tracks, verify=False)
    before, after = image.read(source), image.read(target)
    assert after.profile is None
    np.testing.assert_array_equal(after.samples[:50, :90], before.samples[:50, :90])
