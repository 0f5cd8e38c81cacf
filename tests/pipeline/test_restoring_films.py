"""``restore`` on films."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import av
import cv2
import jsonschema
import numpy as np
import pytest
from skimage import data

from seethrough import pipeline
from seethrough.degrade import Mosaic
from seethrough.errors import InputError, NothingToDoError, UsageError
from seethrough.pipeline import RestoreOptions, restoring
from seethrough.restorer import Restorer
from seethrough.restorer.following import Follower
from seethrough.restorer.targets import face_target
from seethrough.restorer.tracks import Sight, smoothed, steadied
from seethrough.restorer.tracks_file import read_courses, write_courses
from seethrough.types import Box, CoveredRegion, Face, Image, Operator
from seethrough.video import FilmReader, transcode
from tests.standin import write_standin
from tests.video import films

FRAMES = 22
SIZE = (256, 192)
STEP = 2  # px by which the face moves to the right from frame to frame


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_standin(tmp_path_factory.mktemp("weights") / "standin.onnx")


@pytest.fixture(scope="module")
def portrait() -> Image:
    astronaut = data.astronaut()[0:300, 80:380]
    return np.asarray(cv2.resize(astronaut, (190, 190), interpolation=cv2.INTER_AREA), np.uint8)


def moving(portrait: Image, cell: int | None) -> Any:
    """A portrait that moves, its face under a mosaic whose grid stands still."""

    def picture(index: int, width: int, height: int) -> Image:
        canvas = np.full((height, width, 3), 90, np.uint8)
        canvas[1:191, 10 + STEP * index : 200 + STEP * index] = portrait
        if cell is not None:
            left = 10 + STEP * index + 60
            canvas[30:124, left : left + 80] = Mosaic((cell, cell))(canvas)[
                30:124, left : left + 80
            ]
        return canvas

    return picture


@pytest.fixture(scope="module")
def covered(tmp_path_factory: pytest.TempPathFactory, portrait: Image) -> Path:
    path = tmp_path_factory.mktemp("film") / "in.mp4"
    return films.make(
        path, frames=FRAMES, size=SIZE, picture=moving(portrait, 7), sound="aac",
        metadata={"title": "Portrait"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def restored(covered: Path, weights: Path) -> tuple[Path, pipeline.Report]:
    out = covered.with_name("out.mp4")
    report = pipeline.restore(covered, out, weights=weights, compare=True, threads=1)
    return out, report


def test_a_covered_face_is_restored_in_every_frame_and_nothing_else(covered, restored):
    out, report = restored
    (record,) = report.records
    (region,) = record.regions
    assert region.status == "done"
    assert region.operator.kind == "mosaic"
    assert region.operator.size == pytest.approx((7, 7), abs=0.2)
    assert region.span == pytest.approx((0, FRAMES / 25))
    before, after = (list(FilmReader(path)) for path in (covered, out))
    assert [frame.time for frame in after] == [frame.time for frame in before]
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        change = new.picture().astype(int) - old.picture()
        middle = 10 + STEP * index + 100
        # The stand-in adds 25 levels, of which the rim's colour takes some off.
        assert np.abs(change[60:100, middle - 15 : middle + 15]).mean() > 4
        change[10:144, middle - 60 : middle + 60] = 0
        assert np.abs(change).mean() < 1.5


def test_the_dial_turns_a_film_and_its_report(covered, tmp_path):
    found = {}
    for dial in (0.0, 1.0):
        out = tmp_path / f"{dial:g}.mp4"
        report = pipeline.restore(covered, out, realism=dial, threads=1)
        used = [weights["name"] for weights in report.as_dict()["weights"]]
        assert ("realistic" in used) == (dial > 0)
        found[dial] = np.stack([frame.picture().astype(int) for frame in FilmReader(out)])
    change = np.abs(found[1.0] - found[0.0])
    assert change[:, 40:110, 80:110].mean() > 2.5
    assert change[:, 150:].mean() < 1.0  # the encoder's


def test_sound_and_tags_stay_and_the_film_says_what_it_is(covered, restored):
    out, _ = restored
    assert films.packets_of(out, "audio") == films.packets_of(covered, "audio")
    with av.open(str(out)) as container:
        assert container.metadata["title"] == "Portrait"
        assert "not evidence" in container.metadata["comment"]


def test_the_comparison_shows_both(covered, restored):
    out, _ = restored
    both = FilmReader(out.with_name("out.compare.mp4"))
    assert (both.info.width, both.info.height) == (2 * SIZE[0], SIZE[1])
    for frame, old, new in zip(both, FilmReader(covered), FilmReader(out), strict=True):
        picture = frame.picture().astype(int)
        assert np.abs(picture[:, : SIZE[0]] - old.picture()).mean() < 3
        assert np.abs(picture[:, SIZE[0] :] - new.picture()).mean() < 3


def test_the_report_keeps_its_schema(restored):
    _, report = restored
    schema = json.loads((files("seethrough") / "schemas" / "restore.json").read_text())
    written = report.as_dict()
    jsonschema.validate(written, schema)
    (region,) = written["inputs"][0]["regions"]
    assert (region["from"], region["to"]) == (0, pytest.approx(FRAMES / 25))
    assert region["consistency_db"] is not None


def test_frames_are_told(covered, weights, tmp_path):
    told: list[tuple[str, int, int | None]] = []

    class Listener:
        def step(self, stage: str, done: int, total: int | None) -> None:
            told.append((stage, done, total))

        def warn(self, words: str) -> None:
            raise AssertionError(words)

    run = restoring([covered], tmp_path / "out.mp4", RestoreOptions(weights=weights, threads=1))
    run.progress.listener = Listener()
    run.finish()
    for stage in ("find", "restore"):
        steps = [(done, total) for name, done, total in told if name == stage]
        assert steps == [(index + 1, FRAMES) for index in range(FRAMES)]


def test_a_clear_film_is_left_alone(portrait, weights, tmp_path):
    film = films.make(tmp_path / "in.mp4", frames=3, size=SIZE, picture=moving(portrait, None))
    with pytest.raises(NothingToDoError, match="clear"):
        pipeline.restore(film, tmp_path / "out.mp4", weights=weights, threads=1)
    plain = films.make(tmp_path / "plain.mp4", frames=3)
    with pytest.raises(NothingToDoError, match="no face found"):
        pipeline.restore(plain, tmp_path / "new/out.mp4", weights=weights, threads=1)
    with pytest.raises(NothingToDoError, match="--box"):
        pipeline.restore(plain, tmp_path / "out.mp4", weights=weights, kind="text", threads=1)
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp4", "plain.mp4"}


def test_a_face_is_restored_from_its_first_frame_to_its_last(portrait, weights, tmp_path):
    picture = moving(portrait, 7)

    def shots(index: int, width: int, height: int) -> Image:
        """Another shot before the face, and another after it: both between two searches."""
        if 6 <= index < 24:
            return picture(index - 6, width, height)
        return films.scene(index, width, height)

    # The frames before the face are shown twice as long as the others.
    stamps = [2 * frame if frame < 6 else 6 + frame for frame in range(32)]
    film = films.make(tmp_path / "in.mp4", frames=32, size=SIZE, picture=shots, stamps=stamps)
    report = pipeline.restore(film, tmp_path / "out.mp4", weights=weights, threads=1)
    done = [r for r in report.records[0].regions if r.status == "done"]
    assert [region.span for region in done] == [pytest.approx((12 / 25, 30 / 25))]
    for old, new in zip(FilmReader(film), FilmReader(tmp_path / "out.mp4"), strict=True):
        middle = 10 + STEP * (old.index - 6) + 100
        change = (new.picture().astype(int) - old.picture())[60:100, middle - 15 : middle + 15]
        assert (change.mean() > 4) == (6 <= old.index < 24), old.index


def test_a_missing_comparison_is_made_alone(covered, restored, weights, tmp_path):
    target = tmp_path / "out.mp4"
    target.write_bytes(restored[0].read_bytes())
    before = target.stat().st_mtime_ns
    pipeline.restore(covered, target, weights=weights, threads=1, compare=True, resume=True)
    assert target.stat().st_mtime_ns == before
    assert FilmReader(tmp_path / "out.compare.mp4").info.width == 2 * SIZE[0]


def test_sound_that_cannot_be_kept_is_refused_before_the_work(weights, tmp_path, monkeypatch):
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing should have been searched")

    monkeypatch.setattr(Follower, "__call__", never)
    film = films.make(tmp_path / "in.mov", frames=2, size=SIZE, sound="pcm_mulaw")
    with pytest.raises(UsageError, match="pcm_mulaw"):
        pipeline.restore(film, tmp_path / "out.mp4", weights=weights, threads=1)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mov"]


def test_placed_boxes_stand_still(weights, tmp_path):
    film = films.make(tmp_path / "in.mp4", frames=12, size=SIZE)
    report = pipeline.restore(
        film, tmp_path / "out.mp4", weights=weights, threads=1, box=["90,40,150,110"], force=True
    )
    (region,) = report.records[0].regions
    assert region.box.as_tuple() == (90, 40, 150, 110)
    for old, new in zip(FilmReader(film), FilmReader(tmp_path / "out.mp4"), strict=True):
        change = np.abs(new.picture().astype(int) - old.picture()).mean(axis=-1)
        assert change[60:90, 105:135].mean() > 8
        assert change[:, :40].mean() < 3


def test_films_and_photos_are_taken_from_one_folder(portrait, weights, tmp_path):
    (tmp_path / "in").mkdir()
    films.make(tmp_path / "in/film.avi", frames=2, size=SIZE, codec="mpeg4")
    (tmp_path / "in/bad.mp4").write_bytes(b"no film")
    cv2.imwrite(str(tmp_path / "in/photo.png"), cv2.GaussianBlur(portrait, (0, 0), 3)[..., ::-1])
    with pytest.raises(InputError, match=r"bad\.mp4"):
        pipeline.restore(tmp_path / "in", tmp_path / "out", weights=weights, threads=1)
    assert (tmp_path / "out/photo.png").is_file()
    assert not (tmp_path / "out/film.mkv").exists()


def test_a_run_that_stopped_is_resumed(covered, restored, weights, tmp_path, monkeypatch):
    monkeypatch.setattr(transcode, "__kwdefaults__", {**transcode.__kwdefaults__, "segment": 5})
    whole = tmp_path / "whole.mp4"
    pipeline.restore(covered, whole, weights=weights, threads=1)
    calls = []
    original = Restorer.patches

    def patches(self: Restorer, picture: Image, targets: Any) -> Any:
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return original(self, picture, targets)

    monkeypatch.setattr(Restorer, "patches", patches)
    target = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt):
        pipeline.restore(covered, target, weights=weights, threads=1)
    assert not target.exists()
    calls[:] = [1] * 10

    def again(*_: Any, **__: Any) -> None:
        raise AssertionError("what the first pass has seen was kept")

    monkeypatch.setattr(Follower, "__call__", again)
    pipeline.restore(covered, target, weights=weights, threads=1, resume=True)
    assert len(calls) == 10 + FRAMES - 5
    assert target.read_bytes() == whole.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"whole.mp4", "out.mp4"}


def test_smoothing_takes_jitter_and_leaves_motion():
    time = np.arange(40.0)
    steady = np.stack([3 * time, 0.05 * time**2 - time, np.full(40, 7.0)], axis=1)
    assert np.allclose(smoothed(steady), steady)
    jitter = np.random.default_rng(3).normal(0, 1, (40, 3))
    assert np.abs(smoothed(steady + jitter) - steady)[4:-4].std() < 0.65
    assert np.array_equal(smoothed(steady[:1]), steady[:1])


def test_landmarks_are_steadied_no_further_than_they_jitter(rng):
    shape = np.array([[-30, -30], [30, -30], [0, 0], [-25, 35], [25, 35]], np.float64)
    where = np.full((40, 1, 2), 200.0)
    where[20:, 0, 0] += 60  # a head that is thrown to the side within a frame
    rows = (where + shape).reshape(40, 10)
    jittered = rows + np.repeat(rng.normal(0, 0.8, (40, 1, 2)), 5, axis=1).reshape(40, 10)
    steady = steadied(jittered)
    still = np.r_[3:13, 27:37]  # away from the ends and from the throw
    assert (steady - rows)[still].std() < 0.7 * (jittered - rows)[still].std()
    size = np.linalg.norm(shape - shape.mean(axis=0), axis=1).mean()
    assert np.abs(steady - jittered).max() < 0.1 * size
    assert np.abs(smoothed(jittered) - jittered).max() > 0.1 * size


def test_what_was_seen_is_kept_to_the_last_bit(tmp_path, rng):
    face = Face(Box(10, 20, 60, 80), rng.normal(40, 20, (5, 2)), 0.93)
    mosaic = Operator("mosaic", (7.0, 7.25), (1.5, 0.1), 0.9)
    cover = CoveredRegion(Box(5, 6, 70, 90), mosaic)
    target = replace(face_target(face), cover=cover, operator=mosaic)
    solid = CoveredRegion(Box(1, 2, 3, 4), Operator("solid", None, None, 1.0, 0.25))
    clear = replace(face_target(face), reason="clear")
    courses = (
        (
            Sight(3, rng.normal(0, 9, (5, 2)), cover, 0.93, target),
            Sight(4, rng.normal(0, 9, (5, 2)), None, 0.93),
        ),
        (Sight(0, face.landmarks, solid, 0.5, clear),),
    )
    path = tmp_path / "faces.npz"
    write_courses(courses, path)
    again = read_courses(path)
    assert again is not None
    for before, after in zip(courses, again, strict=True):
        for one, other in zip(before, after, strict=True):
            assert np.array_equal(one.landmarks, other.landmarks)
            assert (one.frame, one.cover, one.score) == (other.frame, other.cover, other.score)
            assert (one.target is None) == (other.target is None)
            if one.target is not None and other.target is not None:
                assert one.target.operator == other.target.operator
                assert one.target.reason == other.target.reason
                assert one.target.cover == other.target.cover
                assert np.array_equal(one.target.matrices[0], other.target.matrices[0])
    path.write_bytes(path.read_bytes()[:-100])
    assert read_courses(path) is None
