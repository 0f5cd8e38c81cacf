"""A face that is lost in a film, where the work is to stop then."""

from __future__ import annotations

from pathlib import Path

import pytest

from seethrough import pipeline
from seethrough.cli import run
from seethrough.errors import NothingToDoError, VerificationError
from tests.cli_program import checked
from tests.tracker.scenes import film
from tests.video.films import make

STOP = ["--on-lost", "stop", "--threads", "1", "--json", "r.json"]


@pytest.fixture(autouse=True)
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A film whose face vanishes in the middle of the picture."""
    frames = film(24, lambda i: (160, 90, 40, 0) if i < 10 else None)
    make(tmp_path / "clip.mp4", frames=24, size=(320, 180), picture=lambda i, *_: frames[i].picture)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "clip.mp4"


def test_faces_says_so_with_the_code_of_nothing_done(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["faces", "clip.mp4", "-o", "private/sheet.png", *STOP]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("seethrough: error: nothing is written for clip.mp4: a face is lost: ")
    assert "face 1 at 0." in line
    report = checked(Path("r.json").read_text(), "faces")
    (record,) = report["inputs"]
    assert (record["status"], record["output"], record["tracks"]) == ("failed", None, None)
    assert record["reason"] in line
    assert [used["name"] for used in report["weights"]] == ["detector"]
    assert {path.name for path in clip.parent.iterdir()} == {"clip.mp4", "r.json"}
    with pytest.raises(NothingToDoError, match="a face is lost"):
        pipeline.faces(clip, "sheet.png", on_lost="stop", threads=1)


def test_redact_fails_and_names_the_detector_that_looked(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["redact", "clip.mp4", "-o", "safe.mp4", *STOP]) == 7
    assert "a face is lost: face 1 at 0." in capsys.readouterr().err
    report = checked(Path("r.json").read_text(), "redact")
    assert [used["name"] for used in report["weights"]] == ["detector"]
    assert {path.name for path in clip.parent.iterdir()} == {"clip.mp4", "r.json"}
    with pytest.raises(VerificationError):
        pipeline.redact(clip, "safe.mp4", on_lost="stop", threads=1)


def test_no_detector_is_named_that_had_nothing_to_look_at(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip.write_bytes(clip.read_bytes()[:300])
    assert run(["redact", "clip.mp4", "-o", "safe.mp4", *STOP]) == 3
    assert checked(Path("r.json").read_text(), "redact")["weights"] == []
