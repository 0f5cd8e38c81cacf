"""Pipes, devices, and standard streams that are closed or full."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from seethrough.cli import run
from tests.cli_program import checked, errors

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
SHELL = pytest.mark.skipif(not Path("/bin/sh").exists(), reason="no shell here")
DEGRADE = ["degrade", "photo.png", "-o", "m.png", "--mosaic", "8", "--overwrite"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a picture, where the tests are."""
    assert cv2.imwrite(str(tmp_path / "photo.png"), np.full((40, 60, 3), 90, np.uint8))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(words: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a shell does, redirections included."""
    command = f'exec "{sys.executable}" -W error -m seethrough {words}'
    return subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, check=False, timeout=120
    )


def test_a_report_goes_into_a_pipe(folder: Path) -> None:
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)  # the pipe holds a short report
    assert run([*DEGRADE, "--json", "pipe"]) == 0
    with os.fdopen(reader) as pipe:
        assert checked(pipe.read(), "degrade")["inputs"][0]["status"] == "done"
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)
    assert {path.name for path in folder.iterdir()} == {"photo.png", "m.png", "pipe"}


def test_a_report_goes_to_an_open_descriptor() -> None:
    ours, theirs = os.pipe()
    assert run([*DEGRADE, "--json", f"/dev/fd/{theirs}"]) == 0
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        checked(pipe.read(), "degrade")
    with Path("mine.json").open("w") as file:
        file.write("before\n")
        file.flush()
        assert run([*DEGRADE, "--json", f"/dev/fd/{file.fileno()}"]) == 0
    before, report = Path("mine.json").read_text().split("\n", 1)
    assert before == "before"
    checked(report, "degrade")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices")
@pytest.mark.parametrize(("minor", "code"), [(3, 0), (7, 5)])
def test_a_report_goes_to_a_device(
    minor: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """To one like /dev/null, and to one like /dev/full."""
    try:
        os.mknod("device", stat.S_IFCHR | 0o600, os.makedev(1, minor))
        Path("device").open("rb").close()
    except OSError:
        pytest.skip("no devices can be made here")
    assert run([*DEGRADE, "--json", "device"]) == code
    assert ("No space left" in capsys.readouterr().err) == (code == 5)
    assert stat.S_ISCHR(Path("device").stat().st_mode)


def test_a_pipe_that_nobody_reads_any_more_is_code_5(capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    # As bash's >(cmd) is opened: the descriptor is there, who would read has gone.
    assert run([*DEGRADE, "--json", f"/dev/fd/{theirs}"]) == 5
    os.close(theirs)
    assert "Broken pipe" in capsys.readouterr().err


def test_a_regular_file_is_still_replaced_whole(folder: Path) -> None:
    Path("report.json").write_text("an old report, much longer than nothing")
    link = Path("link.json")
    link.symlink_to("report.json")
    before = Path("report.json").stat().st_ino
    assert run([*DEGRADE, "--json", "report.json"]) == 0
    assert Path("report.json").stat().st_ino != before
    assert run([*DEGRADE, "--json", "link.json"]) == 0
    assert not link.is_symlink()


@FULL
@SHELL
@pytest.mark.parametrize("words", ["info > /dev/full", "info >&-", "--version > /dev/full"])
def test_a_result_that_nobody_can_take_is_code_5(words: str) -> None:
    done = shell(words)
    assert done.returncode == 5
    (line,) = done.stderr.splitlines()
    assert line.startswith("seethrough: error: standard output cannot be written")


@SHELL
def test_a_closed_standard_output_takes_no_report() -> None:
    done = shell("info --json - >&-")
    assert (done.returncode, len(errors(done))) == (5, 1)


@FULL
@SHELL
@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("degrade photo.png -o m.png --mosaic 8 --json -", 0),
        ("degrade none.png -o m.png --mosaic 8 --json -", 3),
        ("degrade photo.png -o m.png --nonsense", 2),
    ],
)
def test_standard_error_has_no_part_in_the_exit_code(words: str, code: int, where: str) -> None:
    done = shell(f"{words} {where}")
    assert (done.returncode, done.stderr) == (code, "")
    if code == 2:
        assert done.stdout == ""
    else:
        checked(done.stdout, "degrade")


@SHELL
def test_no_file_takes_the_place_of_a_closed_stream(folder: Path) -> None:
    """A library that writes to standard error must not write into an output."""
    words = "import os, sys; from seethrough.cli.streams import hold_streams; hold_streams(); "
    words += "sys.exit(open('new', 'w').fileno())"
    done = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -c "{words}" <&- >&- 2>&-'], check=False
    )
    assert done.returncode == 3
