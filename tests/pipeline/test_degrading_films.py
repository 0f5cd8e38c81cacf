"""`degrade` on films: the same operators in every frame, all of it or its faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seethrough import degrade as operators
from seethrough import pipeline
from seethrough.errors import NothingToDoError, UsageError
from tests.pipeline.faces_film import box, decoded, film, wall_frame


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


def test_reductions_need_faces(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="change the film's size"):
        pipeline.degrade(raw, tmp_path / "small.mp4", x4=True)
    pipeline.degrade(raw, tmp_path / "faces.mp4", x4=True, faces=True, threads=1)
    assert decoded(tmp_path / "faces.mp4").shape == decoded(raw).shape


def test_a_film_without_faces_is_not_written(tmp_path: Path) -> None:
    wall = film(tmp_path / "wall.mp4", frames=5, picture=wall_frame)
    with pytest.raises(NothingToDoError, match="no face found"):
        pipeline.degrade(wall, tmp_path / "out.mp4", faces=True, mosaic=8, threads=1)
    assert {path.name for path in tmp_path.iterdir()} == {"wall.mp4"}
