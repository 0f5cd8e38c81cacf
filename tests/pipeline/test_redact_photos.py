"""Photos whose faces are hidden: what changes, what is dropped, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms, PngImagePlugin
from skimage.data import astronaut

import seethrough
from seethrough import image
from seethrough.errors import (
    InputError,
    NothingToDoError,
    OutputError,
    UsageError,
    VerificationError,
)
from seethrough.faces import FaceDetector
from seethrough.image import Picture
from seethrough.pipeline import RedactOptions, RedactRecord, redact_photo, redacting
from seethrough.pipeline.redact_photo import painted
from seethrough.profiles import trimmed
from seethrough.redactor import Coverer, Finding, Style
from seethrough.tracker import Sighting, Tracks, write_tracks
from seethrough.types import Box, Face, Image, Patch

FACE = Box(179, 59, 271, 176)
"""The astronaut's face."""
INSIDE = (slice(80, 170), slice(190, 260))
"""Rows and columns that lie well inside any cover of it."""


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    cv2.imwrite(str(path), astronaut()[..., ::-1])
    return path


def one_face(picture: Image) -> Sighting:
    (found,) = seethrough.pipeline.networks.Networks("cpu", 1).detector.detect(picture)
    (seen,) = Tracks.of_photo([found], picture.shape).at(0)
    return seen


def covered_by(style: Style, picture: Image, sighting: Sighting) -> Any:
    mask = np.zeros(picture.shape[:2], np.bool_)
    for region in Coverer(style, mask.shape).regions([sighting]):
        mask[region.y0 : region.y1, region.x0 : region.x1] |= region.mask
    return mask


def record_of(report: Any) -> RedactRecord:
    (record,) = report.records
    assert isinstance(record, RedactRecord)
    return record


def failing(*sizes: float) -> Any:
    """A verification that finds something with covers of these sizes."""

    def look(
        original: Image, output: Image, seen: Sequence[Sighting], style: Style, *_: Any, **__: Any
    ) -> tuple[Finding, ...]:
        bad = style.grow in sizes
        return (Finding(0, Fraction(0), FACE, "face", 1),) if bad else ()

    return look


def test_a_face_is_hidden_and_nothing_else_changes(photo: Path, tmp_path: Path) -> None:
    report = seethrough.redact(photo, tmp_path / "safe.png", threads=1)
    record = record_of(report)
    assert (record.status, record.verified, record.style) == ("done", True, Style("solid"))
    (face,) = record.faces
    assert (face.number, face.region.status) == (1, "done")
    assert face.region.box.iou(FACE) > 0.8
    before, after = image.read(photo).pixels, image.read(tmp_path / "safe.png").pixels
    mask = covered_by(Style("solid"), before, one_face(before))
    assert (after[mask] == 0).all()
    np.testing.assert_array_equal(after[~mask], before[~mask])
    assert set(record.stages) == {"detect", "cover", "encode", "verify"}


def test_runs_repeat_exactly(photo: Path, tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        seethrough.redact(photo, tmp_path / name, style="safe-blur", threads=1)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_photo_says_that_it_is_redacted_and_little_else(tmp_path: Path) -> None:
    picture = PIL.Image.fromarray(astronaut())
    small = io.BytesIO()
    picture.resize((64, 64)).save(small, "JPEG")
    exif = PIL.Image.Exif()
    exif[0x010F], exif[0x013B], exif[0x0132] = "Camera", "Jane Doe", "2024:02:29 10:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 12.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source = tmp_path / "photo.jpg"
    raw = exif.tobytes() + b"THUMBNAIL" + small.getvalue()
    picture.save(source, exif=raw, comment=b"at Jane's", xmp=b"<x>Jane</x>", icc_profile=profile)
    for name, options in (("plain.jpg", {}), ("kept.jpg", {"keep_metadata": True})):
        seethrough.redact(source, tmp_path / name, **options)
    plain, kept = (tmp_path / "plain.jpg").read_bytes(), (tmp_path / "kept.jpg").read_bytes()
    for secret in (b"Jane", b"Camera", b"2024:02:29", b"THUMBNAIL", small.getvalue()[-60:]):
        assert secret in source.read_bytes()
        assert secret not in plain
    for data in (plain, kept):
        assert b"THUMBNAIL" not in data
        assert small.getvalue()[-60:] not in data
        with PIL.Image.open(io.BytesIO(data)) as made:
            assert "Redacted by seethrough" in made.getexif()[0x010E]
            assert made.info["icc_profile"] == trimmed(profile)
            assert 513 not in made.getexif().get_ifd(1)  # where a thumbnail would be
    with PIL.Image.open(io.BytesIO(kept)) as made:
        assert made.getexif()[0x013B] == "Jane Doe"
        assert made.getexif().get_ifd(0x8825)[1] == "N"
    with PIL.Image.open(io.BytesIO(plain)) as made:
        assert not made.getexif().get_ifd(0x8825)
        assert set(made.getexif()) == {0x010E, 0x0131}


def test_text_of_a_png_is_dropped(tmp_path: Path) -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", "Jane Doe")
    PIL.Image.fromarray(astronaut()).save(tmp_path / "photo.png", pnginfo=notes)
    seethrough.redact(tmp_path / "photo.png", tmp_path / "safe.png", keep_metadata=True)
    assert b"Jane" not in (tmp_path / "safe.png").read_bytes()


def test_sixteen_bits_and_transparency_hold_nothing_under_a_cover(tmp_path: Path) -> None:
    deep = astronaut().astype(np.uint16) * 257
    deep[INSIDE] = np.arange(90 * 70, dtype=np.uint16).reshape(90, 70, 1) % 128  # black in 8 bits
    alpha = np.full(deep.shape[:2], 65535, np.uint16)
    alpha[100:120] = 9  # a cut-out that shows an outline
    cv2.imwrite(str(tmp_path / "deep.png"), np.dstack([deep[..., ::-1], alpha]))
    seethrough.redact(tmp_path / "deep.png", tmp_path / "safe.png", box=[FACE.as_tuple()])
    made = cv2.imread(str(tmp_path / "safe.png"), cv2.IMREAD_UNCHANGED)
    assert made.dtype == np.uint16
    assert (made[INSIDE][..., :3] == 0).all()
    assert (made[INSIDE][..., 3] == 65535).all()
    outside = (slice(300, 500), slice(0, 500))
    np.testing.assert_array_equal(made[outside][..., 2::-1], deep[outside])
    assert (made[100:120, 400:, 3] == 9).all()


def test_patches_replace_every_sample_under_them() -> None:
    samples = np.full((8, 8), 77, np.uint16)  # 8-bit level 0
    picture = Picture(np.zeros((8, 8, 3), np.uint8), samples)
    mask = np.zeros((4, 4), np.bool_)
    mask[1:, 1:] = True
    made = painted(picture, [Patch(2, 3, np.zeros((4, 4, 3), np.uint8), mask)])
    expected = samples.copy()
    expected[4:7, 3:6] = 0
    np.testing.assert_array_equal(made.samples, expected)
    assert (picture.samples == 77).all()


def test_no_face_means_no_output(tmp_path: Path, rng: np.random.Generator) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in/noise.png"), rng.integers(0, 256, (96, 96, 3), np.uint8))
    with pytest.raises(NothingToDoError, match="no face found") as caught:
        seethrough.redact(tmp_path / "in/noise.png", tmp_path / "safe.png")
    assert "--box" in caught.value.remedy
    with pytest.raises(NothingToDoError):
        seethrough.redact(tmp_path / "in", tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"in"}


def test_a_box_covers_what_no_detector_finds(tmp_path: Path, rng: np.random.Generator) -> None:
    cv2.imwrite(str(tmp_path / "noise.png"), rng.integers(1, 256, (96, 96, 3), np.uint8))
    box = (30, 30, 60, 66)
    report = seethrough.redact(tmp_path / "noise.png", tmp_path / "safe.png", box=[box])
    (face,) = record_of(report).faces
    assert face.region.box.as_tuple() == box
    made = image.read(tmp_path / "safe.png").pixels
    assert (made[30:66, 30:60].sum(axis=2) == 0).mean() > 0.9
    assert (made[:2] > 0).any()
    with pytest.raises(UsageError, match="outside the picture, which has 96 x 96"):
        seethrough.redact(tmp_path / "noise.png", tmp_path / "no.png", box=[(96, 0, 99, 9)])
    assert not (tmp_path / "no.png").exists()


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two faces side by side."""
    cv2.imwrite(str(tmp_path / "two.png"), np.hstack([astronaut(), astronaut()])[..., ::-1])
    return tmp_path / "two.png"


def test_half_a_face_at_the_border_is_hidden_too(tmp_path: Path) -> None:
    half = np.ascontiguousarray(astronaut()[:300, :215])
    assert not FaceDetector("cpu", 1).detect(half)  # not sure enough to be restored
    cv2.imwrite(str(tmp_path / "half.png"), half[..., ::-1])
    record = record_of(seethrough.redact(tmp_path / "half.png", tmp_path / "safe.png"))
    assert (record.status, record.verified) == ("done", True)
    made = image.read(tmp_path / "safe.png").pixels
    assert (made[75:165, 185:] == 0).all()


@pytest.mark.parametrize("options", [{"only": "2"}, {"keep": (1,)}])
def test_faces_are_chosen_by_number(two: Path, options: dict[str, Any]) -> None:
    record = record_of(seethrough.redact(two, two.with_name("safe.png"), **options))
    assert [(f.number, f.region.status, f.region.reason) for f in record.faces] == [
        (1, "skipped", "not chosen"),
        (2, "done", None),
    ]
    made = image.read(two.with_name("safe.png")).pixels
    np.testing.assert_array_equal(made[:, :400], astronaut()[:, :400])
    assert (made[:, 512:][INSIDE] == 0).all()


def test_numbers_must_be_those_of_faces(two: Path) -> None:
    with pytest.raises(UsageError, match="no face 3"):
        seethrough.redact(two, two.with_name("safe.png"), only="1,3")
    with pytest.raises(NothingToDoError, match="no face is chosen"):
        seethrough.redact(two, two.with_name("safe.png"), keep="1,2")
    assert not two.with_name("safe.png").exists()


def test_tracks_of_a_file_are_honoured(photo: Path, tmp_path: Path) -> None:
    points = np.array([[30, 330], [50, 330], [40, 345], [32, 355], [48, 355]], float)
    tracks = Tracks.of_photo([Face(Box(20, 310, 60, 370), points, 1.0)], (512, 512))
    write_tracks(tracks, tmp_path / "tracks.json", overwrite=False)
    seethrough.redact(photo, tmp_path / "safe.png", tracks=tmp_path / "tracks.json", verify=False)
    made = image.read(tmp_path / "safe.png").pixels
    assert (made[320:360, 30:50] == 0).all()
    np.testing.assert_array_equal(made[INSIDE], astronaut()[INSIDE])
    cv2.imwrite(str(tmp_path / "small.png"), astronaut()[:200, :, ::-1])
    with pytest.raises(InputError, match="the tracks are of a film of 512 x 512"):
        seethrough.redact(
            tmp_path / "small.png", tmp_path / "n.png", tracks=tmp_path / "tracks.json"
        )
    with pytest.raises(InputError, match="does not exist"):
        seethrough.redact(photo, tmp_path / "n.png", tracks=tmp_path / "none.json")


@pytest.mark.parametrize(
    "options",
    [{"box": [(1, 1, 9, 9)]}, {"only": 1}, {"keep": 1}, {"tracks": "t.json"}, {"from_": 1}],
)
def test_choices_need_a_single_input(photo: Path, tmp_path: Path, options: Any) -> None:
    with pytest.raises(UsageError, match="single"):
        seethrough.redact([photo, photo.parent], tmp_path / "out", **options)


def test_times_are_those_of_films(photo: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="times of one film"):
        seethrough.redact(photo, tmp_path / "safe.png", to=3)


def test_the_default_style_grows_until_nothing_shows(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact_photo, "verify_picture", failing(1.0, 1.25))
    with pytest.warns(UserWarning, match="trying again with larger"):
        report = seethrough.redact(photo, tmp_path / "safe.png")
    record = record_of(report)
    assert record.style == Style("solid", grow=1.6)
    assert record.verified
    made = image.read(tmp_path / "safe.png").pixels
    assert (made[covered_by(Style("solid", grow=1.6), made, one_face(astronaut()))] == 0).all()


@pytest.mark.parametrize("style", [None, "solid", "safe-blur"])
def test_what_still_shows_never_gets_the_name(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: Any
) -> None:
    monkeypatch.setattr(redact_photo, "verify_picture", failing(1.0, 1.25, 1.6, 2.0))
    monkeypatch.setattr(redact_photo, "GROWTH", (1.0,))
    run = redacting([photo], tmp_path / "safe.png", RedactOptions.of(style=style))
    with pytest.raises(VerificationError, match="a detector still finds a face"):
        run.finish()
    assert {path.name for path in tmp_path.iterdir()} == {"safe.unverified.png"}
    (made,) = run.report().as_dict()["inputs"]
    assert (made["status"], made["output"], made["verified"]) == ("failed", None, False)
    assert made["unverified"] == str(tmp_path / "safe.unverified.png")
    (finding,) = made["findings"]
    assert (finding["what"], finding["box"]) == ("face", [179, 59, 271, 176])
    assert made["regions"][0]["findings"] == [finding]


def test_what_still_shows_replaces_no_input_and_no_output(photo: Path, tmp_path: Path) -> None:
    failed = tmp_path / "safe.unverified.png"
    failed.hardlink_to(photo)
    with pytest.raises(OutputError, match="would replace it"):
        seethrough.redact(failed, tmp_path / "safe.png", overwrite=True)
    (tmp_path / "safe.png").hardlink_to(photo)
    with pytest.raises(OutputError, match="would replace it"):
        seethrough.redact(tmp_path, tmp_path / "out", resume=True)
    assert not (tmp_path / "out").exists()


def test_unsafe_styles_warn_once(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "in" / name).hardlink_to(photo)
    with pytest.warns(UserWarning, match="mosaic does not hide who it is") as caught:
        seethrough.redact(tmp_path / "in", tmp_path / "out", style="mosaic", strength=6)
    assert len(caught) == 1


def test_an_output_that_exists_is_kept(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "safe.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        seethrough.redact(photo, tmp_path / "safe.png")
    with pytest.raises(OutputError, match="was not made by redact"):
        seethrough.redact(photo, tmp_path / "safe.png", resume=True)
    assert (tmp_path / "safe.png").read_bytes() == b"mine"
    seethrough.redact(photo, tmp_path / "safe.png", overwrite=True)
    assert image.read(tmp_path / "safe.png").width == 512


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_what_is_finished_is_not_done_again_but_for_another_style(
    photo: Path, tmp_path: Path, suffix: str
) -> None:
    target = tmp_path / f"safe{suffix}"

    def resumed(**options: Any) -> str | None:
        return record_of(seethrough.redact(photo, target, resume=True, **options)).reason

    with pytest.warns(UserWarning, match="mosaic does not hide"):
        assert resumed(style="mosaic") is None
    assert resumed(style="mosaic") == "finished earlier"
    assert image.read(target).pixels[INSIDE].std() > 5
    assert resumed() == "finished earlier"
    assert resumed(style="solid") is None
    assert image.read(target).pixels[INSIDE].max() < 30
