"""What errors and words advise fits what was asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from seethrough import pipeline, session
from seethrough.cli import run
from seethrough.errors import MissingPartError, NothingToDoError, UsageError
from seethrough.pipeline.inputs import FILMS_WRITTEN, plan
from seethrough.pipeline.options import RestoreOptions, numbers

OUTSIDE = [(90, 90, 99, 99)]


@pytest.fixture
def photo(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A picture of noise, in which everything is clear and nothing is a face."""
    path = tmp_path / "photo.png"
    assert cv2.imwrite(str(path), rng.integers(0, 255, (80, 80, 3), np.uint8))
    return path


def test_boxes_are_advised_where_none_were_given(photo: Path) -> None:
    out = photo.with_name("out.png")
    with pytest.raises(NothingToDoError) as caught:
        pipeline.restore(photo, out, threads=1)
    assert "--box names a region by hand" in caught.value.remedy
    points = [200, 200, 220, 200, 210, 215, 202, 225, 218, 225]
    for placed in ({"box": OUTSIDE}, {"landmarks": [points]}):
        with pytest.raises(NothingToDoError, match="outside the picture") as caught:
            pipeline.restore(photo, out, threads=1, **placed)  # type: ignore[arg-type]
        assert "--box" not in caught.value.remedy
        assert "look whether it lies where you want it" in caught.value.remedy
    with pytest.raises(NothingToDoError, match="clear") as caught:
        pipeline.restore(photo, out, box=[(0, 0, 80, 80)], threads=1)
    assert caught.value.remedy == "Nothing is written; --force restores clear ones"


def test_redact_advises_boxes_where_none_were_given(photo: Path) -> None:
    with pytest.raises(NothingToDoError) as caught:
        pipeline.redact(photo, photo.with_name("out.png"), threads=1)
    assert "--box names a face by hand" in caught.value.remedy
    (record,) = pipeline.redacting([photo], photo.with_name("out.png"), pipeline.RedactOptions())
    placed = pipeline.RedactReport("redact", (record,), placed=True)
    assert "--box" not in placed.failures[0].remedy


@pytest.mark.parametrize(
    ("source", "output", "films", "listed"),
    [
        ("a.png", "a.ppm", True, {".png", ".jpg", ".tif", ".webp"}),
        ("a.ppm", "b.ppm", True, {".png", ".jpg", ".tif", ".webp"}),
        ("a", "b.ppm", True, {".png", ".jpg", ".tif", ".webp"}),
        ("a.mp4", "a.png", True, FILMS_WRITTEN),
        ("a.mp4", "a.mp4", False, {".png", ".jpg", ".tif", ".webp"}),
    ],
)
def test_suffixes_are_advised_that_fit_the_input(
    tmp_path: Path, source: str, output: str, films: bool, listed: set[str]
) -> None:
    (tmp_path / source).write_bytes(b"x")
    with pytest.raises(UsageError, match="suffix") as caught:
        plan([tmp_path / source], tmp_path / output, films=films)
    words = caught.value.remedy.replace(",", "").split()
    assert listed <= set(words)
    assert bool(FILMS_WRITTEN & set(words)) == (listed == FILMS_WRITTEN)


def test_an_unknown_input_is_at_fault_itself(tmp_path: Path) -> None:
    """It may be a film or nothing at all: reading it says so, not the output's suffix."""
    (item,) = plan([tmp_path / "notes.txt"], tmp_path / "out.mp4", films=True)
    assert item.output.name == "out.mp4"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"landmarks": ["1,2,3"]}, "there are 3 numbers in the landmarks '1,2,3', not 10"),
        ({"box": ["5"]}, "there is 1 number in the box '5', not 4"),
        ({"box": ["1,2,3,4,5"]}, "there are 5 numbers in the box '1,2,3,4,5', not 4"),
        ({"box": ["1,2,x,4"]}, "'x' in the box '1,2,x,4' is no number"),
        ({"box": ["1,2,3,inf"]}, "'inf' in the box '1,2,3,inf' is no number"),
        ({"box": [""]}, "'' in the box '' is no number"),
    ],
)
def test_numbers_are_counted(given: dict[str, list[str]], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        RestoreOptions.of(**given)  # type: ignore[arg-type]
    assert caught.value.what == words
    assert caught.value.remedy.endswith(" numbers, commas between")


def test_numbers_are_read() -> None:
    assert numbers("the box", " 1,2.5,-3 ,4e1", 4) == (1, 2.5, -3, 40)
    assert numbers("the box", (1, 2, 3, 4), 4) == (1, 2, 3, 4)


def test_a_finished_file_is_said_to_be_finished(
    photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(photo.parent)
    command = ["degrade", "photo.png", "-o", "m.png", "--mosaic", "8", "--resume"]
    assert run(command) == 0
    assert capsys.readouterr().err == "photo.png -> m.png\n"
    assert run(command) == 0
    assert capsys.readouterr().err == "photo.png was finished earlier: m.png\n"
    assert run([*command, "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_a_file_that_is_no_network_is_to_be_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "text.png"
    path.write_text("no network")
    with pytest.raises(MissingPartError, match="cannot be loaded") as caught:
        session.open_session(path)
    assert caught.value.remedy.startswith("Check that the file is an ONNX network")
    # One that is shipped has passed its checksum: then it is the installation that does not fit.
    assets = tmp_path / "assets"
    assets.mkdir()
    shutil.copy(path, assets / "detector.onnx")
    monkeypatch.setattr(session.weight_table, "ASSETS", assets)
    with pytest.raises(MissingPartError) as caught:
        session.open_session(assets / "detector.onnx")
    assert caught.value.remedy.startswith("Install seethrough again")
