"""INTERFACE.md, checked from outside: the program as a process of its own."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from seethrough import __version__, pipeline
from seethrough.cli import run
from seethrough.degrade import GaussianBlur
from seethrough.errors import InputError
from seethrough.image import read
from tests.cli_program import Run, checked, errors
from tests.standin import write_standin

BOX = "170,60,274,196"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_standin(tmp_path_factory.mktemp("weights") / "standin.onnx"))


@pytest.fixture
def program(tmp_path: Path) -> Run:
    """Run the program in a folder of its own."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-m", "seethrough", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return call


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Two crops, a bad file, a hidden one and a note."""
    photos = tmp_path / "in"
    (photos / "sub").mkdir(parents=True)
    for name in ("a.png", "sub/c.jpg", ".hidden.png"):
        cv2.imwrite(str(photos / name), rng.integers(0, 200, (64, 64, 3), np.uint8))
    (photos / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (photos / "notes.txt").write_text("no picture")
    return photos


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    soft = GaussianBlur(4)(np.ascontiguousarray(astronaut()))
    cv2.imwrite(str(path), soft[..., ::-1])
    return path


# restore


def test_a_photo_is_restored(program: Run, photo: Path, weights: str) -> None:
    done = program(
        *("restore", "photo.png", "-o", "clear.png", "--box", BOX, "--weights", weights),
        *("--compare", "--json", "report.json", "--seed", "3", "--threads", "1"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    report = checked((photo.parent / "report.json").read_text(), "restore")
    (record,) = report["inputs"]
    assert (record["path"], record["output"], record["status"]) == (
        "photo.png",
        "clear.png",
        "done",
    )
    assert (record["width"], record["height"]) == (512, 512)
    (region,) = record["regions"]
    assert (region["kind"], region["status"]) == ("face", "done")
    assert region["box"] == [170, 60, 274, 196]
    assert "standin" in [used["name"] for used in report["weights"]]
    before, after = read(photo).pixels, read(photo.parent / "clear.png").pixels
    np.testing.assert_array_equal(before[:, 400:], after[:, 400:])
    assert (before[100:160, 200:240] != after[100:160, 200:240]).any(axis=2).all()
    both = read(photo.parent / "clear.compare.png").pixels
    np.testing.assert_array_equal(both, np.concatenate([before, after], axis=1))


def test_runs_repeat_exactly(program: Run, photo: Path, weights: str) -> None:
    for name in ("one.png", "two.png"):
        done = program("restore", "photo.png", "-o", name, "--box", BOX, "--weights", weights)
        assert done.returncode == 0
    assert (photo.parent / "one.png").read_bytes() == (photo.parent / "two.png").read_bytes()


def test_json_on_standard_output_stands_alone(program: Run, photo: Path, weights: str) -> None:
    done = program(
        *("restore", "photo.png", "-o", "clear.png", "--box", BOX, "--weights", weights),
        *("--json", "-", "--quiet"),
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert checked(done.stdout, "restore")["inputs"][0]["status"] == "done"


def test_a_folder_with_a_bad_file(program: Run, folder: Path, weights: str) -> None:
    done = program(
        *("restore", "in", "-o", "out", "--aligned", "--weights", weights),
        *("--json", "report.json", "--compare"),
    )
    assert done.returncode == 3
    (line,) = errors(done)
    assert "b.png" in line
    assert "2 done, 0 skipped, 1 failed" in done.stderr
    report = checked((folder.parent / "report.json").read_text(), "restore")
    assert {r["path"]: r["status"] for r in report["inputs"]} == {
        "in/a.png": "done",
        "in/b.png": "failed",
        "in/sub/c.jpg": "done",
    }
    written = {str(p.relative_to(folder.parent / "out")) for p in folder.parent.glob("out/**/*.*")}
    assert written == {"a.png", "a.compare.png", "sub/c.png", "sub/c.compare.png"}
    (folder / "b.png").unlink()
    done = program("restore", "in", "-o", "out", "--aligned", "--weights", weights)
    assert done.returncode == 5
    assert len(errors(done)) == 2
    done = program(
        "restore", "in", "-o", "out", "--aligned", "--compare", "--weights", weights, "--resume"
    )
    assert done.returncode == 0
    assert "0 done, 2 skipped, 0 failed" in done.stderr
    done = program(
        "restore", "in", "-o", "out", "--aligned", "--weights", weights, "--overwrite", "--quiet"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_code_is_that_of_the_first_failure(program: Run, folder: Path, weights: str) -> None:
    out = folder.parent / "out"
    out.mkdir()
    (out / "a.png").write_bytes(b"mine")
    done = program("restore", "in", "-o", "out", "--aligned", "--weights", weights)
    assert done.returncode == 5  # a.png exists, and comes before b.png, which is broken
    assert ["a.png" in errors(done)[0], "b.png" in errors(done)[1]] == [True, True]
    assert (out / "a.png").read_bytes() == b"mine"
    assert (out / "sub/c.png").exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (None, "none.png"),
        (b"", "empty.png"),
        (b"hello, world", "text.png"),
        (b"\x00\x00\x00\x18ftypmp42", "film.mp4"),
    ],
)
def test_inputs_that_cannot_be_read_are_code_3(
    program: Run, tmp_path: Path, content: bytes | None, name: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    for verb, options in (("restore", ["--aligned"]), ("degrade", ["--mosaic", "8"])):
        output = "out.mp4" if name == "film.mp4" and verb == "degrade" else "out.png"
        done = program(verb, name, "-o", output, *options, "--json", "-")
        assert done.returncode == 3
        (line,) = errors(done)
        assert name in line
        (record,) = checked(done.stdout, verb)["inputs"]
        assert (record["status"], record["output"]) == ("failed", None)
        assert record["reason"] in line
        assert not (tmp_path / output).exists()


def test_nothing_to_do_is_code_4(program: Run, tmp_path: Path, weights: str) -> None:
    cv2.imwrite(str(tmp_path / "clear.png"), astronaut()[..., ::-1])
    (tmp_path / "void").mkdir()
    done = program(
        *("restore", "clear.png", "-o", "out.png", "--box", BOX, "--weights", weights),
        *("--json", "-"),
    )
    assert done.returncode == 4
    assert len(errors(done)) == 1
    (record,) = checked(done.stdout, "restore")["inputs"]
    assert (record["status"], record["reason"], record["output"]) == ("skipped", "clear", None)
    assert record["regions"][0]["reason"] == "clear"
    assert not (tmp_path / "out.png").exists()
    done = program("restore", "void", "-o", "out", "--json", "-")
    assert done.returncode == 4
    assert checked(done.stdout, "restore")["inputs"] == []
    assert not (tmp_path / "out").exists()


def test_outputs_that_cannot_be_written_are_code_5(program: Run, photo: Path, weights: str) -> None:
    command = ("restore", "photo.png", "--box", BOX, "--weights", weights, "--json", "-")
    original = photo.read_bytes()
    (photo.parent / "there.png").write_bytes(b"mine")
    (photo.parent / "folder.png").mkdir()
    for out, more in (
        ("there.png", []),
        ("photo.png", ["--overwrite"]),
        ("folder.png", ["--overwrite"]),
        ("there.png/deeper.png", []),
    ):
        done = program(*command, "-o", out, *more)
        assert done.returncode == 5, out
        assert len(errors(done)) == 1
        checked(done.stdout, "restore")
    assert (photo.parent / "there.png").read_bytes() == b"mine"
    assert photo.read_bytes() == original
    done = program("degrade", "photo.png", "photo.png", "-o", "there.png", "--mosaic", "8")
    assert done.returncode in (2, 5)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_standard_output_is_code_5() -> None:
    command = [sys.executable, "-m", "seethrough", "info", "--json", "-"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 5
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("seethrough: error: standard output")


def test_a_full_disk_is_code_5_and_leaves_nothing(
    photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(photo.parent)

    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert run(["degrade", "photo.png", "-o", "out/m.png", "--mosaic", "8"]) == 5
    (line,) = capsys.readouterr().err.splitlines()
    assert "No space left on device" in line
    assert list((photo.parent / "out").iterdir()) == []


def test_a_defect_is_one_line_too(
    photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("1 / 0")

    monkeypatch.setattr(pipeline, "degrading", broken)
    assert run(["degrade", str(photo), "-o", "m.png", "--mosaic", "8"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("seethrough: error: ")
    assert "ZeroDivisionError" in line


def test_what_is_wrong_is_one_line_whatever_a_name_holds() -> None:
    error = InputError("a\nb.png  is\r\n empty\n", "check\n\nit")
    assert (error.what, error.remedy) == ("a b.png  is empty", "Check it")
    assert str(InputError("two  spaces", "stay")) == "two  spaces. Stay."


def test_a_defect_in_one_input_is_one_line_in_the_report_too(
    photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ValueError("resize.cpp:4220: error:\n> Overload resolution failed:\r\n\t>  - it\n")

    monkeypatch.chdir(photo.parent)
    monkeypatch.setattr(sys.modules["seethrough.pipeline.degrading"], "degraded", broken)
    assert run(["degrade", "photo.png", "-o", "m.png", "--mosaic", "8", "--json", "r.json"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    (record,) = checked(Path("r.json").read_text(), "degrade")["inputs"]
    assert record["reason"] == (
        "photo.png met a defect of this program (ValueError: resize.cpp:4220: error: "
        "> Overload resolution failed: >  - it)"
    )
    assert "Overload resolution failed" in line


def test_a_missing_device_or_network_is_code_6(program: Run, photo: Path) -> None:
    more = ("--weights", "none.onnx", "--json", "-")
    done = program("restore", "photo.png", "-o", "out.png", "--box", BOX, *more)
    assert done.returncode == 6, done.stderr
    assert len(errors(done)) == 1
    checked(done.stdout, "restore")


def test_a_report_that_cannot_be_written_is_code_5(program: Run, photo: Path, weights: str) -> None:
    (photo.parent / "report").mkdir()
    done = program(
        *("restore", "photo.png", "-o", "out.png", "--box", BOX, "--weights", weights),
        *("--json", "report"),
    )
    assert done.returncode == 5
    assert (photo.parent / "out.png").exists()


# info


def test_info(program: Run) -> None:
    done = program("info")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"seethrough {__version__}\n")
    assert "non-commercial" in done.stdout
    report = checked(program("info", "--json", "-").stdout, "info")
    assert "CPUExecutionProvider" in report["providers"]
    for used in report["weights"]:
        assert used["sha256"] in done.stdout
