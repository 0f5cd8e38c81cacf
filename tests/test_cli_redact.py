"""`redact` from outside: exit codes, words, reports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from seethrough import pipeline
from seethrough.cli import run
from seethrough.image import read
from seethrough.pipeline import redact_photo
from tests.cli_program import Run, checked, errors
from tests.pipeline.test_redact_photos import failing


@pytest.fixture
def program(tmp_path: Path) -> Run:
    """Run the program in a folder of its own."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-m", "seethrough", "redact", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return call


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "photo.png"), astronaut()[..., ::-1])
    return tmp_path / "photo.png"


@pytest.fixture
def noise(tmp_path: Path, rng: np.random.Generator) -> Path:
    cv2.imwrite(str(tmp_path / "noise.png"), rng.integers(0, 256, (96, 96, 3), np.uint8))
    return tmp_path / "noise.png"


def test_a_photo_is_redacted(program: Run, photo: Path) -> None:
    done = program("photo.png", "-o", "safe.png", "--threads", "1", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "photo.png -> safe.png: 1 face covered (solid), verified\n"
    (record,) = checked(done.stdout, "redact")["inputs"]
    assert (record["status"], record["output"], record["verified"]) == ("done", "safe.png", True)
    assert (record["from"], record["to"]) == (None, None)
    (region,) = record["regions"]
    assert (region["kind"], region["number"], region["status"]) == ("face", 1, "done")
    assert (read(photo.parent / "safe.png").pixels[80:170, 190:260] == 0).all()


def test_a_folder_names_what_is_missing_from_the_output(
    program: Run, photo: Path, noise: Path
) -> None:
    folder = photo.parent / "in"
    (folder / "sub").mkdir(parents=True)
    photo.rename(folder / "sub/b.png")
    noise.rename(folder / "a.png")
    (folder / "notes.txt").write_text("no picture")
    done = program("in", "-o", "out", "--style", "mosaic", "--json", "report.json")
    assert done.returncode == 0, done.stderr
    warning, summary = done.stderr.splitlines()
    assert warning.startswith("seethrough: warning: mosaic does not hide who it is")
    assert summary == "1 done, 1 skipped, 0 failed; no face found in in/a.png"
    assert [p.name for p in (photo.parent / "out").rglob("*.*")] == ["b.png"]
    report = checked((photo.parent / "report.json").read_text(), "redact")
    assert [r["status"] for r in report["inputs"]] == ["skipped", "done"]
    (folder / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    done = program("in", "-o", "out", "--resume")
    assert done.returncode == 3
    assert len(errors(done)) == 1
    assert "0 done, 2 skipped, 1 failed (in/c.png); no face found in in/a.png" in done.stderr


def test_no_face_is_code_4(program: Run, noise: Path) -> None:
    done = program("noise.png", "-o", "safe.png", "--json", "-")
    assert done.returncode == 4
    (line,) = errors(done)
    assert "no face found" in line
    assert "--box" in line
    (record,) = checked(done.stdout, "redact")["inputs"]
    assert (record["status"], record["reason"]) == ("skipped", "no face found")
    assert not (noise.parent / "safe.png").exists()


@pytest.mark.parametrize("name", ["none.png", "empty.png", "text.png", "film.mp4"])
def test_inputs_that_cannot_be_read_are_code_3(program: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_bytes(b"hello, world")
    (tmp_path / "film.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42")
    done = program(name, "-o", f"safe{Path(name).suffix}", "--json", "-")
    assert done.returncode == 3
    (line,) = errors(done)
    assert name in line
    (record,) = checked(done.stdout, "redact")["inputs"]
    assert (record["status"], record["output"]) == ("failed", None)
    assert {p.name for p in tmp_path.iterdir()} == {"empty.png", "text.png", "film.mp4"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["-o", "safe.png", "--style", "pixelate"],
        ["-o", "safe.png", "--style", "mosaic", "--strength", "0"],
        ["-o", "safe.png", "--style", "blur", "--strength", "much"],
        ["-o", "safe.png", "--strength", "3"],
        ["-o", "safe.png", "--only", "1", "--keep", "2"],
        ["-o", "safe.png", "--only", "one"],
        ["-o", "safe.png", "--only", "7"],
        ["-o", "safe.png", "--box", "600,0,700,90"],
        ["-o", "safe.png", "--box", "1,2,3"],
        ["-o", "safe.png", "--from", "2", "--to", "1"],
        ["-o", "safe.png", "--to", "1"],
        ["-o", "safe.png", "--on-lost", "pray"],
        ["-o", "safe.png", "--voice", "distort"],
        ["-o", "safe.png", "--codec", "h263"],
        ["-o", "safe.png", "--crf", "99"],
        ["-o", "safe.gif"],
        ["-o", "safe.mp4"],
        ["photo.png", "-o", "out", "--box", "1,2,3,4"],
    ],
)
def test_a_wrong_command_line_is_code_2(
    photo: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(photo.parent)
    assert run(["redact", "photo.png", *arguments, "--json", "report.json"]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith("seethrough: error: ")
    assert {path.name for path in photo.parent.iterdir()} == {"photo.png"}


def test_what_still_shows_is_code_7(
    photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(photo.parent)
    monkeypatch.setattr(redact_photo, "verify_picture", failing(1.0))
    command = ["redact", "photo.png", "-o", "safe.png", "--json", "report.json"]
    assert run([*command, "--style", "safe-blur"]) == 7
    (line,) = capsys.readouterr().err.splitlines()
    assert "a detector still finds a face here at 179,59,271,176" in line
    assert "kept as safe.unverified.png" in line
    names = {path.name for path in photo.parent.iterdir()}
    assert names == {"photo.png", "safe.unverified.png", "report.json"}
    (record,) = checked((photo.parent / "report.json").read_text(), "redact")["inputs"]
    assert (record["status"], record["verified"], record["output"]) == ("failed", False, None)
    assert run(command) == 0  # the default style grows
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith("seethrough: warning: photo.png: a detector still finds a face")
    assert last == "photo.png -> safe.png: 1 face covered (solid), verified"
    (record,) = checked((photo.parent / "report.json").read_text(), "redact")["inputs"]
    assert (record["grow"], record["verified"]) == (1.25, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_without_permission_is_code_5(photo: Path) -> None:
    (photo.parent / "closed").mkdir(mode=0o755)
    photo.parent.chmod(0o755)
    program = (
        "import os\nfrom seethrough import cli\n"
        "cli.run(['redact', 'photo.png', '-o', 'warm.png', '--quiet'])\n"
        "os.setgid(65534)\nos.setuid(65534)\ncli.main()\n"
    )
    command = [sys.executable, "-c", program, "redact", "photo.png", "-o", "closed/safe.png"]
    done = subprocess.run(command, cwd=photo.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 5, done.stderr
    assert len(errors(done)) == 1
    assert list((photo.parent / "closed").iterdir()) == []


def test_a_full_disk_is_code_5_and_leaves_nothing(
    photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(photo.parent)

    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert run(["redact", "photo.png", "-o", "out/safe.png"]) == 5
    (line,) = capsys.readouterr().err.splitlines()
    assert "No space left on device" in line
    assert list((photo.parent / "out").iterdir()) == []


def test_a_defect_leaves_nothing_under_the_name(
    photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(photo.parent)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(redact_photo, "verify_picture", broken)
    assert run(["redact", "photo.png", "-o", "safe.png"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert {path.name for path in photo.parent.iterdir()} == {"photo.png"}
    assert callable(pipeline.redact)
