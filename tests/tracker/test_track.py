from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from seethrough.errors import InputError, VerificationError
from seethrough.tracker import TrackOptions, Tracks, engine, track
from seethrough.tracker.course import Spot
from seethrough.tracker.looking import Looker
from seethrough.types import Box, Image
from tests.tracker.scenes import (
    ArrayFilm,
    ArrayFrame,
    Place,
    box_of,
    film,
    frames_of,
    scenery,
)


def tracked(frames: Sequence[ArrayFrame], **options: object) -> Tracks:
    return track(frames, ArrayFilm(), TrackOptions(**options), device="cpu", threads=1)  # type: ignore[arg-type]


def share_covered(tracks: Tracks, frame: int, face: Box) -> float:
    """Return which share of a face the best box of a frame covers."""
    shares = [sighting.box.intersection(face) / face.area for sighting in tracks.at(frame)]
    return max(shares, default=0.0)


def along(x: float, step: float = 4, width: float = 36) -> Callable[[int], Place]:
    return lambda i: (x + step * i, 90, width, 0)


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[ArrayFrame], set[int]], None]:
    """Make the detector see nothing in some frames of a film."""

    def make(frames: Sequence[ArrayFrame], hidden: set[int]) -> None:
        pictures = {id(frames[i].picture) for i in hidden}
        whole, close = Looker.whole, Looker.close

        def no_whole(self: Looker, picture: Image, *rest: object, **more: object) -> list[Spot]:
            return [] if id(picture) in pictures else whole(self, picture, *rest, **more)  # type: ignore[arg-type]

        def no_close(self: Looker, small: object, looks: Sequence[object]) -> list[list[Spot]]:
            if id(small.picture) in pictures:  # type: ignore[attr-defined]
                return [[] for _ in looks]
            return close(self, small, looks)  # type: ignore[arg-type]

        monkeypatch.setattr(engine, "_readable", lambda picture, factors, _: (picture, factors))
        monkeypatch.setattr(Looker, "whole", no_whole)
        monkeypatch.setattr(Looker, "close", no_close)

    return make


@pytest.mark.parametrize("every", [1, 3])
def test_a_moving_face_is_one_track_in_every_frame(every: int) -> None:
    course = along(60)
    tracks = tracked(film(20, course), every=every)
    assert [(t.number, t.first, t.last) for t in tracks.tracks] == [(1, 0, 20)]
    for frame in range(20):
        face = box_of(course(frame))
        sighting = tracks.at(frame)[0]
        assert sighting.box.iou(face) > 0.6
        assert sighting.how == "detected"
        assert np.linalg.norm(sighting.landmarks.mean(axis=0) - face.centre) < 10


def test_a_face_is_covered_before_it_is_first_seen(
    blind: Callable[[Sequence[ArrayFrame], set[int]], None],
) -> None:
    frames = film(16, along(60))
    blind(frames, set(range(8)))
    tracks = tracked(frames)
    assert len(tracks.tracks) == 1
    for frame in range(8):
        assert share_covered(tracks, frame, box_of(along(60)(frame))) > 0.85
        assert tracks.at(frame)[0].how == "followed"


def test_a_face_that_is_no_longer_seen_is_followed_and_called_unsure(
    blind: Callable[[Sequence[ArrayFrame], set[int]], None],
) -> None:
    frames = film(24, along(60, 3))
    blind(frames, set(range(8, 24)))
    tracks = tracked(frames)
    for frame in range(8, 24):
        assert share_covered(tracks, frame, box_of(along(60, 3)(frame))) > 0.85
    (span,) = tracks.unsure
    assert (span.track, span.first, span.last) == (1, 8, 24)
    assert "motion" in span.reason
    assert span.from_ == pytest.approx(8 / 25)
    assert span.to == pytest.approx(24 / 25)


def behind_a_wall(count: int = 26) -> list[ArrayFrame]:
    frames = film(count, along(60, 8, 40))
    for frame in frames:
        frame.picture[:, 130:190] = (90, 110, 70)
    return frames


def test_a_face_that_passes_behind_something_keeps_its_track() -> None:
    tracks = tracked(behind_a_wall())
    longest = max(tracks.tracks, key=lambda t: t.last - t.first)
    assert longest.last - longest.first > 24
    for frame in (*range(6), *range(19, 26)):
        assert share_covered(tracks, frame, box_of(along(60, 8, 40)(frame))) > 0.85


def test_a_turned_face_is_followed_through_all_angles() -> None:
    course = lambda i: (160.0, 90.0, 44.0, 15.0 * i)  # noqa: E731
    tracks = tracked(film(24, course))
    assert len(tracks.tracks) == 1
    for frame in range(24):
        sighting = tracks.at(frame)[0]
        assert math.dist(sighting.box.centre, (160, 90)) < 8
        eyes, mouth = sighting.landmarks[:2].mean(axis=0), sighting.landmarks[3:].mean(axis=0)
        roll = math.degrees(math.atan2(eyes[0] - mouth[0], mouth[1] - eyes[1]))
        assert abs((roll - 15 * frame + 180) % 360 - 180) < 25


def test_nothing_is_followed_across_a_cut() -> None:
    def course(i: int) -> Place:
        return (80, 90, 40, 0) if i < 10 else (240, 90, 40, 0)

    tracks = tracked(film(20, course, seed=lambda i: i // 10))
    assert [(t.first, t.last) for t in tracks.tracks] == [(0, 10), (10, 20)]


def test_a_face_leaving_at_the_border_is_covered_till_it_is_out() -> None:
    course = along(250, 7)
    tracks = tracked(film(24, course))
    for frame in range(24):
        x0 = box_of(course(frame)).x0
        if x0 < 318:
            seen = box_of(course(frame))
            visible = Box(x0, seen.y0, min(seen.x1, 320), seen.y1)
            assert share_covered(tracks, frame, visible) > 0.7
    assert tracks.tracks[0].last < 20


def vanishing() -> list[ArrayFrame]:
    return film(30, lambda i: (160, 90, 40, 0) if i < 10 else None)


def test_a_lost_face_is_held_and_grown_for_a_while() -> None:
    tracks = tracked(vanishing(), hold=0.4)
    before, after = tracks.at(9)[0].box, tracks.at(15)[0].box
    assert tracks.at(15)[0].how == "held"
    assert after.area > 1.2 * before.area
    assert tracks.at(18)
    assert not tracks.at(22)
    assert any("held" in span.reason for span in tracks.unsure)


def test_a_lost_face_can_cover_the_frame() -> None:
    tracks = tracked(vanishing(), hold=0.4, on_lost="cover-frame")
    assert tracks.at(9)[0].box.width < 60
    assert tracks.at(15)[0].box.as_tuple() == (0, 0, 320, 180)


def test_a_lost_face_can_stop_the_work() -> None:
    with pytest.raises(VerificationError, match=r"face 1 at 0\.\d\d-0\.\d\d s"):
        tracked(vanishing(), hold=0.4, on_lost="stop")


def test_small_films_are_enlarged_for_the_detector() -> None:
    frames = film(6, along(100, 2, 10))
    tracks = tracked(frames)
    assert tracks.tracks[0].first == 0
    assert tracks.at(3)[0].box.iou(box_of(along(100, 2, 10)(3))) > 0.5


def test_no_face_is_no_track() -> None:
    tracks = tracked(frames_of([scenery()] * 3))
    assert (tracks.tracks, tracks.frames) == ((), 3)


def test_a_film_without_frames_is_refused() -> None:
    with pytest.raises(InputError, match="no frame"):
        tracked([])


def test_one_frame_is_enough() -> None:
    tracks = tracked(film(1, along(100)))
    assert [(t.first, t.last) for t in tracks.tracks] == [(0, 1)]


def test_faces_are_numbered_by_first_frame_then_from_the_left() -> None:
    frames = film(12, along(220, 0))
    for frame in frames:
        other = film(1, lambda _: (80, 60, 36, 0))[0].picture if frame.index > 5 else scenery()
        frame.picture[:, :150] = other[:, :150]
    tracks = tracked(frames, hold=0.0)
    assert [t.number for t in tracks.tracks] == [1, 2]
    assert tracks.at(11)[0].box.x0 > tracks.at(11)[1].box.x0


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int | None]] = []
    frames = frames_of([scenery()] * 2)
    engine.track(
        frames,
        ArrayFilm(frames=2),
        device="cpu",
        threads=1,
        progress=lambda done, all_: told.append((done, all_)),
    )
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize("x", [0, 319])
def test_half_a_face_that_leaves_as_the_film_begins_is_covered(x: int) -> None:
    def course(index: int) -> Place:
        return (x - 2 * index if x == 0 else x + 2 * index, 90, 60, 0)

    tracks = tracked(film(3, course))
    for index in range(3):
        face = box_of(course(index))
        shown = Box(max(face.x0, 0), face.y0, min(face.x1, 320), face.y1)
        assert share_covered(tracks, index, shown) > 0.85
