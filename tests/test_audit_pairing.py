"""Laying a redacted picture over its original, naming covers, making cases."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data

from seethrough import geometry
from seethrough.auditor.cases import aligned, covered_again, make_case
from seethrough.auditor.covers import find_cover, moved, styled_cover
from seethrough.auditor.leaks import quality_of, read_container
from seethrough.auditor.pairing import misfit, pair_up
from seethrough.errors import InputError
from seethrough.operators import find_covered
from seethrough.types import Face, Image
from tests.audit_scene import cover, covered, encoded, face, file, scene

NAMES = ("a.png", "b.png")
STYLES = [
    ("mosaic", 12.0, "mosaic"),
    ("mosaic", 7.0, "mosaic"),
    ("blur", 0.08, "gauss"),
    ("box", 0.3, "box"),
    ("eye-bar", None, "eye-bar"),
    ("mask-face", None, "solid"),
    ("mask-head", None, "solid"),
]


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("JPEG", {"quality": 90}), ("JPEG", {"quality": 50}), ("WEBP", {"quality": 80})],
)
def test_only_the_cover_has_changed(kind: str, options: dict[str, Any]) -> None:
    over = cover("mosaic", 8)
    redacted = file(covered(scene(), [over]), kind, **options)
    pair = pair_up(scene(), redacted.pixels, redacted.container.quality, NAMES)
    near = cv2.dilate(over.mask.astype(np.uint8), np.ones((17, 17), np.uint8)) > 0  # codecs' blocks
    assert pair.changed[~near].mean() < 0.001
    assert pair.changed[over.mask].mean() > 0.5
    assert pair.scale == 1


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_rescaled_pictures_match(factor: float) -> None:
    over = cover("mask-face")
    size = round(512 * factor)
    small = cv2.resize(covered(scene(), [over]), (size, size), interpolation=cv2.INTER_AREA)
    pair = pair_up(scene(), np.asarray(small, np.uint8), None, NAMES)
    assert pair.scale == pytest.approx(factor)
    mask = cv2.resize(over.mask.astype(np.uint8), (size, size)) > 0
    assert pair.changed[mask].mean() > 0.9
    assert pair.changed[~mask].mean() < 0.05


def test_other_levels_are_no_cover() -> None:
    brighter = np.clip(scene() * 1.1 + 6, 0, 255).astype(np.uint8)
    assert pair_up(scene(), brighter, None, NAMES).changed[: 512 // 8].mean() < 0.2


def _picture(name: str) -> Image:
    picture = getattr(skimage.data, name)()
    return np.ascontiguousarray(np.asarray(cv2.resize(picture, (512, 512)), np.uint8))


@pytest.mark.parametrize(
    ("redacted", "words"),
    [
        (lambda a: _picture("chelsea"), "too little"),
        (lambda a: _picture("coffee"), "too little"),
        (lambda a: a[::-1, ::-1], "turned by 180"),
        (lambda a: a[:, ::-1], "mirrored"),
        (lambda a: np.rot90(a), "turned"),
        (lambda a: a[:, 40:], "cropped or stretched"),
        (lambda a: np.zeros_like(a), "too little"),
        (lambda a: cv2.GaussianBlur(a, (0, 0), 12), "too little"),
    ],
)
def test_other_pictures_do_not_match(redacted: Any, words: str) -> None:
    other = np.ascontiguousarray(redacted(scene()))
    with pytest.raises(InputError, match=words) as caught:
        pair_up(scene(), other, None, NAMES)
    assert "a.png" in caught.value.what
    assert "b.png" in caught.value.what
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("redacted", "words"),
    [
        ((400, 360), "one is turned"),
        ((200, 180), "one is turned"),
        ((401, 361), "one is turned"),
        ((360, 360), "one is cropped or stretched"),
        ((300, 200), "one is cropped or stretched"),
        ((400, 300), "one is cropped or stretched"),
        ((720, 800), None),
    ],
)
def test_a_picture_is_turned_where_its_sides_are_exchanged(
    redacted: tuple[int, int], words: str | None
) -> None:
    assert misfit((360, 400), redacted) == words


@pytest.mark.parametrize("quality", [None, 40])
def test_equal_pictures_match_however_little_they_show(quality: int | None) -> None:
    plain = np.full((64, 48, 3), 200, np.uint8)
    pair = pair_up(plain, plain.copy(), quality, NAMES)
    assert (pair.exact, pair.scale, pair.changed.any()) == (True, 1.0, False)
    with pytest.raises(InputError, match="too little"):
        pair_up(plain, plain - np.uint8(9), quality, NAMES)


@pytest.mark.parametrize("quality", [20, 50, 75, 92, 100])
def test_jpeg_quality_is_read_from_the_tables(quality: int) -> None:
    assert read_container(encoded(scene(), "JPEG", quality=quality)).quality == quality
    assert read_container(encoded(scene(), "PNG")).quality is None


def test_foreign_tables_get_the_nearest_quality() -> None:
    assert 85 <= quality_of({0: [3] * 10 + [8] * 54}) <= 97


@pytest.mark.parametrize(("style", "strength", "kind"), STYLES)
@pytest.mark.parametrize("quality", [None, 85])
def test_covers_are_found_and_named(
    style: str, strength: float | None, kind: str, quality: int | None
) -> None:
    over = cover(style, strength)
    picture = covered(scene(), [over])
    redacted = file(picture) if quality is None else file(picture, "JPEG", quality=quality)
    pair = pair_up(scene(), redacted.pixels, redacted.container.quality, NAMES)
    found = find_cover(pair, face(), find_covered(redacted.pixels))
    assert found is not None
    assert found.operator is not None
    assert found.operator.kind == kind
    assert (found.mask & over.mask).sum() / (found.mask | over.mask).sum() > 0.88
    assert found.share == pytest.approx(over.share, abs=0.06)
    if found.operator.size is not None:
        assert over.operator is not None
        assert over.operator.size is not None
        tolerance = 0.02 if kind == "mosaic" else 0.35
        assert found.operator.size[0] == pytest.approx(over.operator.size[0], rel=tolerance)


def test_a_bare_face_has_no_cover() -> None:
    landmarks = np.add(face().landmarks, (180, 200))
    redacted = covered(scene(), [cover("mosaic", 8)])
    pair = pair_up(scene(), redacted, None, NAMES)
    there = Face(geometry.tight_box(landmarks), landmarks, 1.0)
    assert find_cover(pair, there, ()) is None
    assert find_cover(pair_up(scene(), scene(), None, NAMES), face(), ()) is None


@pytest.mark.parametrize(("style", "strength", "kind"), STYLES)
def test_a_case_shows_what_the_redacted_file_shows(
    style: str, strength: float | None, kind: str
) -> None:
    over = cover(style, strength)
    clean = aligned(scene(), face())
    case = make_case(scene(), face(), over, None, clean, ())
    shown = aligned(covered(scene(), [over]), face())
    assert np.abs(case.probe.astype(int) - shown).max() <= 3
    np.testing.assert_array_equal(covered_again(scene(), [over]), covered(scene(), [over]))
    # What lies outside the cover is the original's.
    assert np.abs(case.probe.astype(int) - clean)[~case.covered].max(initial=0) <= 3
    # A crop of the gallery is covered in the same way, grid and all.
    again = case.cover(clean)
    assert np.abs(again.astype(int) - case.probe)[case.covered].mean() < 4
    assert case.same_frame
    assert case.references[0] is clean
    scale = geometry.scale_of(geometry.similarity(face().landmarks, 128))
    if case.operator.size is not None:
        assert over.operator is not None
        assert over.operator.size is not None
        assert case.operator.size[0] == pytest.approx(over.operator.size[0] * scale)


def test_a_case_is_compressed_like_the_file() -> None:
    over = cover("mosaic", 12)
    clean = aligned(scene(), face())
    plain = make_case(scene(), face(), over, None, clean, ())
    coarse = make_case(scene(), face(), over, 10, clean, (clean,))
    assert not coarse.same_frame
    assert 0.5 < np.abs(coarse.probe.astype(float) - plain.probe).mean() < 20
    file_ = file(covered(scene(), [over]), "JPEG", quality=10)
    shown = aligned(file_.pixels, face())
    nearer = np.abs(coarse.probe.astype(float) - shown).mean()
    assert nearer < 0.5 * np.abs(plain.probe.astype(float) - shown).mean()


def test_large_faces_cover_galleries_in_few_pixels() -> None:
    large = np.asarray(cv2.resize(scene(), None, fx=6, fy=6), np.uint8)
    big = moved(face(), 6)
    over = styled_cover("mosaic", (10, False), big, large.shape)
    clean = aligned(large, big)
    case = make_case(large, big, over, None, clean, ())
    again = case.cover(clean)
    assert np.abs(again.astype(int) - case.probe)[case.covered].mean() < 4
