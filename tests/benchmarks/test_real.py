"""The real pictures' benchmark: what it says of a picture, on ones that are made up."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from benchmarks import real
from seethrough.pipeline.report import Record
from seethrough.types import Box, Region


def test_a_result_explains_its_input_where_both_agree_when_small() -> None:
    rng = np.random.default_rng(0)
    given = rng.integers(0, 256, (512, 256, 3)).astype(np.uint8)
    small = real.reduced(given)
    assert small.shape == (128, 64, 3)
    assert real.explained(given, small) == 60.0
    assert real.explained(255 - given, small) < 25


def test_small_pictures_are_not_enlarged() -> None:
    assert real.reduced(np.zeros((50, 90, 3), np.uint8)).shape == (50, 90, 3)


def test_strips_keep_every_picture() -> None:
    pictures = [np.full((20, 30, 3), level, np.uint8) for level in (0, 100, 200)]
    made = real.strip(pictures)
    assert made.shape == (20, 3 * 30 + 2 * real.MARGIN, 3)
    assert [int(made[5, x, 0]) for x in (5, 35, 45, 90)] == [0, 255, 100, 200]


@pytest.mark.parametrize("reason", [None, "clear"])
def test_a_picture_s_row_says_what_was_left(reason: str | None) -> None:
    status: Literal["done", "skipped"] = "skipped" if reason else "done"
    region = Region("face", Box(0, 0, 9, 9), None, 1.0, status, reason, None, None, 0.0)
    row = real.counted(Record(Path("/a/b.png"), None, "done", None, 9, 9, (region,)))
    assert row == {
        "picture": "b.png",
        "size": "9 x 9",
        "faces": 0 if reason else 1,
        "lines": 0,
        "left": reason or "",
    }
