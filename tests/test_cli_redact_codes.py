"""`redact` on films from a shell: the exit codes of missing parts and of what still shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest

import seethrough
from seethrough.types import Box
from tests.cli_program import checked, errors
from tests.pipeline.faces_film import box, decoded, film, tracks
from tests.pipeline.test_redact_missed import ASIDE, WIDE, black, two_heads

FRAMES = 12
BLIND = """
from pathlib import Path
from seethrough import cli
from seethrough.pipeline import redact_film
from seethrough.tracker import read_tracks
redact_film.track = lambda *_, **__: read_tracks(Path("known.json"))
cli.main()
"""
"""The program, with a tracker that sees the faces of a file alone."""


def shell(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="the device is there"
)
def test_a_missing_device_is_code_6(tmp_path: Path) -> None:
    film(tmp_path / "raw.mp4", frames=4)
    words = ["redact", "raw.mp4", "-o", "safe.mp4", "--device", "cuda", "--json", "-"]
    done = shell(tmp_path, "-m", "seethrough", *words)
    assert done.returncode == 6, done.stderr
    (line,) = errors(done)
    assert "CUDA" in line
    (record,) = checked(done.stdout, "redact")["inputs"]
    assert (record["status"], record["output"]) == ("failed", None)
    assert names(tmp_path) == {"raw.mp4"}


@pytest.mark.parametrize("network", ["detector", "second-detector"])
@pytest.mark.parametrize("damaged", [True, False])
def test_missing_and_damaged_weights_are_code_6(
    tmp_path: Path, network: str, damaged: bool
) -> None:
    installed = tmp_path / "installed"
    shutil.copytree(
        Path(seethrough.__file__).parent, installed / "seethrough", copy_function=os.symlink
    )
    weights = installed / "seethrough/assets" / f"{network}.onnx"
    weights.unlink()
    if damaged:
        weights.write_bytes(b"no network")
    (tmp_path / "work").mkdir()
    film(tmp_path / "work/raw.mp4", frames=4)
    words = ["redact", "raw.mp4", "-o", "safe.mp4", "--threads", "1", "--json", "-"]
    done = shell(tmp_path / "work", "-m", "seethrough", *words, PYTHONPATH=str(installed))
    assert done.returncode == 6, done.stderr
    (line,) = errors(done)
    assert f"the weights {network}" in line
    assert str(weights) in line
    assert ("checksum" in line) == damaged
    (record,) = checked(done.stdout, "redact")["inputs"]
    assert (record["status"], record["output"], record["verified"]) == ("failed", None, None)
    assert names(tmp_path / "work") == {"raw.mp4"}


def test_what_still_shows_with_a_given_style_is_code_7(tmp_path: Path) -> None:
    film(tmp_path / "raw.mp4", frames=FRAMES, size=WIDE, picture=two_heads)
    tracks(tmp_path / "known.json", frames=FRAMES, width=WIDE[0])
    before = names(tmp_path)
    words = ["redact", "raw.mp4", "-o", "safe.mp4", "--style", "solid", "--threads", "1"]
    done = shell(tmp_path, "-c", BLIND, *words, "--json", "-")
    assert done.returncode == 7, done.stderr
    (line,) = errors(done)
    assert "raw.mp4 could not be redacted safely" in line
    assert "kept as safe.unverified.mp4" in line
    (record,) = checked(done.stdout, "redact")["inputs"]
    assert (record["status"], record["output"], record["verified"]) == ("failed", None, False)
    assert record["unverified"] == "safe.unverified.mp4"
    assert {finding["what"] for finding in record["findings"]} == {"missed"}
    assert names(tmp_path) - before == {"safe.unverified.mp4"}
    # The one was covered; the other, which fails it, shows.
    there = box(0)
    still = Box(there.x0 + ASIDE, there.y0, there.x1 + ASIDE, there.y1)
    first = decoded(tmp_path / "safe.unverified.mp4")[0]
    assert (black(first, there), black(first, still)) == (True, False)
    # Left to the program, the style covers both.
    done = shell(tmp_path, "-c", BLIND, *words[:4], "--threads", "1")
    assert done.returncode == 0, done.stderr
    assert all(black(frame, still) for frame in decoded(tmp_path / "safe.mp4"))
