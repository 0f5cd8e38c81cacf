"""What a redacted file gives away beside what attackers read: planted, and found and named."""

from __future__ import annotations

import base64
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from PIL import PngImagePlugin

from seethrough import pipeline
from seethrough.auditor.leaks import read_container, transparency
from seethrough.auditor.picture import audit_picture
from seethrough.types import Image
from tests.audit_scene import StandIn, cover, covered, encoded, face, file, save, scene

auditing = sys.modules["seethrough.pipeline.auditing"]
"""The module; the package has a function of its name."""


def leaks(redacted: Image, data: bytes | None = None, **options: Any) -> list[str]:
    """Kinds of the leaks of the scene's one face and its file."""
    found = file(redacted, **options)
    if data is not None:
        found = type(found)("b.jpg", "0" * 64, redacted, read_container(data))
    outcome = audit_picture(file(scene(), name="a.png"), found, [face()], [()], None, StandIn)
    (audit,) = outcome.audit.faces
    shown = [leak.kind for leak in (*audit.leaks, *outcome.audit.leaks)]
    if {"transparent", "thumbnail"} & set(shown):
        assert audit.verdict == "exposed"
        assert outcome.audit.verdict == "exposed"
        assert "given away by the redacted file itself" in outcome.audit.summary
        assert any("opacity" in words or "previews" in words for words in audit.advice)
    return shown


def transparent(opacity: float, style: str = "mask-face") -> Image:
    over = cover(style)
    picture = scene().astype(np.float64)
    picture[over.mask] *= 1 - opacity
    return np.asarray(np.rint(picture), np.uint8)


@pytest.mark.parametrize("opacity", [0.98, 0.97])
def test_a_cover_that_is_slightly_transparent_is_named(opacity: float) -> None:
    assert leaks(transparent(opacity)) == ["transparent"]
    assert leaks(transparent(opacity), kind="JPEG", quality=97) == ["transparent"]


def test_transparency_is_seen_in_the_redacted_file_alone() -> None:
    over = cover("mask-head")
    assert transparency(transparent(0.98, "mask-head"), over, lossy=False) is not None
    assert transparency(transparent(1.0, "mask-head"), over, lossy=False) is None


@pytest.mark.parametrize("style", ["mask-face", "mask-head", "eye-bar"])
@pytest.mark.parametrize("quality", [None, 95, 70, 40])
def test_paint_is_no_leak(style: str, quality: int | None) -> None:
    painted = covered(scene(), [cover(style)])
    over = cover(style)
    seen = painted if quality is None else file(painted, "JPEG", quality=quality).pixels
    assert transparency(seen, over, lossy=quality is not None) is None


def test_noise_in_paint_is_no_face(rng: np.random.Generator) -> None:
    over = cover("mask-head")
    grainy = covered(scene(), [over])
    grainy[over.mask] = rng.integers(20, 24, (int(over.mask.sum()), 3), np.uint8)
    assert transparency(grainy, over, lossy=False) is None


def with_thumbnail(picture: Image, thumbnail: Image, size: tuple[int, int]) -> bytes:
    """A JPEG whose EXIF holds another picture."""
    small = PIL.Image.fromarray(thumbnail).resize(size, PIL.Image.Resampling.LANCZOS)
    inner = encoded(np.asarray(small), "JPEG", quality=80)
    head = b"Exif\0\0II*\0" + (8).to_bytes(4, "little")
    first = (0).to_bytes(2, "little") + (14).to_bytes(4, "little")
    entries = (2).to_bytes(2, "little")
    for tag, value in ((0x0201, 14 + 2 + 24 + 4), (0x0202, len(inner))):
        entries += tag.to_bytes(2, "little") + (4).to_bytes(2, "little")
        entries += (1).to_bytes(4, "little") + value.to_bytes(4, "little")
    exif = head + first + entries + (0).to_bytes(4, "little") + inner
    return encoded(picture, "JPEG", quality=90, exif=exif)


def test_a_thumbnail_that_shows_the_face_is_named() -> None:
    painted = covered(scene(), [cover("mask-head")])
    found = leaks(painted, with_thumbnail(painted, scene(), (160, 160)))
    assert found == ["thumbnail"]
    assert leaks(painted, with_thumbnail(painted, painted, (160, 160))) == []


@pytest.mark.parametrize("outer", ["JPEG", "PNG"])
@pytest.mark.parametrize("inner", ["JPEG", "PNG"])
def test_a_picture_behind_the_picture_is_found(outer: str, inner: str) -> None:
    painted = covered(scene(), [cover("mask-head")])
    assert leaks(painted, encoded(painted, outer) + encoded(scene(), inner)) == ["thumbnail"]


def test_a_preview_that_is_written_as_text_is_found() -> None:
    painted = covered(scene(), [cover("mask-head")])
    written = base64.encodebytes(encoded(scene()[::2, ::2], "JPEG")).replace(b"\n", b"&#xA;")
    xmp = b"<x><xmpGImg:image>" + written + b"</xmpGImg:image></x>"
    data = encoded(painted, "PNG")
    chunk = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + xmp
    text = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    assert leaks(painted, data[:33] + text + data[33:]) == ["thumbnail"]


@pytest.mark.parametrize(("opacity", "kinds"), [(0.998, ["transparent"]), (1.0, [])])
def test_sixteen_bits_may_show_what_eight_do_not(
    opacity: float, kinds: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "AuditEngine", StandIn)
    samples, mask = scene().astype(np.uint16) * 257, cover("mask-head").mask
    samples[mask] = (samples[mask] * (1 - opacity)).astype(np.uint16)
    save(tmp_path / "raw.png", scene())
    assert cv2.imwrite(str(tmp_path / "red.png"), samples[..., ::-1])
    report = pipeline.audit(tmp_path / "raw.png", tmp_path / "r", redacted=tmp_path / "red.png")
    assert [leak.kind for leak in report.audits[0].faces[0].leaks] == kinds


def test_a_place_and_names_in_the_metadata_are_told() -> None:
    painted = covered(scene(), [cover("mask-head")])
    exif = PIL.Image.Exif()
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 0.0)
    exif[0x8825] = exif.get_ifd(0x8825)
    exif[0x013B] = "Somebody"
    data = encoded(painted, "JPEG", quality=90, exif=exif)
    assert leaks(painted, data) == ["place", "metadata"]


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        ("PNG", {"pnginfo": {"Comment": "Jane at home"}}, ["metadata"]),
        ("PNG", {"pnginfo": {"Software": "an editor"}}, []),
        ("PNG", {"pnginfo": {"Description": "Redacted by seethrough 1: faces, style solid"}}, []),
        ("JPEG", {"exif": {0x010E: "Jane at home"}}, ["metadata"]),
        ("JPEG", {"exif": {0x010E: "Redacted by seethrough 1: faces, style solid"}}, []),
        ("JPEG", {"xmp": b"<x exif:GPSLatitude='48'><dc:creator>Me</></x>"}, ["place", "metadata"]),
    ],
)
def test_words_in_a_file_are_told(kind: str, options: dict[str, Any], told: list[str]) -> None:
    painted = covered(scene(), [cover("mask-head")])
    if "pnginfo" in options:
        notes = PngImagePlugin.PngInfo()
        for keyword, text in options["pnginfo"].items():
            notes.add_text(keyword, text)
        options = {"pnginfo": notes}
    elif "exif" in options:
        exif = PIL.Image.Exif()
        exif.update(options["exif"])
        options = {"exif": exif}
    assert leaks(painted, encoded(painted, kind, **options)) == told


def test_a_cover_over_a_part_of_the_face_is_named() -> None:
    picture = covered(scene(), [cover("eye-bar")])
    assert leaks(picture) == ["partial"]
    half = scene()
    box = face().box
    lower = covered(scene(), [cover("mosaic", 9)])
    middle = round(box.centre[1]) + 4
    half[middle:] = lower[middle:]
    assert "partial" in leaks(half)
