"""INTERFACE.md, checked from outside: the program as a process of its own."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import jsonschema
import numpy as np
import pytest
from skimage.data import astronaut

from seethrough import __version__, pipeline
from seethrough.cli import run
from seethrough.degrade import GaussianBlur
from seethrough.image import read
from tests.standin import write_standin

Run = Callable[..., subprocess.CompletedProcess[str]]
BOX = "170,60,274,196"

AS_NOBODY = """
import os
from seethrough import cli
# All that is loaded on the way, while the interpreter's files can be read for certain.
cli.run(["degrade", "in/a.png", "-o", "warm.png", "--mosaic", "8", "--quiet", "--overwrite"])
os.setgid(65534)
os.setuid(65534)
cli.main()
"""


INTERRUPTED_AT = """
import os, signal, sys
from importlib.abc import MetaPathFinder

class Interrupt(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "{module}":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
from seethrough import cli
cli.main()
"""
LISTENING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""Before a program: tests that run in the background inherit an ignored Ctrl-C."""


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


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert "Traceback" not in done.stderr
    return [line for line in done.stderr.splitlines() if line.startswith("seethrough: error: ")]


def checked(text: str, verb: str) -> Any:
    """Parse a report and validate it against its schema."""
    report = json.loads(text)
    schema = json.loads(resources.files("seethrough").joinpath(f"schemas/{verb}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(report)
    assert report["schema"] == f"seethrough/{verb}/1"
    assert report["version"] == __version__
    return report


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
        done = program(verb, name, "-o", "out.png", *options, "--json", "-")
        assert done.returncode == 3
        (line,) = errors(done)
        assert name in line
        (record,) = checked(done.stdout, verb)["inputs"]
        assert (record["status"], record["output"]) == ("failed", None)
        assert record["reason"] in line
    assert not (tmp_path / "out.png").exists()


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


def test_a_missing_device_or_network_is_code_6(program: Run, photo: Path) -> None:
    for more in (["--weights", "none.onnx"], ["--realism", "0.5"]):
        done = program("restore", "photo.png", "-o", "out.png", "--box", BOX, "--json", "-", *more)
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


def test_an_interrupt_is_code_130_and_the_report_is_written(
    tmp_path: Path, rng: np.random.Generator, weights: str
) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "one.png"), rng.integers(0, 256, (512, 512, 3), np.uint8))
    for i in range(400):
        (tmp_path / f"in/{i:03d}.png").hardlink_to(tmp_path / "one.png")
    program = LISTENING + "from seethrough import cli; cli.main()"
    command = [
        *(sys.executable, "-c", program, "restore", "in", "-o", "out", "--aligned"),
        *("--weights", weights, "--json", "report.json"),
    ]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        limit = time.monotonic() + 60
        while not (tmp_path / "out/003.png").exists() and time.monotonic() < limit:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1
    report = checked((tmp_path / "report.json").read_text(), "restore")
    done = [r["output"] for r in report["inputs"] if r["status"] == "done"]
    assert 3 <= len(done) < 400
    written = sorted(str(p.relative_to(tmp_path)) for p in (tmp_path / "out").iterdir())
    assert set(done) <= set(written)
    assert len(written) <= len(done) + 1
    for path in written:
        assert read(tmp_path / path).pixels.shape == (128, 128, 3)


@pytest.mark.parametrize("module", ["typer", "seethrough.cli.commands", "numpy", "cv2", "PIL"])
def test_an_interrupt_while_the_program_loads_is_code_130(photo: Path, module: str) -> None:
    command = ["degrade", "photo.png", "-o", "out.png", "--mosaic", "8"]
    done = subprocess.run(
        [sys.executable, "-c", LISTENING + INTERRUPTED_AT.format(module=module), *command],
        cwd=photo.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert not (photo.parent / "out.png").exists()


def test_an_interrupt_that_is_ignored_stays_ignored(photo: Path) -> None:
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    command = ["degrade", "photo.png", "-o", "out.png", "--mosaic", "8"]
    program = ignoring + INTERRUPTED_AT.format(module="cv2")
    done = subprocess.run([sys.executable, "-c", program, *command], cwd=photo.parent, check=False)
    assert done.returncode == 0
    assert (photo.parent / "out.png").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="drops privileges, which only root can")
def test_without_permission(rng: np.random.Generator) -> None:
    """As an ordinary user: root may read and write everything."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders admit nobody else
        here = Path(name)
        here.chmod(0o777)
        for path in ("in/a.png", "in/b.png", "in/locked/c.png"):
            (here / path).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(here / path), rng.integers(0, 255, (40, 40, 3), np.uint8))
        (here / "in/b.png").chmod(0)
        (here / "in/locked").chmod(0o700)
        (here / "closed").mkdir(mode=0o555)

        def as_nobody(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-c", AS_NOBODY, *arguments],
                cwd=here,
                capture_output=True,
                text=True,
                check=False,
            )

        done = as_nobody("degrade", "in", "-o", "out", "--mosaic", "8")
        assert done.returncode == 3
        assert len(errors(done)) == 2
        assert any("b.png" in line for line in errors(done))
        assert any("locked" in line for line in errors(done))
        assert (here / "out/a.png").exists()
        for arguments in (["restore"], ["degrade", "--mosaic", "8"]):
            done = as_nobody(*arguments, "in/b.png", "-o", "b.png", "--json", "b.json")
            assert done.returncode == 3, done.stderr  # not 2: the command line is right
            assert len(errors(done)) == 1
            assert json.loads((here / "b.json").read_text())["inputs"][0]["status"] == "failed"
        done = as_nobody("degrade", "in/a.png", "-o", "closed/a.png", "--mosaic", "8")
        assert done.returncode == 5
        assert len(errors(done)) == 1
        assert list((here / "closed").iterdir()) == []


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
