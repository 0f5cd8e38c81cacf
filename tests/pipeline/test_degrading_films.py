"""`degrade` on films: the same operators in every frame, all of it or its faces."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from seethrough import degrade as operators
from seethrough import pipeline
from seethrough.errors import NothingToDoError
from seethrough.pipeline import degrading_films
from seethrough.pipeline.film_parts import Workshop
from seethrough.tracker import Tracks, read_tracks
from seethrough.types import Box
from seethrough.video import transcoding
from tests.pipeline.faces_film import box, decoded, film, tracks, wall_frame
from tests.video.films import stamps_of


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("raw") / "raw.mp4")


def test_every_frame_is_degraded_alike(raw: Path, tmp_path: Path) -> None:
    report = pipeline.degrade(raw, tmp_path / "m.mp4", mosaic=8, threads=1)
    (record,) = report.records
    assert (record.status, record.width, record.height) == ("done", 192, 128)
    before, after = decoded(raw), decoded(tmp_path / "m.mp4")
    assert len(before) == len(after) == 20
    for clean, cells in zip(before, after, strict=True):
        expected = operators.Mosaic(8)(np.ascontiguousarray(clean))
        assert np.abs(cells.astype(int) - expected).mean() < 4  # what the encoder does
    assert {path.name for path in tmp_path.iterdir()} == {"m.mp4"}


def test_faces_are_followed_and_nothing_else_is_degraded(raw: Path, tmp_path: Path) -> None:
    report = pipeline.degrade(raw, tmp_path / "f.mp4", faces=True, gauss="15%", threads=1)
    (region,) = report.records[0].regions
    assert region.span == (0.0, 0.8)
    assert [used.name for used in report.weights] == ["detector"]
    before, after = decoded(raw).astype(int), decoded(tmp_path / "f.mp4").astype(int)
    for index in (0, 10, 19):
        x0, y0, x1, y1 = (int(edge) for edge in box(index).as_tuple())
        change = np.abs(after[index] - before[index]).mean(axis=2)
        assert change[y0:y1, x0:x1].mean() > 5
        assert change[:, x1 + 12 :].mean() < 2


def test_noise_is_new_in_every_frame_and_the_same_in_every_run(raw: Path, tmp_path: Path) -> None:
    for name in ("one.mp4", "two.mp4"):
        pipeline.degrade(raw, tmp_path / name, noise=0.2, h264=1, seed=3, threads=1)
    one, two = decoded(tmp_path / "one.mp4"), decoded(tmp_path / "two.mp4")
    np.testing.assert_array_equal(one, two)
    noise = one.astype(int) - decoded(raw)
    assert abs(np.corrcoef(noise[3, :, 150:].ravel(), noise[9, :, 150:].ravel())[0, 1]) < 0.2


def test_the_encoder_does_what_h264_asks_for(raw: Path, tmp_path: Path) -> None:
    for crf in (10, 45):
        pipeline.degrade(raw, tmp_path / f"{crf}.mp4", h264=crf, threads=1)
    assert (tmp_path / "10.mp4").stat().st_size > 2 * (tmp_path / "45.mp4").stat().st_size


def test_reductions_make_a_film_smaller_or_act_inside_faces(raw: Path, tmp_path: Path) -> None:
    pipeline.degrade(raw, tmp_path / "faces.mp4", x4=True, faces=True, threads=1)
    assert decoded(tmp_path / "faces.mp4").shape == decoded(raw).shape
    pipeline.degrade(raw, tmp_path / "small.mp4", x4=True, threads=1)
    before, after = decoded(raw), decoded(tmp_path / "small.mp4")
    frames, height, width = before.shape[:3]
    assert after.shape == (frames, *(round(side / 4) for side in (height, width)), 3)
    assert stamps_of(tmp_path / "small.mp4") == stamps_of(raw)
    for large, small in zip(before, after, strict=True):
        reduced = cv2.resize(large, (after.shape[2], after.shape[1]), interpolation=cv2.INTER_AREA)
        assert np.abs(reduced.astype(int) - small).mean() < 12


@pytest.mark.parametrize("size", [(84, 60), (50, 34)])
def test_a_reduced_film_may_have_odd_sides(tmp_path: Path, size: tuple[int, int]) -> None:
    small = film(tmp_path / "in.mp4", frames=3, size=size)
    pipeline.degrade(small, tmp_path / "out.mp4", x4=True, threads=1)
    shape = decoded(tmp_path / "out.mp4").shape[1:3]
    assert shape == tuple(max(1, round(side / 4)) for side in reversed(size))


def test_a_run_that_stopped_is_resumed(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once between its frames and its name, and once more before it is tidied up."""
    out = tmp_path / "out.mp4"
    pipeline.degrade(raw, tmp_path / "whole.mp4", faces=True, noise=0.1, threads=1)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(degrading_films, "check_output", stop)
        with pytest.raises(KeyboardInterrupt):
            pipeline.degrade(raw, out, faces=True, noise=0.1, threads=1)
    assert not out.exists()
    with monkeypatch.context() as patch:
        patch.setattr(transcoding, "transcode", stop)  # nothing is encoded again
        patch.setattr(Workshop, "discard", stop)
        with pytest.raises(KeyboardInterrupt):
            pipeline.degrade(raw, out, faces=True, noise=0.1, threads=1, resume=True)
    np.testing.assert_array_equal(decoded(out), decoded(tmp_path / "whole.mp4"))
    assert (tmp_path / ".out.mp4.parts").exists()
    pipeline.degrade(raw, out, faces=True, noise=0.1, threads=1, resume=True)
    assert {path.name for path in tmp_path.iterdir()} == {"out.mp4", "whole.mp4"}


def test_a_face_that_has_left_degrades_nothing(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Box(-90, 10, -5, 100)

    def followed(*_: object, **__: object) -> Tracks:
        return read_tracks(tracks(tmp_path / "away.json", boxes=(box(0), away)))

    monkeypatch.setattr(degrading_films, "track", followed)
    pipeline.degrade(raw, tmp_path / "out.mp4", faces=True, tool="editor-gauss", threads=1)
    last = decoded(tmp_path / "out.mp4")[-1].astype(int) - decoded(raw)[-1]
    assert np.abs(last).mean() < 2


def test_a_film_without_faces_is_not_written(tmp_path: Path) -> None:
    wall = film(tmp_path / "wall.mp4", frames=5, picture=wall_frame)
    with pytest.raises(NothingToDoError, match="no face found"):
        pipeline.degrade(wall, tmp_path / "new/deep/out.mp4", faces=True, mosaic=8, threads=1)
    assert {path.name for path in tmp_path.iterdir()} == {"wall.mp4"}


def test_the_best_quality_of_h264_is_an_operator(raw: Path, tmp_path: Path) -> None:
    pipeline.degrade(raw, tmp_path / "out.mp4", h264=0, threads=1)
    assert np.abs(decoded(tmp_path / "out.mp4").astype(int) - decoded(raw)).max() <= 2
