from __future__ import annotations

import json
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from seethrough.errors import InputError, OutputError, UsageError
from seethrough.tracker import (
    Keyframe,
    Sighting,
    Track,
    Tracks,
    UnsureSpan,
    read_tracks,
    write_tracks,
)
from seethrough.tracker.tracks import USUAL_LANDMARKS
from seethrough.types import Box, Face

SCHEMA = json.loads(resources.files("seethrough").joinpath("schemas/tracks.json").read_text())


def keyframe(frame: int, x: float, how: Any = "detected") -> Keyframe:
    rng = np.random.default_rng(frame)
    points = USUAL_LANDMARKS + rng.normal(0, 0.03, (5, 2))
    return Keyframe(frame, Box(x, 10.0123, x + 40 / 3, 30), points, 0.8765, how)


def tracks() -> Tracks:
    return Tracks(
        320,
        180,
        Fraction(30000, 1001),
        60,
        (
            Track(1, [keyframe(0, 10), keyframe(7, 31.77), keyframe(30, 20, "held")]),
            Track(2, [keyframe(12, 200)]),
        ),
        (UnsureSpan(1, 30, 31, 1.0, 1.033, "not seen"), UnsureSpan(None, 4, 5, 0.1, 0.2, "weak")),
    )


def same(first: Sighting, second: Sighting) -> bool:
    return (
        first.box == second.box
        and np.array_equal(first.landmarks, second.landmarks)
        and (first.track, first.score, first.how) == (second.track, second.score, second.how)
    )


def written(tmp_path: Path) -> Path:
    path = tmp_path / "tracks.json"
    write_tracks(tracks(), path, overwrite=False)
    return path


def test_what_is_written_is_read_back_exactly(tmp_path: Path) -> None:
    before, after = tracks(), read_tracks(written(tmp_path))
    for frame in range(60):
        pairs = zip(before.at(frame), after.at(frame), strict=True)
        assert all(same(first, second) for first, second in pairs)
    assert len(before.at(12)) == 2
    assert after.unsure == before.unsure
    assert (after.width, after.height, after.rate, after.frames) == (320, 180, before.rate, 60)


def test_the_file_follows_its_schema_and_has_a_keyframe_on_a_line(tmp_path: Path) -> None:
    text = written(tmp_path).read_text()
    jsonschema.validate(json.loads(text), SCHEMA)
    assert sum('"box"' in line for line in text.splitlines()) == 4
    assert all(line.count('"box"') <= 1 for line in text.splitlines())


def test_a_film_without_faces_is_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    write_tracks(Tracks(32, 18, Fraction(25), 3, ()), path, overwrite=False)
    jsonschema.validate(json.loads(path.read_text()), SCHEMA)
    assert read_tracks(path).at(0) == ()


def edited(tmp_path: Path, change: Any) -> Path:
    path = written(tmp_path)
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    return path


def test_a_moved_keyframe_moves_the_boxes_around_it_and_the_landmarks(tmp_path: Path) -> None:
    def move(data: dict[str, Any]) -> None:
        data["tracks"][0]["keyframes"][1]["box"] = [100, 50, 140, 90]

    before, after = tracks(), read_tracks(edited(tmp_path, move))
    there = after.at(7)[0]
    assert there.box == Box(100, 50, 140, 90)
    relative = (there.landmarks + 0.5 - (100, 50)) / 40
    assert np.allclose(relative, before.tracks[0].keyframes[1].landmarks, atol=1e-9)
    for frame in range(1, 30):
        assert after.at(frame)[0].box != before.at(frame)[0].box
    for frame in (0, 30):
        assert after.at(frame)[0].box == before.at(frame)[0].box
    x = [after.at(frame)[0].box.x0 for frame in (0, 7)]
    assert after.at(3)[0].box.x0 == pytest.approx(x[0] + 3 / 7 * (x[1] - x[0]))


def test_an_added_track_needs_frames_and_boxes_alone(tmp_path: Path) -> None:
    def add(data: dict[str, Any]) -> None:
        frames = [{"frame": 20, "box": [0, 0, 20, 30]}, {"frame": 10, "box": [10, 0, 30, 30]}]
        data["tracks"].append({"number": 9, "keyframes": frames})

    path = edited(tmp_path, add)
    jsonschema.validate(json.loads(path.read_text()), SCHEMA)
    face = read_tracks(path).at(15)[-1]
    assert (face.track, face.how, face.score) == (9, "edited", 1)
    assert face.box == Box(5, 0, 25, 30)
    assert face.landmarks[0, 0] < face.landmarks[1, 0]
    assert read_tracks(path).at(21)[-1].track == 1


def test_a_removed_keyframe_shortens_the_track(tmp_path: Path) -> None:
    path = edited(tmp_path, lambda data: data["tracks"][0]["keyframes"].pop())
    assert read_tracks(path).tracks[0].last == 8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(schema="seethrough/tracks/2"), "its schema is"),
        (lambda d: d.pop("schema"), "holds no tracks"),
        (lambda d: d.pop("film"), "has no 'film'"),
        (lambda d: d["film"].update(frames=0), "film.frames is 0"),
        (lambda d: d["film"].update(rate="0/1"), "film.rate"),
        (lambda d: d["film"].update(rate=25), "film.rate"),
        (lambda d: d["tracks"][0].update(number=2), "the same number"),
        (lambda d: d["tracks"][0].update(keyframes=[]), "none or out of order"),
        (lambda d: d["tracks"][1].update(name="Ann"), r"tracks\[1\] has the unknown name 'name'"),
        (lambda d: d["tracks"][0]["keyframes"][1].update(box=[1, 2, 3]), r"keyframes\[1\].box has"),
        (lambda d: d["tracks"][0]["keyframes"][1].update(box=[5, 2, 5, 9]), "is empty"),
        (lambda d: d["tracks"][0]["keyframes"][1].update(box=[5, 2, 9, "9"]), "holds '9'"),
        (lambda d: d["tracks"][0]["keyframes"][1].update(box=[5, 2, 9, 1e9]), "ordinary size"),
        (lambda d: d["tracks"][0]["keyframes"][1].update(frame=60), "the film has 60 frames"),
        (lambda d: d["tracks"][0]["keyframes"][1].update(frame=0), "none or out of order"),
        (lambda d: d["tracks"][0]["keyframes"][1].update(frame=True), "whole number"),
        (lambda d: d["tracks"][0]["keyframes"][1].update(how="guessed"), "'guessed'"),
        (lambda d: d["tracks"][0]["keyframes"][1].update(score=2), "0 to 1"),
        (lambda d: d["tracks"][0]["keyframes"][1].update(landmarks=[[0, 0]]), "five points"),
        (lambda d: d["unsure"][0].pop("reason"), "'reason'"),
        (lambda d: d.update(tracks={}), "no list"),
    ],
)
def test_slips_are_named_with_their_place(tmp_path: Path, change: Any, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read_tracks(edited(tmp_path, change))
    assert "tracks.json: " in caught.value.what


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", "null", "[" * 100_000, '"\\ud800"', "NaN"])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tracks.json"
    path.write_text(content)
    with pytest.raises(InputError):
        read_tracks(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_tracks(tmp_path / "tracks.json")


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(OutputError):
        write_tracks(tracks(), path, overwrite=False)
    write_tracks(tracks(), path, overwrite=True)


def test_tracks_know_their_film() -> None:
    tracks().check_size(320, 180)
    tracks().check_frames(60)
    with pytest.raises(InputError, match="320 x 180"):
        tracks().check_size(180, 320)
    with pytest.raises(InputError, match="60 frames"):
        tracks().check_frames(61)


def test_faces_are_chosen_by_number() -> None:
    assert [t.number for t in tracks().only([2]).tracks] == [2]
    assert [t.number for t in tracks().without([2]).tracks] == [1]
    assert [s.track for s in tracks().only([2]).unsure] == [None]
    with pytest.raises(UsageError, match="no face 3"):
        tracks().only([3])
    with pytest.raises(UsageError, match="no face 3"):
        tracks().without([1, 3])


def test_a_photo_is_a_film_of_one_frame_numbered_from_the_left() -> None:
    points = np.array([[52.0, 20], [58, 20], [55, 24], [53, 28], [57, 28]])
    right, left = Face(Box(50, 10, 60, 32), points, 0.9), Face(Box(5, 9, 9, 15), points - 45, 0.7)
    photo = Tracks.of_photo([right, left], (40, 80, 3))
    assert (photo.width, photo.height, photo.frames) == (80, 40, 1)
    first, second = photo.at(0)
    assert (first.box.x0, second.box.x0) == (5, 50)
    assert np.allclose(second.landmarks, points, atol=0.01)
