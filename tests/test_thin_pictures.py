"""Pictures a pixel or two wide go through every verb."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from seethrough import pipeline
from seethrough.errors import NothingToDoError
from seethrough.image import read
from seethrough.operators import find_covered

SIZES = [(1, 3000), (3000, 1), (2, 3000), (1, 1), (1, 40_000)]
VERBS: dict[str, Callable[..., Any]] = {
    "face": lambda a, b: pipeline.restore(a, b, kind="face", threads=1),
    "text": lambda a, b: pipeline.restore(a, b, kind="text", threads=1),
    "auto": lambda a, b: pipeline.restore(a, b, threads=1),
    "redact": lambda a, b: pipeline.redact(a, b, threads=1),
    "faces": lambda a, b: pipeline.faces(a, b, threads=1),
    "degrade": lambda a, b: pipeline.degrade(a, b, mosaic=8, faces=True, threads=1),
}


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def thin(request: pytest.FixtureRequest, tmp_path: Path, rng: np.random.Generator) -> Path:
    width, height = request.param
    path = tmp_path / "thin.png"
    assert cv2.imwrite(str(path), rng.integers(0, 255, (height, width, 3), np.uint8))
    return path


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_found_in_a_thin_picture(thin: Path, verb: str) -> None:
    with pytest.raises(NothingToDoError, match="found"):
        VERBS[verb](thin, thin.with_name("out.png"))
    assert not thin.with_name("out.png").exists()


def test_a_box_in_a_thin_picture_is_covered(thin: Path) -> None:
    target = thin.with_name("out.png")
    report = pipeline.redact(thin, target, box=[(0, 0, 1, 1)], threads=1)
    assert [region.status for region in report.records[0].regions] == ["done"]
    assert (read(target).pixels[0, 0] == 0).all()


def test_a_thin_picture_is_degraded(thin: Path) -> None:
    target = thin.with_name("out.png")
    pipeline.degrade(thin, target, mosaic=8, gauss=2, motion=(9, 30), jpeg=50, eye_bar=True)
    assert read(target).pixels.shape == read(thin).pixels.shape


@pytest.mark.parametrize("shape", [(3000, 1), (1, 3000), (5000, 4)])
def test_no_cover_is_found_in_a_flat_strip(shape: tuple[int, int]) -> None:
    assert find_covered(np.full((*shape, 3), 90, np.uint8)) == ()
