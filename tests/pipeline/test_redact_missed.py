"""Faces that were never found or followed: verification looks for them, and covers them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

import seethrough
from seethrough.errors import VerificationError
from seethrough.pipeline import RedactRecord, redact_film
from seethrough.pipeline.networks import Networks
from seethrough.pipeline.redact_missed import EVERY, settle, with_missed
from seethrough.pipeline.remains import Remain
from seethrough.redactor import Finding, Style
from seethrough.tracker import Tracks, read_tracks
from seethrough.types import Box, Face, Image
from tests.pipeline.faces_film import box, dark, decoded, face_frame, film, tracks

WIDE = (512, 128)
ASIDE = 330  # where a second head stands in films, pixels to the right
FACES = (Box(179, 59, 271, 176), Box(179 + 460, 59, 271 + 460, 176))
"""In a photo that shows the astronaut twice."""


def two_heads(index: int, width: int, height: int) -> Image:
    """One head walks, the other stands."""
    picture = face_frame(index, width, height)
    still = face_frame(0, width, height)
    picture[:, ASIDE : ASIDE + 100] = still[:, :100]
    return picture


def record_of(report: Any) -> RedactRecord:
    (record,) = report.records
    assert isinstance(record, RedactRecord)
    return record


def black(picture: Image, face: Box) -> bool:
    x, y = (int(value) for value in face.centre)
    return bool((picture[y - 10 : y + 10, x - 8 : x + 8] < 30).all())


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    picture = np.hstack([astronaut()[:, :460], astronaut()[:, :460]])
    cv2.imwrite(str(path), picture[..., ::-1])
    return path


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector of photos overlooks the face at the right."""
    find = Networks.faces_to_hide

    def seen(self: Networks, picture: Image) -> list[Face]:
        return [face for face in find(self, picture) if face.box.x1 < 460]

    monkeypatch.setattr(Networks, "faces_to_hide", seen)


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tracker of films overlooks the face at the right."""

    def followed(frames: Any, *_: Any, **__: Any) -> Tracks:
        count = sum(1 for _ in frames)
        found = read_tracks(tracks(tmp_path / "known.json", count, width=WIDE[0]))
        return Tracks(*WIDE, Fraction(25), count, found.tracks)

    monkeypatch.setattr(redact_film, "track", followed)


@pytest.mark.usefixtures("blind")
def test_a_missed_face_of_a_photo_is_covered_too(photo: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="not found before"):
        report = seethrough.redact(photo, tmp_path / "safe.png", threads=1)
    record = record_of(report)
    safe = cv2.imread(str(tmp_path / "safe.png"))
    assert safe is not None
    assert [black(safe, face) for face in FACES] == [True, True]
    assert [face.number for face in record.faces] == [1, 2]
    assert record.faces[1].region.box.iou(FACES[1]) > 0.4
    assert (record.status, record.verified) == ("done", True)


@pytest.mark.usefixtures("blind")
@pytest.mark.filterwarnings("ignore:mosaic does not hide")
@pytest.mark.parametrize("style", ["solid", "mosaic"])
def test_a_style_that_was_asked_for_fails(photo: Path, tmp_path: Path, style: str) -> None:
    with pytest.raises(VerificationError, match="not found before"):
        seethrough.redact(photo, tmp_path / "safe.png", style=style, threads=1)
    assert {path.name for path in tmp_path.iterdir()} == {"safe.unverified.png"}


@pytest.mark.usefixtures("blind")
@pytest.mark.parametrize("options", [{"only": 1}, {"verify": False}])
def test_what_a_person_leaves_uncovered_is_no_finding(
    photo: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    report = seethrough.redact(photo, tmp_path / "safe.png", threads=1, **options)
    assert record_of(report).status == "done"
    safe = cv2.imread(str(tmp_path / "safe.png"))
    assert safe is not None
    assert [black(safe, face) for face in FACES] == [True, False]


@pytest.mark.usefixtures("lost")
def test_a_missed_face_of_a_film_is_covered_in_every_frame(tmp_path: Path) -> None:
    raw = film(tmp_path / "raw.mp4", frames=25, size=WIDE, picture=two_heads)
    with pytest.warns(UserWarning, match=r"0\.00 s; trying again with a cover there"):
        report = seethrough.redact(raw, tmp_path / "safe.mp4", threads=1)
    record = record_of(report)
    frames = decoded(tmp_path / "safe.mp4")
    assert dark(frames) == [True] * 25
    there = box(0)
    still = Box(there.x0 + ASIDE, there.y0, there.x1 + ASIDE, there.y1)
    assert [black(frame, still) for frame in frames] == [True] * 25
    assert [(face.first, face.last) for face in record.faces] == [(0, 25), (0, 25)]
    assert [span.track for span in record.unsure] == [2]
    assert (record.status, record.verified) == ("done", True)
    assert record.findings == ()


@pytest.mark.usefixtures("lost")
def test_a_film_with_a_style_that_was_asked_for_fails(tmp_path: Path) -> None:
    raw = film(tmp_path / "raw.mp4", frames=12, size=WIDE, picture=two_heads)
    with pytest.raises(VerificationError, match="not found before"):
        seethrough.redact(raw, tmp_path / "safe.mp4", style="solid", threads=1)
    assert not (tmp_path / "safe.mp4").exists()
    assert (tmp_path / "safe.unverified.mp4").exists()


def missed(frame: int, place: Box) -> Remain:
    finding = Finding(frame, Fraction(frame, 25), place, "missed", None)
    return Remain(finding, frame + 1, finding.time)


@pytest.mark.parametrize("step", [0, 25])
def test_covers_hold_from_one_look_to_the_next(step: int) -> None:
    places = {
        frame: Box(100 + step * n, 50, 140 + step * n, 100)
        for n, frame in enumerate(range(20, 61, EVERY))
    }
    found = with_missed(
        Tracks(640, 360, Fraction(25), 100, ()), [missed(f, b) for f, b in places.items()]
    )
    (track,) = found.tracks
    assert (track.first, track.last) == (20 - EVERY, 60 + EVERY + 1)
    for frame in range(track.first, track.last):
        seen = track.at(frame)
        assert seen is not None
        for look, place in places.items():
            if abs(look - frame) <= EVERY:
                assert seen.box.intersection(place) == pytest.approx(place.area)


def test_faces_far_apart_are_two() -> None:
    found = with_missed(
        Tracks(640, 360, Fraction(25), 15, ()),
        [
            missed(0, Box(0, 0, 40, 40)),
            missed(0, Box(300, 0, 340, 40)),
            missed(10, Box(5, 0, 45, 40)),
        ],
    )
    assert [(track.number, track.first, track.last) for track in found.tracks] == [
        (1, 0, 15),
        (2, 0, 11),
    ]


def test_what_cannot_be_covered_ends_in_a_finding() -> None:
    tried: list[float] = []
    added: list[int] = []

    def attempt(style: Style, _: bool) -> list[Remain]:
        tried.append(style.grow)
        return [missed(0, Box(0, 0, 40, 40))]

    styles = [Style("solid", grow=grow) for grow in (1.0, 1.25)]
    settle(styles, attempt, lambda found: added.append(len(found)), lambda *_: None)
    assert added == [1, 1]
    assert tried == [1.0, 1.0, 1.0, 1.25]
