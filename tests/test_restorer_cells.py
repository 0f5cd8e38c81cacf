"""Cells of a mosaic beside a restored face."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.data import astronaut

from seethrough.degrade import Mosaic, Within
from seethrough.geometry import tight_box
from seethrough.restorer.cells import smoothed
from seethrough.restorer.targets import Target, face_target, judged
from seethrough.types import Box, CoveredRegion, Face, Image, Operator

LANDMARKS = np.array([[204, 104], [243, 104], [226, 128], [210, 150], [241, 149]], np.float64)
CELL = 12.0
COVER = Box(156, 36, 300, 204)
"""Twelve cells across and fourteen down, well beyond the crop."""


def mosaicked(box: Box) -> Image:
    return Within(Mosaic(CELL, (0, 0)), box)(np.ascontiguousarray(astronaut()))


def target_in(picture: Image, box: Box) -> Target:
    face = face_target(Face(tight_box(LANDMARKS), LANDMARKS, 0.9))
    operator = Operator("mosaic", (CELL, CELL), (0.0, 0.0), 1.0)
    return judged(picture, face, [CoveredRegion(box, operator)], False)


def steps(picture: Image, box: Box) -> float:
    """Mean jump over the cells' upright borders, as a multiple of that between other columns."""
    rows = picture[round(box.y0) : round(box.y1)].astype(float)
    jumps = np.abs(np.diff(rows, axis=1)).mean(axis=(0, 2))
    inner = np.arange(round(box.x0), round(box.x1) - 1)
    border = (inner + 1) % CELL == 0
    return float(jumps[inner][border].mean() / (jumps[inner][~border].mean() + 1e-6))


def test_cells_around_a_face_become_smooth() -> None:
    picture = mosaicked(COVER)
    result, changed = smoothed(picture, [target_in(picture, COVER)])
    assert steps(picture, COVER) > 100
    assert steps(result, COVER) < 2
    inside = np.zeros(picture.shape[:2], bool)
    inside[36:204, 156:300] = True
    np.testing.assert_array_equal(changed, inside)
    np.testing.assert_array_equal(result[~inside], picture[~inside])
    # A cell's middle keeps its colour.
    assert np.abs(result[114, 222].astype(float) - picture[114, 222]).max() < 24


def test_what_is_clear_inside_the_box_stays() -> None:
    picture = mosaicked(COVER)
    original = np.ascontiguousarray(astronaut())
    picture[36:60, 156:180] = original[36:60, 156:180]  # the corner of a round cover
    result, changed = smoothed(picture, [target_in(picture, COVER)])
    detailed = original[36:60, 156:180].reshape(2, 12, 2, 12, 3).std(axis=(1, 3)).mean(axis=2) > 6
    assert detailed.any()
    for row, column in np.argwhere(detailed):
        cell = (
            slice(36 + 12 * row, 48 + 12 * row),
            slice(156 + 12 * column, 168 + 12 * column),
        )
        np.testing.assert_array_equal(result[cell], picture[cell])
        assert not changed[cell].any()


@pytest.mark.parametrize("box", [Box(0, 0, 512, 512), Box(216, 96, 240, 120)])
def test_other_covers_are_left_alone(box: Box) -> None:
    picture = mosaicked(box)
    target = target_in(picture, box)
    result, changed = smoothed(picture, [target])
    if box.width > 400:  # a mosaicked picture, not a mosaicked face
        assert result is picture
        assert not changed.any()
    assert changed.sum() <= box.area
