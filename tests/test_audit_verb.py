"""The verb from outside: files in, a report out."""

from __future__ import annotations

import json
import os
import stat
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import jsonschema
import numpy as np
import pytest
from skimage.data import astronaut

import seethrough
from seethrough import pipeline
from seethrough.cli import run
from seethrough.errors import MissingPartError, OutputError
from seethrough.faces import FaceDetector
from seethrough.types import Face, Image
from tests.audit_scene import StandIn, cover, covered, face, save, scene

SCHEMA = json.loads(resources.files("seethrough").joinpath("schemas/audit.json").read_text())
auditing = sys.modules["seethrough.pipeline.auditing"]
"""The module; the package has a function of its name."""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attackers that a test can predict, and a detector that knows the scene."""

    def detect(self: FaceDetector, picture: Image, *_: Any, **__: Any) -> tuple[Face, ...]:
        return (face(),) if picture.shape == scene().shape else ()

    monkeypatch.setattr(auditing, "AuditEngine", StandIn)
    monkeypatch.setattr(FaceDetector, "detect", detect)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An original and a mosaic of it, in the working folder."""
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "raw.png", scene())
    save(tmp_path / "red.jpg", covered(scene(), [cover("mosaic", 9)]), quality=90)
    return tmp_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def checked(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    jsonschema.validate(document, SCHEMA)
    return document


@pytest.mark.usefixtures("stand_in")
def test_a_pair_is_audited(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.umask(0o022)
    arguments = ["audit", "--original", "raw.png", "--redacted", "red.jpg", "-o", "report"]
    assert run([*arguments, "--json", "copy.json"]) == 0
    assert mode(files / "report") == 0o700
    for name in ("report.html", "report.json"):
        assert mode(files / "report" / name) == 0o600
    document = checked(files / "report/report.json")
    assert {**document, "seconds": 0} == {**checked(files / "copy.json"), "seconds": 0}
    assert document["verdict"] == document["inputs"][0]["verdict"] == "exposed"
    (region,) = document["inputs"][0]["regions"]
    assert region["covered"]
    assert region["operator"]["kind"] == "mosaic"
    assert region["strength"] == pytest.approx(9, abs=0.3)
    assert region["strongest"] == "A2"
    assert {a["recogniser"] for a in region["attackers"]} == {"dlib", "mobilefacenet"}
    assert all(a["upper_bound_only"] for a in region["attackers"])
    assert all(a["of_1000"]["chance"] == 0.001 for a in region["attackers"])
    assert len(document["inputs"][0]["original_sha256"]) == 64
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("raw.png -> report/report.html: The face can still be recognised")
    page = (files / "report/report.html").read_text()
    assert document["inputs"][0]["redacted_sha256"] in page


@pytest.mark.usefixtures("stand_in", "files")
def test_a_report_that_exists_is_refused_resumed_or_replaced(files: Path) -> None:
    arguments = ["audit", "--original", "raw.png", "--style", "solid", "-o", "report", "--quiet"]
    assert run(arguments) == 0
    before = (files / "report/report.html").stat().st_mtime_ns
    assert run([*arguments, "--json", "again.json"]) == 5
    assert checked(files / "again.json")["inputs"][0]["status"] == "failed"
    assert run([*arguments, "--resume", "--json", "again.json"]) == 0
    assert checked(files / "again.json")["inputs"][0]["reason"] == "finished earlier"
    assert (files / "report/report.html").stat().st_mtime_ns == before
    assert run([*arguments, "--overwrite"]) == 0
    assert (files / "report/report.html").stat().st_mtime_ns != before


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("style", "strength", "verdict", "cells"),
    [
        ("mosaic", "12", "exposed", 12),
        ("mosaic", "14px", "exposed", 6.5),
        ("blur", "0.08", "exposed", 0.08),
        ("solid", None, "not distinguishable from chance", None),
        ("mask-face", None, "not distinguishable from chance", None),
    ],
)
def test_styles_are_simulated(
    files: Path, style: str, strength: str | None, verdict: str, cells: float | None
) -> None:
    report = seethrough.audit("raw.png", "sim", style=style, strength=strength)
    (found,) = report.audits[0].faces
    assert found.verdict == verdict
    assert found.cells == (None if cells is None else pytest.approx(cells, rel=0.05))
    document = checked(files / "sim/report.json")
    assert document["inputs"][0]["redacted"] is None
    assert document["inputs"][0]["redacted_sha256"] is None
    assert style in report.audits[0].redacted


@pytest.mark.usefixtures("stand_in")
def test_a_folder_is_one_report_and_one_bad_pair_stops_no_other(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def everybody_is_one(crops: Any, pictures: Any, *_: Any) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(j for j in range(len(crops)) if j != i) for i in range(len(crops)))

    monkeypatch.setattr(auditing, "same_people", everybody_is_one)
    redacted = covered(scene(), [cover("mosaic", 9)])
    save(files / "in/a.png", scene())
    save(files / "in/b.png", scene())
    save(files / "in/c.png", scene())
    save(files / "in/d.png", np.full((64, 64, 3), 90, np.uint8))
    save(files / "out/a.png", redacted)
    save(files / "out/b.jpg", covered(scene(), [cover("mask-head")]), quality=92)
    save(files / "out/c.png", np.ascontiguousarray(redacted[:, ::-1]))
    save(files / "out/d.png", np.full((64, 64, 3), 90, np.uint8))
    arguments = ["audit", "--original", "in", "--redacted", "out", "-o", "r"]
    assert run(arguments) == 3
    document = checked(files / "r/report.json")
    by_name = {Path(entry["path"]).name: entry for entry in document["inputs"]}
    assert {name: entry["status"] for name, entry in by_name.items()} == {
        "a.png": "done",
        "b.png": "done",
        "c.png": "failed",
        "d.png": "skipped",
    }
    assert "mirrored" in by_name["c.png"]["reason"]
    assert by_name["a.png"]["verdict"] == "exposed"
    assert by_name["b.png"]["verdict"] == "not distinguishable from chance"
    (region,) = by_name["a.png"]["regions"]
    assert not any(a["upper_bound_only"] for a in region["attackers"])
    err = capsys.readouterr().err
    assert "2 done, 1 skipped, 1 failed" in err
    assert (files / "r/report.html").is_file()


@pytest.mark.usefixtures("stand_in")
def test_the_report_cannot_be_written(files: Path) -> None:
    (files / "taken").write_text("a file")
    assert run(["audit", "--original", "raw.png", "--style", "solid", "-o", "taken"]) == 5
    with pytest.raises(OutputError):
        seethrough.audit("raw.png", files / "taken/below", style="solid")
    assert (files / "taken").read_text() == "a file"


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [(KeyboardInterrupt(), 130, "interrupted"), (OutputError("the disk is full", ""), 5, "full")],
)
def test_without_its_report_nothing_is_done(
    files: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException, code: int, reason: str
) -> None:
    def write(*_: Any, **__: Any) -> None:
        raise fault

    monkeypatch.setattr(auditing.page, "write", write)
    arguments = ["audit", "--original", "raw.png", "--redacted", "red.jpg", "-o", "r"]
    assert run([*arguments, "--json", "r.json"]) == code
    document = checked(files / "r.json")
    (record,) = document["inputs"]
    assert (record["status"], record["output"]) == ("failed", None)
    assert reason in record["reason"]
    assert document["verdict"] is None


def test_missing_attackers_are_code_6(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any) -> None:
        raise MissingPartError("the weights are missing", "install seethrough again")

    monkeypatch.setattr(FaceDetector, "detect", lambda *_, **__: (face(),))
    monkeypatch.setattr(auditing, "AuditEngine", missing)
    arguments = ["audit", "--original", "raw.png", "--style", "solid", "-o", "r"]
    assert run([*arguments, "--json", "r.json"]) == 6
    assert checked(files / "r.json")["inputs"][0]["status"] == "failed"
    assert not (files / "r").exists()


def test_a_wrong_command_line_writes_nothing(files: Path) -> None:
    for wrong in (
        ["audit", "--original", "raw.png", "-o", "r"],
        ["audit", "--redacted", "red.jpg", "-o", "r"],
        ["audit", "--original", "raw.png", "--style", "mosaic", "-o", "r"],
        ["audit", "--original", "raw.png", "--redacted", "red.jpg"],
    ):
        asked = [*wrong, "--json", "r.json"]
        assert run(asked) == 2
    assert not (files / "r").exists()
    assert not (files / "r.json").exists()


@pytest.mark.usefixtures("files")
def test_the_detector_that_ships_finds_the_face(
    monkeypatch: pytest.MonkeyPatch, files: Path
) -> None:
    monkeypatch.setattr(auditing, "AuditEngine", StandIn)
    report = pipeline.audit("raw.png", "r", redacted="red.jpg")
    (found,) = report.audits[0].faces
    assert found.face.box.iou(face().box) > 0.6
    assert found.verdict == "exposed"
    assert [used.name for used in report.weights] == ["detector", "aligner"]


def test_a_small_face_that_nothing_covers_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(auditing, "AuditEngine", StandIn)
    large = np.full((900, 5200, 3), 128, np.uint8)
    large[100:612, 100:612] = astronaut()
    small = cv2.resize(astronaut(), None, fx=0.22, fy=0.22, interpolation=cv2.INTER_AREA)
    large[700 : 700 + len(small), 3000 : 3000 + len(small)] = small
    save(tmp_path / "raw.png", large)
    large[150:290, 260:390] = 0
    save(tmp_path / "red.png", large)
    report = pipeline.audit(tmp_path / "raw.png", tmp_path / "r", redacted=tmp_path / "red.png")
    hidden, bare = report.audits[0].faces
    assert (hidden.verdict, bare.verdict) == ("not distinguishable from chance", "uncovered")
    assert 15 < bare.face.box.width < 25
