"""A mosaic over part of a face, carried on around it."""

from __future__ import annotations

import numpy as np
import pytest

from seethrough import degrade
from seethrough.geometry import crop, similarity, template
from seethrough.restorer import Restorer
from seethrough.restorer.completion import completed
from seethrough.types import Box, CoveredRegion, Face, Operator

IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])


def photo(side: int = 128) -> np.ndarray:
    """Something with detail everywhere, so that no clear cell is flat by chance."""
    rng = np.random.default_rng(5)
    ramp = np.linspace(40, 180, side)
    noise = rng.normal(0, 25, (side, side, 3))
    return np.clip(ramp[:, None, None] + ramp[None, :, None] / 4 + noise, 0, 255).astype(np.uint8)


def cover(box: Box, cell: float, phase: tuple[float, float]) -> CoveredRegion:
    """As the finder reports it: grid lines at ``phase + k * cell``."""
    return CoveredRegion(box, Operator("mosaic", (cell, cell), phase, 1.0, None))


@pytest.mark.parametrize("cell", [8, 9.3])
def test_the_mosaic_goes_on_around_the_cover(cell: float) -> None:
    clean, box = photo(), Box(32, 24, 32 + int(6 * cell), 24 + int(7 * cell))
    given = degrade.Within(degrade.Mosaic(cell), box, cropped=True)(clean)
    found = completed(given, IDENTITY, cover(box, cell, (box.x0 % cell, box.y0 % cell)))
    assert found is not None
    whole, covered = found
    expected = degrade.Mosaic(cell, (-box.x0 % cell, -box.y0 % cell))(clean)
    inner = np.s_[28 : int(box.y1) - 4, 36 : int(box.x1) - 4]
    np.testing.assert_array_equal(whole[inner], given[inner])
    assert np.abs(whole.astype(int) - expected)[4:-4, 4:-4].mean() < 2
    assert whole.shape == (128, 128, 3)
    assert whole.dtype == np.uint8
    assert covered.dtype == np.float32
    assert covered[inner].min() > 0.95
    assert covered[:20].max() < 0.05
    assert covered[:, :28].max() < 0.05


def test_a_cell_cut_by_the_cover_has_its_covered_colour() -> None:
    clean, box = photo(), Box(36, 36, 100, 100)  # in the middle of cells of 16 px, at 0, 16 ...
    given = degrade.Within(degrade.Mosaic(16), box)(clean)
    found = completed(given, IDENTITY, cover(box, 16, (0, 0)))
    assert found is not None
    expected = degrade.Mosaic(16)(clean)
    np.testing.assert_array_equal(found[0][34, 50], expected[36, 50])  # outside, in a cut cell
    assert found[1][34, 50] < 0.5 < found[1][40, 50]


def test_what_is_clear_within_the_box_is_told_apart() -> None:
    clean, box = photo(), Box(24, 24, 104, 104)
    round_one = degrade.Within(degrade.Mosaic(8), degrade.Ellipse.inscribed(box))(clean)
    found = completed(round_one, IDENTITY, cover(box, 8, (0, 0)))
    assert found is not None
    assert found[1][64, 64] > 0.95
    assert found[1][28, 28] < 0.05


def test_in_a_large_turned_photo() -> None:
    clean, cell = photo(400), 25
    box = Box(150, 125, 300, 275)
    given = degrade.Within(degrade.Mosaic(cell), box, cropped=True)(clean)
    angle, scale = 0.1, 0.4
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, 64 - turn @ [225, 200]])
    found = completed(given, matrix, cover(box, cell, (0, 0)))
    assert found is not None
    expected = crop(degrade.Mosaic(cell)(clean), matrix, 128)
    assert np.abs(found[0].astype(int) - expected).mean() < 0.5


@pytest.mark.parametrize(
    ("box", "cell", "kind"),
    [
        (Box(0, 0, 128, 128), 8, "mosaic"),  # nothing is left clear
        (Box(32, 24, 96, 104), 1, "mosaic"),  # gone once the crop is cut
        (Box(32, 24, 96, 104), 32, "mosaic"),  # six cells: the surroundings say more
        (Box(32, 24, 96, 104), 8, "gauss"),
        (Box(500, 500, 600, 600), 8, "mosaic"),  # elsewhere
    ],
)
def test_there_is_not_always_something_to_carry_on(box: Box, cell: int, kind: str) -> None:
    given = degrade.Mosaic(8)(photo())
    region = cover(box, cell, (0, 0))
    operator = Operator(kind, region.operator.size, (0, 0), 1.0, None)  # type: ignore[arg-type]
    assert completed(given, IDENTITY, CoveredRegion(box, operator)) is None


def test_a_picture_is_restored_from_both_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lay under the mosaic is that of the crop that it covers all of."""
    seen = []

    def network(self: Restorer, crops: np.ndarray, kinds: list[str]) -> np.ndarray:
        seen.append((crops.copy(), list(kinds)))
        result = np.empty_like(crops)
        result[0], result[1:] = 40, 200
        return result

    monkeypatch.setattr(Restorer, "restore_crops", network)
    box = Box(32, 24, 96, 104)
    given = degrade.Within(degrade.Mosaic(8), box, cropped=True)(photo())
    marks = template(128)
    face = Face(Box(28, 36, 100, 124), marks, 1.0)
    found = Restorer(threads=1).restore_picture(
        given, faces=[face], covered=[cover(box, 8, (0, 0))], force=True
    )
    (crops, kinds), whole = seen[0], completed(given, similarity(marks, 128), cover(box, 8, (0, 0)))
    assert whole is not None
    assert kinds == ["face", "face"]
    np.testing.assert_array_equal(crops[1], whole[0])
    inside, outside = np.s_[40:90, 44:84], np.s_[8:14, 8:120]
    change = found.picture.astype(int) - given
    assert np.abs(change[outside]).max() == 0
    assert found.synthesised[inside].all()
    assert np.ptp(found.picture[inside]) < 60  # of the second crop alone, its colour matched


def test_a_crop_beyond_the_picture_has_nothing() -> None:
    matrix = IDENTITY.copy()
    matrix[:, 2] = 4000
    assert completed(photo(), matrix, cover(Box(0, 0, 64, 64), 8, (0, 0))) is None
