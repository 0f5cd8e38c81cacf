"""Colour profiles without anything that colours do not need."""

from __future__ import annotations

import io
import struct

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageCms

from seethrough.profiles import trimmed

SECRET = b"\xff\xd8\xff\xe0 a whole photo of Jane Doe"


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def tags(profile: bytes) -> dict[bytes, bytes]:
    """The elements of a profile, by name."""
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = [struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(count)]
    return {name: profile[at : at + size] for name, at, size in entries}


def profile_of(elements: dict[bytes, bytes], header: bytes) -> bytes:
    """A profile that holds these elements, secrets between them and behind them."""
    at = 132 + 12 * len(elements)
    table, body = struct.pack(">I", len(elements)), b""
    for name, data in elements.items():
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += data + SECRET + bytes(-len(data + SECRET) % 4)
    size = struct.pack(">I", at + len(body))
    return size + header[4:128] + table + body


def curve(power: float) -> bytes:
    """A curve of 256 points."""
    points = (65535 * np.linspace(0, 1, 256) ** power).round().astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", 256) + points.tobytes()


def with_curves(power: float) -> bytes:
    """Matrix and tabulated curves, as version 2 has them; the three curves are one."""
    header = bytearray(srgb()[:128])
    header[8:12] = b"\x02\x20\x00\x00"
    found = tags(srgb()) | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve(power))
    return profile_of(found, bytes(header))


def grey() -> bytes:
    header = bytearray(srgb()[:128])
    header[16:20] = b"GRAY"
    kept = {name: tags(srgb())[name] for name in (b"desc", b"cprt", b"wtpt")}
    return profile_of(kept | {b"kTRC": curve(1.8)}, bytes(header))


def table() -> bytes:
    """To Lab by way of a table that exchanges nothing but darkens: a LUT of 2 x 2 x 2 points."""
    header = bytearray(srgb()[:128])
    header[8:12] = b"\x02\x20\x00\x00"
    header[12:16], header[20:24] = b"scnr", b"Lab "
    ends = np.array([0, 65535], ">u2").tobytes()
    corners = np.array(
        [(30000 * (r + g + b) // 3, 32768 + 8000 * (r - g), 32768 + 8000 * (g - b))
         for r in (0, 1) for g in (0, 1) for b in (0, 1)], ">u2",
    )  # fmt: skip
    matrix = struct.pack(">9i", *(65536 * np.eye(3, dtype=int).ravel()).tolist())
    lut = b"mft2" + bytes(4) + bytes((3, 3, 2, 0)) + matrix + struct.pack(">HH", 2, 2)
    lut += 3 * ends + corners.tobytes() + 3 * ends
    kept = {name: tags(srgb())[name] for name in (b"desc", b"cprt", b"wtpt")}
    return profile_of(kept | {b"A2B0": lut}, bytes(header))


def hostile() -> bytes:
    """sRGB that holds secrets wherever there is a place for them."""
    header = bytearray(srgb()[:128])
    header[4:8] = header[48:52] = header[80:84] = b"JANE"
    header[84:128] = (SECRET + bytes(44))[:44]
    found = dict(tags(srgb()))
    found[b"priv"] = found[b"dmnd"] = found[b"targ"] = b"text" + bytes(4) + SECRET
    found[b"cprt"] = b"text" + bytes(4) + SECRET
    found[b"rXYZ"] = found[b"rXYZ"][:4] + b"JANE" + found[b"rXYZ"][8:] + SECRET
    found[b"rTRC"] += SECRET
    return profile_of(found, bytes(header))


def converted(profile: bytes, mode: str) -> np.ndarray:
    """What Little CMS makes of every level, or of many colours."""
    levels = np.arange(0, 256, 15, np.uint8)
    pixels = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    if mode == "L":
        pixels = np.arange(256, dtype=np.uint8)[None]
    own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    standard = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    change = ImageCms.buildTransform(own, standard, mode, "RGB")
    return np.asarray(ImageCms.applyTransform(PIL.Image.fromarray(pixels), change))


@pytest.mark.parametrize(
    ("profile", "mode"),
    [
        (srgb(), "RGB"),
        (with_curves(1.4), "RGB"),
        (grey(), "L"),
        (table(), "RGB"),
        (hostile(), "RGB"),
    ],
)
def test_colours_stay_and_nothing_else_does(profile: bytes, mode: str) -> None:
    short = trimmed(profile)
    assert short is not None
    np.testing.assert_array_equal(converted(short, mode), converted(profile, mode))
    for secret in (b"\xff\xd8\xff", b"Jane", b"JANE"):
        assert secret not in short
    assert len(short) == int.from_bytes(short[:4], "big")
    assert trimmed(short) == short


def test_what_several_tags_share_is_there_once() -> None:
    short = trimmed(with_curves(2.0))
    assert short is not None
    assert len(short) < 1000 + len(curve(2.0))
    assert tags(short)[b"rTRC"] == tags(short)[b"bTRC"] == curve(2.0)


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        b"no profile",
        srgb()[:100],
        srgb()[:140],
        srgb()[:-300],
        srgb()[:128] + b"\xff\xff\xff\xff" + srgb()[132:],
        srgb().replace(b"XYZ \0", b"what\0"),
    ],
)
def test_a_malformed_profile_is_none(profile: bytes) -> None:
    assert trimmed(profile) is None


@given(st.data())
def test_damage_never_raises(data: st.DataObject) -> None:
    profile = bytearray(hostile())
    for _ in range(data.draw(st.integers(1, 6))):
        profile[data.draw(st.integers(0, len(profile) - 1))] = data.draw(st.integers(0, 255))
    short = trimmed(bytes(profile))
    assert short is None or len(short) < len(profile)
