"""Faces that were never found or followed: verification looks for them, and covers them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

import seethrough
from seethrough import geometry
from seethrough.errors import VerificationError
from seethrough.pipeline import RedactRecord, redact_film, redact_missed
from seethrough.pipeline.networks import Networks
from seethrough.pipeline.redact_missed import EVERY, Moments, settle, with_missed
from seethrough.pipeline.remains import Remain
from seethrough.redactor import Finding, Style
from seethrough.tracker import Keyframe, Track, Tracks, read_tracks, write_tracks
from seethrough.tracker.tracks import USUAL_LANDMARKS
from seethrough.types import Box, Face, Image
from seethrough.video import Frame
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


def second(tracks_: Tracks, first: int, last: int) -> Tracks:
    """Add a track of the head at the right."""
    there = box(0)
    still = Box(there.x0 + ASIDE, there.y0, there.x1 + ASIDE, there.y1)
    keys = [Keyframe(f, still, USUAL_LANDMARKS, 1.0, "detected") for f in (first, last - 1)]
    return replace(tracks_, tracks=(*tracks_.tracks, Track(2, keys)))


@pytest.mark.usefixtures("lost")
@pytest.mark.parametrize("known", [False, True])
def test_faces_that_keep_leaves_are_not_missed_and_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    raw = film(tmp_path / "raw.mp4", frames=25, size=WIDE, picture=two_heads)
    both = second(read_tracks(tracks(tmp_path / "known.json", 25, width=WIDE[0])), 8, 16)
    if not known:  # the face that is kept stands elsewhere
        away = [replace(key, box=Box(200, 5, 230, 40)) for key in both.tracks[1].keyframes]
        both = replace(both, tracks=(both.tracks[0], Track(2, away)))
    monkeypatch.setattr(redact_film, "track", lambda *_, **__: both)
    options: dict[str, Any] = {"style": "solid", "keep": 2, "threads": 1}
    if known:  # it shows before its track begins, and after
        report = seethrough.redact(raw, tmp_path / "safe.mp4", **options)
        assert record_of(report).verified
        return
    with pytest.raises(VerificationError, match="not found before"):
        seethrough.redact(raw, tmp_path / "safe.mp4", **options)


def test_a_face_that_keep_leaves_in_a_photo_is_not_missed(photo: Path, tmp_path: Path) -> None:
    report = seethrough.redact(photo, tmp_path / "safe.png", style="solid", keep=2, threads=1)
    assert record_of(report).verified
    safe = cv2.imread(str(tmp_path / "safe.png"))
    assert safe is not None
    assert [black(safe, face) for face in FACES] == [True, False]


def test_a_face_beside_the_tracks_of_a_photo_is_told_of(photo: Path, tmp_path: Path) -> None:
    known = tmp_path / "tracks.json"
    points = geometry.upright_landmarks(FACES[0])
    write_tracks(Tracks.of_photo([Face(FACES[0], points, 1.0)], (512, 920)), known, overwrite=False)
    record = record_of(seethrough.redact(photo, tmp_path / "safe.png", tracks=known, threads=1))
    (bare,) = record.untracked
    assert bare.finding.box.iou(FACES[1]) > 0.4
    assert record.summary is not None
    assert "is in no track, and bare" in record.summary
    # It may be meant to show: nothing else is covered, and the covers themselves are right.
    assert (record.status, record.verified, record.findings) == ("done", True, ())


def test_a_face_beside_the_tracks_of_a_film_is_told_of(tmp_path: Path) -> None:
    raw = film(tmp_path / "raw.mp4", frames=25, size=WIDE, picture=two_heads)
    known = tracks(tmp_path / "known.json", 25, width=WIDE[0])
    record = record_of(seethrough.redact(raw, tmp_path / "safe.mp4", tracks=known, threads=1))
    assert [remain.finding.frame for remain in record.untracked] == [0, 10, 20, 24]
    assert record.summary is not None
    assert "but a face at" in record.summary
    assert (record.status, record.verified, record.findings) == ("done", True, ())


@pytest.mark.parametrize(
    ("cuts", "lasting", "looks"),
    [
        ((), range(24), [0, 10, 20, 23]),
        ((13,), range(24), [0, 10, 12, 13, 23]),
        ((12, 13), range(14), [0, 10, 11, 12, 13]),
        ((), range(5, 9), [5, 8]),
        ((), range(3, 24), [3, 13, 23]),
    ],
)
def test_the_ends_of_shots_are_looked_at(
    cuts: tuple[int, ...], lasting: range, looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = Frame.of_picture(np.zeros((36, 64, 3), np.uint8))
    count = iter(range(24))
    monkeypatch.setattr(redact_missed, "CutFinder", lambda: lambda _: next(count) in cuts)
    moments = Moments[int]()
    found = []
    for number in range(24):
        found += moments.take(frame, number, lasts=number in lasting)
    assert found + moments.rest() == looks
