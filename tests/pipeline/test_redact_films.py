"""Films whose faces are hidden: what is covered, when, and what is never written."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import seethrough
from seethrough.errors import (
    InputError,
    NothingToDoError,
    UsageError,
    VerificationError,
)
from seethrough.pipeline import RedactOptions, RedactRecord, redact_film, redacting
from seethrough.pipeline.film_parts import Times
from seethrough.pipeline.inputs import FILMS_WRITTEN
from seethrough.redactor import Finding, Style
from seethrough.types import Box
from seethrough.video import FilmReader
from seethrough.video.codecs import CONTAINERS
from tests.pipeline.faces_film import SIZE, box, dark, decoded, film, tracks, wall_frame


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    tracks(folder / "tracks.json")
    return film(folder / "raw.mp4")


@pytest.fixture
def given(raw: Path) -> Path:
    return raw.with_name("tracks.json")


def redact(source: Path, output: Path, **options: Any) -> RedactRecord:
    report = seethrough.redact(source, output, **{"threads": 1, "device": "cpu"} | options)
    (record,) = report.records
    assert isinstance(record, RedactRecord)
    return record


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class Look:
    """A verifier that finds something with covers of some sizes."""

    bad: tuple[float, ...] = ()
    watched: Path | None = None

    def __init__(self, style: Style, *_: Any, **__: Any) -> None:
        self.style = style

    def look(
        self, frame: int, time: Fraction, original: Any, output: Any, seen: Sequence[Any]
    ) -> tuple[Finding, ...]:
        assert self.watched is None or not self.watched.exists()
        if frame == 3 and self.style.grow in self.bad:
            return (Finding(frame, time, box(frame), "bare", 1),)
        return ()

    def look_elsewhere(self, *_: Any) -> tuple[Finding, ...]:
        return ()


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> type[Look]:
    monkeypatch.setattr(redact_film, "Verifier", Look)
    monkeypatch.setattr(Look, "bad", ())
    monkeypatch.setattr(Look, "watched", None)
    return Look


def test_a_face_is_followed_and_hidden(raw: Path, tmp_path: Path) -> None:
    record = redact(raw, tmp_path / "safe.mp4")
    before, after = decoded(raw), decoded(tmp_path / "safe.mp4")
    assert dark(before) == [False] * 20
    assert dark(after) == [True] * 20
    away = np.abs(after[:, :, 175:].astype(int) - before[:, :, 175:])[:5]  # far from the face
    assert away.mean() < 2
    (face,) = record.faces
    assert (face.number, face.first, face.last, face.from_, face.to) == (1, 0, 20, 0.0, 0.8)
    assert face.region.box.iou(box(0)) > 0.6
    assert (record.status, record.verified) == ("done", True)
    assert set(record.stages) == {"decode", "track", "cover", "encode", "verify"}
    assert names(tmp_path) == {"safe.mp4"}


def test_tracks_are_honoured_exactly(raw: Path, given: Path, tmp_path: Path) -> None:
    moved = tracks(tmp_path / "two.json", faces=(2, 5))
    redact(raw, tmp_path / "one.mp4", tracks=given)
    record = redact(raw, tmp_path / "two.mp4", tracks=moved, only=5)
    assert [(f.number, f.region.status) for f in record.faces] == [(2, "skipped"), (5, "done")]
    np.testing.assert_array_equal(decoded(tmp_path / "one.mp4"), decoded(tmp_path / "two.mp4"))
    empty = tracks(tmp_path / "none.json", faces=())
    with pytest.raises(NothingToDoError, match="no face found"):
        redact(raw, tmp_path / "new/none.mp4", tracks=empty)
    assert not (tmp_path / "new").exists()


def too_late(*_: Any, **__: Any) -> None:
    raise AssertionError


def test_tracks_of_another_film_are_refused(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact_film, "transcode", too_late)
    monkeypatch.setattr(redact_film, "rehearse", too_late)
    for options, words in (({"width": 190}, "190 x 128"), ({"frames": 21}, "of 21 frames")):
        other = tracks(tmp_path / "tracks.json", **options)
        with pytest.raises(InputError, match=words):
            redact(raw, tmp_path / "safe.mp4", tracks=other)
    tracks(tmp_path / "tracks.json", frames=12)
    with pytest.raises(InputError, match="of 12 frames"):
        redact(raw, tmp_path / "safe.mp4", tracks=tmp_path / "tracks.json")
    assert names(tmp_path) == {"tracks.json"}


def test_faces_that_lie_outside_of_the_picture_are_refused(raw: Path, tmp_path: Path) -> None:
    away = Box(-900, 10, -860, 60)
    tracks(tmp_path / "tracks.json", boxes=(away, away))
    with pytest.raises(InputError, match="face 1 of the tracks lies outside"):
        redact(raw, tmp_path / "safe.mp4", tracks=tmp_path / "tracks.json")
    tracks(tmp_path / "tracks.json", boxes=(away, box(19)))  # it comes in
    redact(raw, tmp_path / "safe.mp4", tracks=tmp_path / "tracks.json")
    assert names(tmp_path) == {"tracks.json", "safe.mp4"}


@pytest.mark.parametrize(
    ("options", "covered"),
    [
        ({"from_": "0.2", "to": "00:00.4"}, range(5, 10)),
        ({"from_": 0.2}, range(5, 20)),
        ({"to": Fraction(1, 25)}, range(1)),
    ],
)
def test_covering_is_limited_in_time(
    raw: Path, given: Path, tmp_path: Path, options: Any, covered: range
) -> None:
    record = redact(raw, tmp_path / "safe.mp4", tracks=given, **options)
    span = [
        None if options.get(name) is None else (covered.start, covered.stop)[end] / 25
        for end, name in enumerate(("from_", "to"))
    ]
    assert [record.from_, record.to] == span
    assert dark(decoded(tmp_path / "safe.mp4")) == [i in covered for i in range(20)]
    with av.open(str(tmp_path / "safe.mp4")) as made:
        assert "chosen faces covered" in made.metadata["comment"]


def test_tracks_count_where_the_container_miscounts(
    raw: Path, given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FilmReader, "listed", lambda _: (40, None))
    redact(raw, tmp_path / "safe.mp4", tracks=given, from_=0.2)
    tracks(tmp_path / "tracks.json", frames=40)
    with pytest.raises(InputError, match="of 40 frames, this one has 20"):
        redact(raw, tmp_path / "other.mp4", tracks=tmp_path / "tracks.json")
    assert names(tmp_path) == {"safe.mp4", "tracks.json"}


def test_nothing_in_the_span_is_nothing_to_do(raw: Path, tmp_path: Path) -> None:
    short = [box(0), box(19)]
    early = tracks(tmp_path / "early.json", frames=20, boxes=short, ends=(0, 4))
    with pytest.raises(NothingToDoError, match="no face is chosen"):
        redact(raw, tmp_path / "safe.mp4", tracks=early, from_=0.6)
    assert names(tmp_path) == {"early.json"}


@pytest.mark.parametrize("from_", [0.77, "5", "01:00"])
@pytest.mark.parametrize("known", [False, True])
def test_a_time_after_the_end_is_refused_first(
    raw: Path,
    given: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    from_: Any,
    known: bool,
) -> None:
    for name in ("transcode", "rehearse", "track"):
        monkeypatch.setattr(redact_film, name, too_late)
    with pytest.raises(UsageError, match=r"after the end of .*raw\.mp4, .* at 0\.760 s"):
        redact(raw, tmp_path / "safe.mp4", tracks=given if known else None, from_=from_)
    assert names(tmp_path) == set()


def test_a_film_without_faces_is_not_written(tmp_path: Path) -> None:
    film(tmp_path / "wall.mp4", frames=6, picture=wall_frame)
    with pytest.raises(NothingToDoError, match="no face found"):
        redact(tmp_path / "wall.mp4", tmp_path / "safe.mp4")
    assert names(tmp_path) == {"wall.mp4"}
    redact(tmp_path / "wall.mp4", tmp_path / "safe.mp4", box=[box(2)], verify=False)
    made = decoded(tmp_path / "safe.mp4")
    x, y = (int(value) for value in box(2).centre)
    assert (made[:, y - 9 : y + 9, x - 9 : x + 9] < 30).all()


def test_one_frame_is_a_film(tmp_path: Path) -> None:
    film(tmp_path / "raw.mp4", frames=1)
    record = redact(tmp_path / "raw.mp4", tmp_path / "safe.mp4")
    assert dark(decoded(tmp_path / "safe.mp4")) == [True]
    assert (record.faces[0].first, record.faces[0].last) == (0, 1)


def test_a_face_that_spans_the_frame_covers_it(raw: Path, tmp_path: Path) -> None:
    held = tracks(tmp_path / "held.json", boxes=(Box(0, 0, *SIZE), Box(0, 0, *SIZE)))
    with pytest.warns(UserWarning, match="eye-bar does not hide"):
        redact(raw, tmp_path / "safe.mp4", tracks=held, style="eye-bar")
    assert (decoded(tmp_path / "safe.mp4") < 30).all()


def test_nothing_has_the_name_before_it_is_verified(
    raw: Path, given: Path, tmp_path: Path, look: type[Look]
) -> None:
    look.watched = tmp_path / "safe.mp4"
    redact(raw, tmp_path / "safe.mp4", tracks=given)
    assert names(tmp_path) == {"safe.mp4"}


def test_the_default_style_grows(raw: Path, given: Path, tmp_path: Path, look: type[Look]) -> None:
    look.bad = (1.0,)
    with pytest.warns(UserWarning, match="is not covered at .* at 0.12 s"):
        record = redact(raw, tmp_path / "safe.mp4", tracks=given)
    assert record.style == Style("solid", grow=1.25)
    redact(raw, tmp_path / "plain.mp4", tracks=given, verify=False)
    area = [(decoded(tmp_path / name) < 30).mean() for name in ("safe.mp4", "plain.mp4")]
    assert area[0] > 1.3 * area[1]


def test_what_still_shows_is_kept_under_another_name(
    raw: Path, given: Path, tmp_path: Path, look: type[Look]
) -> None:
    look.bad = (1.0,)
    options = RedactOptions.of(style="safe-blur", tracks=given, threads=1)
    run = redacting([raw], tmp_path / "safe.mp4", options)
    with pytest.raises(VerificationError, match="part of the face is not covered"):
        run.finish()
    assert names(tmp_path) == {"safe.unverified.mp4"}
    (made,) = run.report().as_dict()["inputs"]
    assert (made["status"], made["verified"], made["output"]) == ("failed", False, None)
    (finding,) = made["findings"]
    assert (finding["first"], finding["last"], finding["from"]) == (3, 4, 0.12)
    assert made["regions"][0]["findings"] == made["findings"]


def test_what_may_hold_names_is_dropped(tmp_path: Path) -> None:
    source = film(tmp_path / "raw.mkv", sound="aac", metadata={"title": "Jane"}, subtitles=True)
    given = tracks(tmp_path / "tracks.json")
    with pytest.warns(UserWarning, match="a voice identifies a person too"):
        redact(source, tmp_path / "safe.mkv", tracks=given)
    redact(source, tmp_path / "mute.mkv", tracks=given, voice="mute")
    with pytest.warns(UserWarning, match="voice"):
        redact(source, tmp_path / "kept.mkv", tracks=given, keep_metadata=True, keep_subtitles=True)
    found = {}
    for name in ("safe", "mute", "kept"):
        with av.open(str(tmp_path / f"{name}.mkv")) as made:
            kinds = [stream.type for stream in made.streams]
            found[name] = (kinds, "title" in {key.lower() for key in made.metadata})
            comment = {key.lower(): value for key, value in made.metadata.items()}["comment"]
            assert "Redacted by seethrough" in comment
    assert found == {
        "safe": (["video", "audio"], False),
        "mute": (["video"], False),
        "kept": (["video", "audio", "subtitle"], True),
    }


def test_wishes_that_cannot_be_met_are_refused_first(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact_film, "track", too_late)
    for output, options in (("safe.webm", {"codec": "h264"}), ("safe.mp4", {"preset": "swift"})):
        with pytest.raises(UsageError):
            redact(raw, tmp_path / output, **options)
    assert names(tmp_path) == set()


def test_every_suffix_that_is_planned_can_be_written() -> None:
    assert set(CONTAINERS) == FILMS_WRITTEN


def test_times_take_eight_bytes_each() -> None:
    times = Times(Fraction(1, 600), Fraction(30))
    for frame in range(3):
        times.append(Fraction(frame, 30))
    assert [times[i] for i in range(4)] == [Fraction(i, 30) for i in range(4)]
    assert len(times) == 3
