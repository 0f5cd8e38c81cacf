"""Options, and the styles that are not safe."""

from __future__ import annotations

import numpy as np
import pytest

from seethrough.degrade import GaussianBlur
from seethrough.errors import UsageError
from seethrough.redactor import STYLES, Coverer, StillPicture, Style
from seethrough.types import Box
from tests.redactor.scene import Seen, covered, face, under

SHAPE = (180, 240)


@pytest.mark.parametrize(
    "options",
    [
        {"name": "emoji"},
        {"name": "solid", "strength": 3},
        {"name": "mosaic", "strength": 0},
        {"name": "mosaic", "strength": float("nan")},
        {"name": "blur", "strength": 9},
        {"grow": 0},
        {"grow": float("inf")},
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Style(**options)  # type: ignore[arg-type]


def test_safe_by_default() -> None:
    assert Style().safe
    assert STYLES[0] == Style().name == "solid"
    assert [name for name in STYLES if not Style(name).safe] == ["eye-bar", "blur", "mosaic"]


@pytest.mark.parametrize("style", ["solid", "eye-bar"])
def test_paint_is_black_and_nothing_else_changes(style: str, rng: np.random.Generator) -> None:
    picture = rng.integers(1, 256, (*SHAPE, 3), np.uint8)
    seen = [face(120, 90, 50, 20)]
    result = covered(picture, seen, Style(style))
    mask = under(SHAPE, seen, Style(style))
    assert (result[mask] == 0).all()
    assert np.array_equal(result[~mask], picture[~mask])


def test_mosaic_has_as_many_cells_as_asked(rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (*SHAPE, 3), np.uint8)
    seen = [face(120, 90, 72)]
    result = covered(picture, seen, Style("mosaic", strength=6))
    row = result[90, 84:156].astype(int)
    edges = np.flatnonzero(np.abs(np.diff(row, axis=0)).sum(axis=1))
    assert 5 <= len(edges) <= 6
    assert set(np.diff(edges)) <= {12}


def test_blur_is_as_strong_as_asked(rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (*SHAPE, 3), np.uint8)
    seen = [face(120, 90, 72)]
    for strength in (0.05, 0.25):
        result = covered(picture, seen, Style("blur", strength=strength))
        expected = GaussianBlur(72 * strength)(picture)
        mask = under(SHAPE, seen, Style("blur"))
        assert np.abs(result[mask].astype(int) - expected[mask]).max() <= 2


@pytest.mark.parametrize("style", STYLES)
def test_box_that_spans_the_frame_blackens_it(style: str, rng: np.random.Generator) -> None:
    picture = rng.integers(1, 256, (*SHAPE, 3), np.uint8)
    seen = [face(120, 90, 50, track=2), Seen(Box(0.4, 0, SHAPE[1], SHAPE[0] - 1))]
    assert (covered(picture, seen, Style(style)) == 0).all()


def test_no_faces_no_patches() -> None:
    source = StillPicture(np.zeros((*SHAPE, 3), np.uint8))
    for name in STYLES:
        assert Coverer(Style(name), SHAPE, threads=1).patches(source, []) == []


def test_still_picture_leads_back(rng: np.random.Generator) -> None:
    source = StillPicture(rng.integers(0, 256, (100, 300, 3), np.uint8))
    small, (fx, fy) = source.reduced(100)
    assert small.shape == (33, 100, 3)
    assert (fx, fy) == (3, 100 / 33)
    assert source.reduced(1000)[1] == (1, 1)
