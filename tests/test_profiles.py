"""Profiles cut down: the same colours, and nothing else of the original."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import ImageCms
from PIL.ImageCms import Intent

from seethrough import colour
from seethrough.profiles import DESCRIPTION, trimmed

SECRET = b"\xff\xd8\xff SECRET of Jane Doe "
XYZ_OF = {
    # D50-adapted primaries of ROMM RGB (ISO 22028-2): far wider than sRGB.
    b"rXYZ": (0.7977, 0.2880, 0.0),
    b"gXYZ": (0.1352, 0.7119, 0.0),
    b"bXYZ": (0.0313, 0.0001, 0.8249),
    b"wtpt": (0.9642, 1.0, 0.8249),
}
Tags = dict[bytes, bytes]


def fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(65536 * number) for number in numbers))


def xyz(tag: bytes) -> bytes:
    return b"XYZ " + bytes(4) + fixed(*XYZ_OF[tag])


def curve(gamma: float, entries: int = 33) -> bytes:
    values = (np.linspace(0, 1, entries) ** gamma * 65535).round().astype(">u2")
    return struct.pack(">4s4xI", b"curv", entries) + values.tobytes()


def parametric(gamma: float) -> bytes:
    return struct.pack(">4s4xH2x", b"para", 3) + fixed(gamma, 0.948, 0.052, 0.077, 0.04)


def described(version: int) -> bytes:
    if version >= 4:
        text = SECRET.decode("latin-1").encode("utf-16-be")
        return struct.pack(">4s4xII4sII", b"mluc", 1, 12, b"enUS", len(text), 28) + text
    text = SECRET + b"\0"
    return struct.pack(">4s4xI", b"desc", len(text)) + text + bytes(78)


def profile_of(tags: Tags, version: int, space: bytes, pcs: bytes, gap: bytes = b"") -> bytes:
    """Return a profile; the gap follows the table and each element, and pads unasked."""
    tags = {b"desc": described(version), b"cprt": b"text" + bytes(4) + SECRET + b"\0", **tags}
    start = 132 + 12 * len(tags)
    table, body, places = struct.pack(">I", len(tags)), gap, {}
    for tag, element in tags.items():
        if element not in places:
            body += bytes(-len(body) % 4)
            places[element] = start + len(body)
            body += element + gap
        table += struct.pack(">4sII", tag, places[element], len(element))
    header = bytearray(128)
    struct.pack_into(">I4sBB", header, 0, start + len(body), b"lcms", version, 0x20)
    struct.pack_into(">4s4s4s6H4s", header, 12, b"mntr", space, pcs, 1999, 9, 9, 9, 9, 9, b"acsp")
    header[48:56] = b"JaneDoe!"
    header[68:80] = fixed(*XYZ_OF[b"wtpt"])
    header[80:84], header[84:100], header[100:128] = b"Jane", b"identifier 12345", b"Doe " * 7
    return bytes(header) + table + body


def matrix_tags(tone: bytes) -> Tags:
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), tone)
    return {**{tag: xyz(tag) for tag in XYZ_OF}, **curves}


def grid(to_lab: bool) -> np.ndarray:
    """Return a grid of 9^3 points between RGB and Lab, as fractions: no true device, but smooth."""
    a, b, c = np.meshgrid(*[np.linspace(0, 1, 9)] * 3, indexing="ij")
    if to_lab:
        return np.stack([0.3 * a + 0.6 * b + 0.1 * c, 0.5 + (a - b) / 4, 0.5 + (b - c) / 4], -1)
    return np.clip(np.stack([a + b - 0.5, a - b / 2 + 0.25, a + 0.5 - c], -1), 0, 1)


def table(to_lab: bool, depth: int) -> bytes:
    """Return an ``mft1`` or ``mft2`` element."""
    top, kind = (255, ">u1") if depth == 8 else (65535, ">u2")
    entries = 256 if depth == 8 else 17
    ramps = np.tile(np.linspace(0, 1, entries) ** 1.2, (3, 1))
    parts = [(part * top).round().astype(kind).tobytes() for part in (ramps, grid(to_lab), ramps)]
    head = struct.pack(">4s4x4B", b"mft1" if depth == 8 else b"mft2", 3, 3, 9, 0x4A)
    head += fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return head + (b"" if depth == 8 else struct.pack(">HH", entries, entries)) + b"".join(parts)


def stages(to_lab: bool, precision: int, gap: bytes = b"") -> bytes:
    """Return an ``mAB`` or ``mBA`` element with all five stages, gaps between them."""
    top, kind = (255, ">u1") if precision == 1 else (65535, ">u2")
    values = (grid(to_lab) * top).round().astype(kind).tobytes()
    middle = fixed(0.9, 0.05, 0.05, 0, 1, 0, 0, 0.1, 0.9, 0, 0, 0.01)
    cells = bytes([9] * 3) + (SECRET + bytes(13))[:13] + bytes([precision, 0, 0, 0]) + values
    body, offsets = gap, []
    for part in (parametric(1.1) * 3, middle, curve(1.2, 32) * 3, cells, curve(0.9, 2) * 3):
        body += bytes(-len(body) % 4)
        offsets.append(32 + len(body))
        body += part + gap
    return struct.pack(">4s4xBBxx5I", b"mAB " if to_lab else b"mBA ", 3, 3, *offsets) + body


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def lut_tags(there: bytes, back: bytes) -> Tags:
    return {b"wtpt": xyz(b"wtpt"), b"A2B0": there, b"A2B1": there, b"B2A0": back, b"B2A1": back}


GREY = {b"wtpt": xyz(b"wtpt"), b"kTRC": curve(1.8)}
PROFILES = {
    "sRGB of Little CMS": srgb(),
    "wide gamut, version 2": profile_of(matrix_tags(curve(1.8)), 2, b"RGB ", b"XYZ "),
    "wide gamut, version 4": profile_of(matrix_tags(parametric(2.4)), 4, b"RGB ", b"XYZ "),
    "grey": profile_of(GREY, 2, b"GRAY", b"XYZ "),
    "tables of 8 bits": profile_of(lut_tags(table(True, 8), table(False, 8)), 2, b"RGB ", b"Lab "),
    "tables of 16 bits": profile_of(
        lut_tags(table(True, 16), table(False, 16)), 2, b"RGB ", b"Lab "
    ),
    "stages of 8 bits": profile_of(
        lut_tags(stages(True, 1), stages(False, 1)), 4, b"RGB ", b"Lab "
    ),
    "stages of 16 bits": profile_of(
        lut_tags(stages(True, 2), stages(False, 2)), 4, b"RGB ", b"Lab "
    ),
    "stages, gaps in them": profile_of(
        lut_tags(stages(True, 2, SECRET), stages(False, 2, SECRET)), 4, b"RGB ", b"Lab ", SECRET
    ),
}
each_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)


def cut(profile: bytes) -> bytes:
    made = trimmed(profile)
    assert made is not None
    return made


def entries_of(profile: bytes) -> dict[bytes, tuple[int, int]]:
    (count,) = struct.unpack_from(">I", profile, 128)
    found = (struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(count))
    return {tag: (start, length) for tag, start, length in found}


def with_everything(profile: bytes) -> bytes:
    """Return a profile with secrets wherever there is room: tags, ends of elements, gaps, after."""
    tags = {
        tag: profile[start : start + length] + SECRET
        for tag, (start, length) in entries_of(profile).items()
    }
    names = (b"dmnd", b"dmdd", b"targ", b"Jane", b"view", b"vcgt", b"D2B0")
    tags.update(dict.fromkeys(names, b"text" + bytes(4) + SECRET * 50))
    full = profile_of(tags, profile[8], profile[16:20], profile[20:24], SECRET) + SECRET
    return full[:9] + profile[9:10] + full[10:]  # of the same version, to the last digit


@each_profile
@pytest.mark.parametrize("intent", list(Intent))
def test_colours_stay_exactly_the_same(profile: bytes, intent: Intent) -> None:
    levels = np.linspace(0, 255, 18).round().astype(np.uint8)
    probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(18, -1, 3)
    mode = "L" if profile[16:20] == b"GRAY" else "RGB"

    def through(used: bytes) -> tuple[bytes, bytes]:
        own = ImageCms.ImageCmsProfile(io.BytesIO(used))
        pixels = ImageCms.Image.fromarray(probe)
        there = ImageCms.buildTransform(own, ImageCms.createProfile("sRGB"), mode, "RGB", intent)
        back = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), own, "RGB", mode, intent)
        return (
            ImageCms.applyTransform(pixels.convert(mode), there).tobytes(),
            ImageCms.applyTransform(pixels, back).tobytes(),
        )

    assert through(cut(profile)) == through(profile)
    assert through(cut(with_everything(profile))) == through(profile)


@each_profile
def test_nothing_else_of_the_original_is_left(profile: bytes) -> None:
    full = with_everything(profile)
    made = cut(full)
    wide = SECRET.decode("latin-1").encode("utf-16-be")
    for secret in (b"\xff\xd8\xff", b"SECRET", b"Jane", b"Doe", b"identifier", b"lcms", wide):
        assert secret in full or secret in (b"lcms", wide)
        assert secret not in made
    assert made == cut(profile)
    assert made == cut(made)


@each_profile
def test_the_result_is_well_formed(profile: bytes) -> None:
    made = cut(with_everything(profile))
    entries = entries_of(made)
    size, *_ = struct.unpack_from(">I", made)
    assert size == len(made)
    assert size % 4 == 0
    covered = 132 + 12 * len(entries)
    for start, length in sorted(set(entries.values())):
        assert start == covered  # no gap, no overlap
        assert not any(made[start + length : start + length + -length % 4])
        covered = start + length + -length % 4
    assert covered == size
    assert entries[b"desc"] != entries[b"cprt"]
    opened = ImageCms.ImageCmsProfile(io.BytesIO(made))
    assert ImageCms.getProfileDescription(opened).strip() == DESCRIPTION
    assert ImageCms.getProfileCopyright(opened).strip() == ""
    start, _ = entries[b"desc"]
    assert made[start : start + 4] == (b"mluc" if made[8] >= 4 else b"desc")


def test_elements_that_were_shared_stay_shared() -> None:
    entries = entries_of(cut(PROFILES["wide gamut, version 2"]))
    assert len({entries[tag] for tag in (b"rTRC", b"gTRC", b"bTRC")}) == 1


def damaged(tag: bytes, element: bytes) -> bytes:
    return profile_of({**matrix_tags(curve(1.8)), tag: element}, 2, b"RGB ", b"XYZ ")


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        b"no profile",
        bytes(400),
        srgb()[:130],
        srgb()[:200],
        damaged(b"rTRC", struct.pack(">4s4xI", b"curv", 1 << 31) + bytes(40)),
        damaged(b"rTRC", struct.pack(">4s4xH2x", b"para", 9) + bytes(40)),
        damaged(b"gXYZ", b"XYZ " + bytes(10)),
        damaged(b"gXYZ", b""),
        damaged(b"gXYZ", b"sf32" + bytes(36)),
        srgb().replace(b"gXYZ", b"rXYZ", 1),
        profile_of({}, 2, b"RGB ", b"XYZ "),
    ],
    ids=lambda profile: f"{len(profile)} bytes",
)
def test_what_is_malformed_is_refused(profile: bytes) -> None:
    assert trimmed(profile) is None


@pytest.mark.parametrize(
    "element",
    [
        table(True, 16)[:-2],
        table(True, 8)[:40],
        b"mft2" + bytes(4) + b"\xff\xff\xff" + bytes(200),
        stages(True, 1)[:90],
        stages(True, 2)[:-2],
        b"mAB " + bytes(4) + bytes((3, 3, 0, 0)) + b"\xff" * 60,
        b"mpet" + bytes(100),
    ],
    ids=lambda element: f"{element[:4].decode()} of {len(element)}",
)
def test_a_damaged_table_is_left_out(element: bytes) -> None:
    profile = damaged(b"A2B0", element)
    assert b"A2B0" not in entries_of(cut(profile))
    assert cut(profile) == cut(PROFILES["wide gamut, version 2"])


def test_profiles_of_random_bytes_are_cut_down_or_refused(rng: np.random.Generator) -> None:
    sound = [profile for profile in PROFILES.values() if len(profile) < 8_000]
    for _ in range(300):
        profile = bytearray(sound[rng.integers(len(sound))])
        for place in rng.integers(0, len(profile), 6):
            profile[place] = rng.integers(256)
        made = trimmed(bytes(profile))
        assert made is None or trimmed(made) == made


def test_every_test_profile_is_one_that_pictures_are_seen_through() -> None:
    for profile in PROFILES.values():
        samples = np.zeros((2, 2) if profile[16:20] == b"GRAY" else (2, 2, 3), np.uint8)
        assert colour.to_srgb(samples, profile)[1] == profile
