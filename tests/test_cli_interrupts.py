"""The program is interrupted: before it has loaded, and at work."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from seethrough.image import read
from tests.cli_program import LISTENING, checked
from tests.standin import write_standin

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


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), astronaut()[..., ::-1])
    return path


def test_an_interrupt_is_code_130_and_the_report_is_written(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    weights = str(write_standin(tmp_path / "standin.onnx"))
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
    assert len(report["inputs"]) == 400
    left = [r for r in report["inputs"] if r["reason"] == "interrupted"]
    assert f"interrupted with {len(left)} of 400 inputs left" in err
    assert {r["status"] for r in left} == {"failed"}
    done = [r["output"] for r in report["inputs"] if r["status"] == "done"]
    assert len(done) + len(left) == 400
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
    line = "seethrough: error: interrupted before anything was done. Run it again.\n"
    assert (done.returncode, done.stdout, done.stderr) == (130, "", line)
    assert not (photo.parent / "out.png").exists()


def test_an_interrupt_that_is_ignored_stays_ignored(photo: Path) -> None:
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    command = ["degrade", "photo.png", "-o", "out.png", "--mosaic", "8"]
    program = ignoring + INTERRUPTED_AT.format(module="cv2")
    done = subprocess.run([sys.executable, "-c", program, *command], cwd=photo.parent, check=False)
    assert done.returncode == 0
    assert (photo.parent / "out.png").exists()
