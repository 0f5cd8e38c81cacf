"""Help, degrading, and command lines that are wrong: one line, code 2."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from seethrough import __version__, pipeline
from seethrough.cli import run
from seethrough.degrade import Mosaic
from seethrough.errors import UsageError
from seethrough.image import read
from seethrough.pipeline.options import RunOptions
from seethrough.session import open_session, usable_cpus

Run = Callable[..., subprocess.CompletedProcess[str]]
BOX = "170,60,274,196"


@pytest.fixture
def program(tmp_path: Path) -> Run:
    """Run the program in a folder of its own."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-m", "seethrough", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return call


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture, and a folder `in` with another one beside it."""
    (tmp_path / "in").mkdir()
    for name in ("photo.png", "in/a.png"):
        assert cv2.imwrite(str(tmp_path / name), np.full((60, 80, 3), 90, np.uint8))
    return tmp_path / "photo.png"


def test_version_and_help(program: Run) -> None:
    assert program("--version").stdout == f"seethrough {__version__}\n"
    for arguments in (["--help"], ["restore", "--help"], ["degrade", "-h"], ["info", "--help"]):
        done = program(*arguments)
        assert done.returncode == 0
        assert done.stdout.startswith("Usage: seethrough")
        assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["sharpen"],
        ["restore"],
        ["restore", "photo.png"],
        ["restore", "-o", "out.png"],
        ["restore", "photo.png", "-o"],
        ["restore", "photo.png", "-o", "out.png", "--nonsense"],
        ["restore", "photo.png", "-o", "out.png", "--threads", "two"],
        ["restore", "photo.png", "-o", "out.png", "--threads", "0"],
        ["restore", "photo.png", "-o", "out.png", "--threads", "100000"],
        ["redact", "photo.png", "-o", "out.png", "--threads", "100000"],
        ["faces", "photo.png", "-o", "out.png", "--threads", "100000"],
        ["audit", "--original", "photo.png", "--style", "solid", "-o", "r", "--threads", "100000"],
        ["degrade", "photo.png", "-o", "out.png", "--mosaic", "8", "--threads", "100000"],
        ["info", "--threads", "100000"],
        ["restore", "photo.png", "-o", "out.png", "--seed", "-1"],
        ["restore", "photo.png", "-o", "out.png", "--device", "tpu"],
        ["restore", "photo.png", "-o", "out.png", "--kind", "plate"],
        ["restore", "photo.png", "-o", "out.png", "--realism", "1.5"],
        ["restore", "photo.png", "-o", "out.png", "--realism", "nan"],
        ["restore", "photo.png", "-o", "out.png", "--realism", "1", "--weights", "photo.png"],
        ["restore", "photo.png", "-o", "out.png", "--box", "1,2,3"],
        ["restore", "photo.png", "-o", "out.png", "--box", "9,9,9,9"],
        ["restore", "photo.png", "-o", "out.png", "--landmarks", "1,2"],
        ["restore", "photo.png", "-o", "out.xyz"],
        ["restore", "photo.png", "-o", "out"],
        ["restore", "photo.png", "-o", "out.jpg", "--aligned"],
        ["restore", "photo.png", "photo.png", "-o", "out", "--box", BOX],
        ["restore", "in", "-o", "out", "--landmarks", "1,2,3,4,5,6,7,8,9,10"],
        ["restore", "photo.png", "-o", "out.png", "--json", "photo.png"],
        ["degrade", "photo.png", "-o", "out.png"],
        ["degrade", "photo.png", "-o", "out.png", "--mosaic", "eight"],
        ["degrade", "photo.png", "-o", "out.png", "--jpeg", "101"],
        ["degrade", "photo.png", "-o", "out.png", "--tool", "none"],
        ["degrade", "photo.png", "-o", "out.png", "--sampled"],
        ["degrade", "photo.png", "-o", "out.png", "--gauss", "5000"],
        ["info", "--threads", "-3"],
        ["info", "extra"],
        ["restore", "", "-o", "out.png"],
        ["restore", "photo.png", "", "-o", "out"],
        ["restore", "photo.png", "-o", ""],
        ["restore", "photo.png", "-o", "out.png", "--weights", ""],
        ["redact", "", "-o", "out.png"],
        ["redact", "photo.png", "-o", "out.png", "--tracks="],
        ["faces", "", "-o", "out.png"],
        ["degrade", "", "-o", "out.png", "--mosaic", "8"],
        ["audit", "--original", "", "--style", "solid", "-o", "r"],
        ["audit", "--original", "photo.png", "--redacted=", "-o", "r"],
        ["audit", "--original", "photo.png", "--style", "solid", "--output="],
        ["info", "--json", ""],
    ],
)
def test_a_wrong_command_line_is_one_line_and_code_2(
    photo: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process, which is what `main` calls; the next test checks a few from outside."""
    monkeypatch.chdir(photo.parent)
    asked = [] if "--json" in arguments or "out.png" not in arguments else ["--json", "report.json"]
    assert run(arguments + asked) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert re.fullmatch(r"seethrough: error: .+\. [A-Z].+\.\n", err)
    assert not (photo.parent / "report.json").exists()
    assert not (photo.parent / "out.png").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["restore", "photo.png", "-o", "out.png", "--nonsense"],
        ["restore", "photo.png", "-o", "out.jpg", "--aligned", "--json", "report.json"],
    ],
)
def test_a_wrong_command_line_from_outside(program: Run, photo: Path, arguments: list[str]) -> None:
    done = program(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("seethrough: error: ")
    assert not (photo.parent / "report.json").exists()


def test_python_takes_no_empty_name_and_not_every_number_of_threads(photo: Path) -> None:
    verbs: list[Callable[..., object]] = [
        pipeline.restore,
        pipeline.redact,
        pipeline.faces,
        lambda *names, **more: pipeline.degrade(*names, mosaic=8, **more),
        lambda *names, **more: pipeline.audit(*names, style="solid", **more),
    ]
    for verb in verbs:
        for names in (("", "out.png"), (photo, "")):
            with pytest.raises(UsageError, match="empty"):
                verb(*names)
        with pytest.raises(UsageError, match="100000 threads"):
            verb(photo, "out.png", threads=100_000)
    with pytest.raises(UsageError, match="100000 threads"):
        pipeline.info(threads=100_000)
    most = max(64, 4 * usable_cpus())
    assert RunOptions(threads=most).threads == most
    for threads in (0, most + 1):
        with pytest.raises(UsageError, match=f"{threads} threads"):
            open_session("detector", threads=threads)


def test_quiet_and_verbose_contradict_each_other(program: Run) -> None:
    done = program("restore", "photo.png", "-o", "out.png", "--quiet", "--verbose")
    assert done.returncode == 2
    assert done.stderr.startswith("seethrough: error: --quiet and --verbose")


def test_verbose_adds_the_traceback(program: Run) -> None:
    done = program("restore", "none.png", "-o", "out.png", "--verbose")
    assert done.returncode == 3
    assert done.stderr.startswith("seethrough: error: ")
    assert "Traceback" in done.stderr


def test_degrading(program: Run, photo: Path) -> None:
    done = program("degrade", "photo.png", "--mosaic", "8", "-o", "m.png", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["weights"] == []
    made = read(photo.parent / "m.png").pixels
    np.testing.assert_array_equal(made, Mosaic(8)(read(photo).pixels))


def test_random_operators_follow_the_seed(program: Run, photo: Path) -> None:
    for name, seed in (("a.png", "1"), ("b.png", "1"), ("c.png", "2")):
        assert program("degrade", "photo.png", "--x4", "--seed", seed, "-o", name).returncode == 0
    a, b, c = ((photo.parent / name).read_bytes() for name in ("a.png", "b.png", "c.png"))
    assert a == b
    assert a != c


@pytest.mark.parametrize(
    "words",
    [
        "redact photo.png -o o.png --tracks tracks.json --json tracks.json",
        "restore photo.png -o o.png --weights net.onnx --json net.onnx",
        "restore photo.png -o o.png --json o.png",
        "faces photo.png -o o.png --json tracks.json",
        "audit --original photo.png --redacted in/a.png -o r --json in/a.png",
    ],
)
def test_a_report_replaces_nothing_that_is_read_or_written(
    photo: Path,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(photo.parent)
    for name in ("tracks.json", "net.onnx"):
        Path(name).write_text("mine")
    assert run(words.split()) == 2
    assert "is an input or an output" in capsys.readouterr().err
    assert Path("tracks.json").read_text() == Path("net.onnx").read_text() == "mine"
