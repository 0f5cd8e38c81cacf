"""Covers of real tools in photos: where a cover over no face goes, and what counts as made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import tools
from seethrough import geometry
from seethrough.errors import InputError
from seethrough.types import Box, Face

FACE = Face(Box(80, 70, 170, 180), geometry.upright_landmarks(Box(80, 70, 170, 180)), 1.0)


@given(seed=st.integers(0, 10_000))
def test_a_cover_over_no_face_touches_none(seed: int) -> None:
    box = tools.elsewhere(FACE.box, (FACE,), (250, 250, 3), np.random.default_rng(seed))
    if box is None:
        return
    assert box.intersection(FACE.box) <= 0.02 * box.area
    x0, y0, x1, y1 = box.as_tuple()
    assert min(x0, y0) >= 0
    assert max(x1, y1) <= 250
    assert box.width / box.height == pytest.approx(FACE.box.width / FACE.box.height)


def test_there_is_often_room() -> None:
    boxes = [
        tools.elsewhere(FACE.box, (FACE,), (250, 250, 3), np.random.default_rng(seed))
        for seed in range(20)
    ]
    assert sum(box is not None for box in boxes) > 10


def test_a_face_that_fills_the_photo_leaves_no_room() -> None:
    whole = Face(Box(0, 0, 100, 120), FACE.landmarks, 1.0)
    rng = np.random.default_rng(0)
    assert tools.elsewhere(whole.box, (whole,), (120, 100, 3), rng) is None


def test_missing_portraits_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="photos is missing"):
        next(tools.portraits(tmp_path))
