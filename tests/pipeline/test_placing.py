"""Regions placed by hand that are far larger than their picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from seethrough import pipeline
from seethrough.cli import run
from seethrough.errors import UsageError
from seethrough.geometry import template
from seethrough.pipeline.placing import MOST, check_box
from seethrough.types import Box
from tests.video.films import make

SIZE = (90, 100)  # width, height
HUGE = "-1750,-1750,1750,1750"


@pytest.fixture
def photo(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "photo.png"
    noise = rng.integers(0, 255, (*SIZE[::-1], 3), np.uint8)
    assert cv2.imwrite(str(path), cv2.GaussianBlur(noise, (0, 0), 3))
    return path


def far_landmarks(scale: float) -> list[float]:
    """Five points of a face whose tight box is that many times the longer side."""
    points = template(128)
    centred = (points - points.mean(axis=0)) * scale * max(SIZE) / 88  # the tight face is 88 high
    return [float(v) for v in (centred + 50).ravel()]


@pytest.mark.parametrize(
    "verb",
    [
        lambda a, b: pipeline.restore(a, b, box=[HUGE], threads=1),
        lambda a, b: pipeline.restore(a, b, box=[HUGE], kind="text", threads=1),
        lambda a, b: pipeline.restore(a, b, box=["0,0,20,20", "0,0,20,401"], threads=1),
        lambda a, b: pipeline.restore(a, b, landmarks=[far_landmarks(4.1)], threads=1),
        lambda a, b: pipeline.redact(a, b, box=[HUGE], style="safe-blur", threads=1),
    ],
)
def test_they_are_refused(
    photo: Path, verb: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "warpAffine", lambda *_, **__: pytest.fail("it was cut out"))
    with pytest.raises(UsageError, match=r"4 times the longer side of the picture.* 90 x 100"):
        verb(photo, photo.with_name("out.png"))
    assert not photo.with_name("out.png").exists()


def test_up_to_four_times_are_taken(photo: Path) -> None:
    side = MOST * max(SIZE)
    check_box(Box(-10, 0, side - 10, side), *SIZE)
    with pytest.raises(UsageError, match=r"the box 0,0,1,400\.5 is larger"):
        check_box(Box(0, 0, 1, side + 0.5), *SIZE)
    near = far_landmarks(3.9)
    report = pipeline.restore(
        photo, photo.with_name("out.png"), landmarks=[near], force=True, threads=1
    )
    assert report.records[0].status == "done"


@pytest.mark.parametrize("verb", ["restore", "redact"])
def test_those_of_films_too(tmp_path: Path, verb: str) -> None:
    make(tmp_path / "clip.mp4", frames=3, size=(96, 64))
    with pytest.raises(UsageError, match="96 x 64 pixels"):
        getattr(pipeline, verb)(tmp_path / "clip.mp4", tmp_path / "out.mp4", box=[HUGE], threads=1)
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4"}


@pytest.mark.parametrize("verb", ["restore", "redact"])
def test_the_command_line_says_so_in_one_line(
    photo: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = photo.with_name("out.png"), photo.with_name("r.json")
    words = [verb, str(photo), "-o", str(out), f"--box={HUGE}", "--json", str(report)]
    assert run([*words, "--threads", "1"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"seethrough: error: the box {HUGE} is larger than 4 times")
    assert not report.exists()
