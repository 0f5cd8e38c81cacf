from __future__ import annotations

import json
import stat
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import jsonschema
import numpy as np
import pytest
import skimage.data

from seethrough import pipeline
from seethrough.errors import InputError, NothingToDoError, OutputError, UsageError
from seethrough.pipeline import sheet
from seethrough.pipeline.times import clock
from seethrough.tracker import Keyframe, Sighting, Track, Tracks, read_tracks
from seethrough.tracker.tracks import USUAL_LANDMARKS
from seethrough.types import Box, Image
from tests.tracker.scenes import film
from tests.video.films import make

SCHEMA = json.loads(resources.files("seethrough").joinpath("schemas/faces.json").read_text())


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.ascontiguousarray(skimage.data.astronaut()[:256, 96:352, ::-1]))
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def shown(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path))[..., ::-1], np.uint8)


def test_a_photo_gets_a_sheet_and_tracks(photo: Path, tmp_path: Path) -> None:
    target = tmp_path / "private" / "sheet.png"
    report = pipeline.faces(photo, target, device="cpu", threads=1)
    jsonschema.validate(report.as_dict(), SCHEMA)
    (record,) = report.records
    assert mode(target) == 0o600
    assert mode(target.parent) == 0o700
    tracks = read_tracks(target.with_name("tracks.json"))
    assert (tracks.frames, len(tracks.tracks)) == (1, 1)
    face = record.regions[0].box
    assert tracks.at(0)[0].box.iou(face) > 0.98
    # The face itself is on the sheet.
    pixels = skimage.data.astronaut()[:256, 96:352]
    expected = sheet.crop(np.ascontiguousarray(pixels), tracks.at(0)[0])
    found = cv2.matchTemplate(shown(target), expected, cv2.TM_CCOEFF_NORMED)
    assert found.max() > 0.99


def test_a_film_gets_pictures_of_each_track_and_its_time(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    frames = film(14, lambda i: (80 + 4 * i, 90, 40, 0))
    make(path, frames=14, size=(320, 180), picture=lambda i, *_: frames[i].picture)
    target = tmp_path / "sheet.png"
    report = pipeline.faces(path, target, device="cpu", threads=1)
    jsonschema.validate(report.as_dict(), SCHEMA)
    (region,) = report.as_dict()["inputs"][0]["regions"]
    assert (region["number"], region["first"], region["last"]) == (1, 0, 14)
    assert region["to"] == pytest.approx(14 / 25, abs=0.01)
    tracks = read_tracks(tmp_path / "tracks.json")
    tracks.check_size(320, 180)
    tracks.check_frames(14)
    assert shown(target).shape[1] > 4 * sheet.SIDE


def test_nothing_is_written_without_a_face(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.full((64, 64, 3), 99, np.uint8))
    with pytest.raises(NothingToDoError, match="no face"):
        pipeline.faces(path, tmp_path / "new" / "sheet.png", device="cpu", threads=1)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("present", ["sheet.png", "tracks.json"])
def test_nothing_is_overwritten_unasked(photo: Path, tmp_path: Path, present: str) -> None:
    (tmp_path / present).write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        pipeline.faces(photo, tmp_path / "sheet.png", device="cpu", threads=1)
    assert (tmp_path / present).read_text() == "mine"
    pipeline.faces(photo, tmp_path / "sheet.png", overwrite=True, device="cpu", threads=1)
    assert mode(tmp_path / "sheet.png") == 0o600


def test_folders_other_suffixes_and_missing_files_are_refused(photo: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        pipeline.faces(tmp_path, tmp_path / "sheet.png")
    with pytest.raises(UsageError, match="suffix"):
        pipeline.faces(photo, tmp_path / "sheet.jpg")
    with pytest.raises(InputError, match="does not exist"):
        pipeline.faces(tmp_path / "none.mp4", tmp_path / "sheet.png")
    with pytest.raises(UsageError, match="--on-lost"):
        pipeline.faces(photo, tmp_path / "sheet.png", on_lost="run")  # type: ignore[arg-type]


def keyframe(frame: int, x: float, how: Any = "detected") -> Keyframe:
    return Keyframe(frame, Box(x, 10, x + 20, 30), USUAL_LANDMARKS, 0.9, how)


def test_pictures_are_of_frames_in_which_the_face_is_seen() -> None:
    held = [keyframe(0, 10, "held"), keyframe(9, 10, "held")]
    tracks = Tracks(
        200,
        100,
        25,
        60,
        (Track(1, [*held, keyframe(10, 20), keyframe(40, 50, "held")]),),  # type: ignore[arg-type]
    )
    frames = sheet.chosen(tracks)
    assert len(frames) == 4
    assert all(10 <= frame < 40 for frame in frames)


def test_a_face_at_the_border_is_cut_out_with_grey_around() -> None:
    picture = np.full((50, 80, 3), 7, np.uint8)
    at = Sighting(1, 0, Box(-10, -10, 10, 10), np.zeros((5, 2)), 1, "detected")
    cut = sheet.crop(picture, at)
    assert cut.shape == (sheet.SIDE, sheet.SIDE, 3)
    assert (cut[0, 0] == 128).all()
    assert (cut[-1, -1] == 7).all()


def test_many_faces_are_a_sheet_too(tmp_path: Path) -> None:
    picture = np.zeros((sheet.SIDE, sheet.SIDE, 3), np.uint8)
    entries = [sheet.Entry(i, [picture], None, False) for i in range(1, 300)]
    target = tmp_path / "s.png"
    target.write_bytes(sheet.drawn("many", entries))
    assert shown(target).shape[1] <= 1300


def test_times_are_written_as_they_are_read() -> None:
    assert clock(0) == "00:00.0"
    assert clock(59.96) == "01:00.0"
    assert clock(3725.3) == "1:02:05.3"
