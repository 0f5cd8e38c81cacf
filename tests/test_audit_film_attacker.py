"""A4: directions that add up, mosaics laid over one another, and looks in the middle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from seethrough.auditor.attackers.film import alike, joined, movement, registered, typical, weight
from seethrough.auditor.cases import aligned, make_case
from seethrough.auditor.covers import styled_cover
from seethrough.auditor.engine import AuditEngine
from seethrough.auditor.types import Case, Odds, Reading, Sight
from seethrough.geometry import tight_box
from seethrough.types import Face
from tests.audit_film_scene import landmarks, raw


def look(index: int, style: str = "mosaic", strength: float | None = 9.0) -> Case:
    """Her face in one frame, under a grid that stands still."""
    picture, points = raw(index), landmarks(index)
    face = Face(tight_box(points), points, 0.9)
    size = None if strength is None else (strength, True)
    cover = styled_cover(style, size, face, picture.shape)
    return make_case(picture, face, cover, None, aligned(picture, face), ())


def test_directions_add_up(rng: np.random.Generator) -> None:
    truth = np.zeros((1, 64), np.float32)
    truth[0, 0] = 1
    looks = [
        {"dlib": (truth + rng.normal(0, 0.3, truth.shape)).astype(np.float32)} for _ in range(8)
    ]
    (together,) = joined(looks)["dlib"]
    assert np.linalg.norm(together) == pytest.approx(1, abs=1e-5)
    one_by_one = [float(each["dlib"][0, 0] / np.linalg.norm(each["dlib"])) for each in looks]
    assert together[0] > max(one_by_one)
    louder = [{"dlib": 100 * looks[0]["dlib"]}, *looks[1:]]
    np.testing.assert_allclose(joined(louder)["dlib"][0], together, atol=1e-5)


def distance(picture: np.ndarray, cases: Sequence[Case]) -> float:
    """Mean absolute difference from the clean face where every look is covered, in levels."""
    clean = np.mean([case.clean for case in cases], axis=0)
    under = np.logical_and.reduce([case.covered for case in cases])
    return float(np.abs(picture.astype(float) - clean)[under].mean())


def test_a_mosaic_that_moves_over_the_face_shows_more_than_any_frame() -> None:
    cases = [look(index) for index in range(8)]
    single = min(distance(case.probe, cases) for case in cases)
    mean = distance(np.mean([case.probe for case in cases], axis=0), cases)
    assert distance(registered(cases), cases) < 0.9 * mean < 0.9 * single


def test_a_grid_that_moves_along_shows_no_more_than_one_frame() -> None:
    still, moving = [look(0)] * 8, [look(index) for index in range(8)]
    np.testing.assert_array_equal(registered(still), still[0].probe)
    assert movement(still) < 0.01 < 0.3 < movement(moving) <= 1
    assert weight(still) == 1
    assert weight(moving) > 4
    assert weight([look(0, "blur", 6.0), look(1, "blur", 6.0)]) == 1


def test_weights_count(rng: np.random.Generator) -> None:
    a, b = ({"dlib": rng.normal(size=(1, 8)).astype(np.float32)} for _ in range(2))
    (towards,) = joined([a, b], [1.0, 1e6])["dlib"]
    np.testing.assert_allclose(towards, b["dlib"][0] / np.linalg.norm(b["dlib"]), atol=1e-4)


def test_only_looks_through_one_kind_of_cover_are_joined() -> None:
    cases = [look(0), look(1, "mask-face", None), look(2)]
    assert alike(cases) == [0, 2]


def reading(p: float, level: str = "A2", name: str = "dlib") -> Reading:
    return Reading(level, name, Odds(100, p, p, p), Odds(1000, p, p, p), False)  # type: ignore[arg-type]


def test_single_looks_count_as_the_one_in_the_middle() -> None:
    def seen(level: int) -> Sight:
        return Sight("A2", np.full((4, 4, 3), level, np.uint8))

    looks = [((reading(p), reading(1 - p, name="mobilefacenet")), (seen(round(100 * p)),))
             for p in (0.9, 0.1, 0.3)]  # fmt: skip
    readings, sights = typical(looks)
    assert {r.recogniser: r.of_100.p for r in readings} == {"dlib": 0.3, "mobilefacenet": 0.7}
    assert [int(sight.picture[0, 0, 0]) for sight in sights] == [30]
    even, _ = typical(looks[:2])
    assert even[0].of_100.p == 0.9  # of two in the middle, the higher


@pytest.mark.slow
def test_the_attackers_that_ship_join_frames() -> None:
    engine = AuditEngine("cpu", 1)
    cases = [look(index) for index in (0, 3, 5)]
    readings, sights = engine.read_film(cases)
    assert sorted({r.level for r in readings}) == ["A0", "A1", "A2", "A3", "A4", "A5"]
    film = [r for r in readings if r.level == "A4"]
    assert all(type(r.calibrated) is bool for r in readings)  # or JSON cannot hold it
    assert not any(r.calibrated for r in film)
    assert all(r.calibrated for r in readings if r.level != "A4")
    assert all(r.upper_bound_only for r in readings)
    assert [sight.level for sight in sights] == ["A0", "A1", "A2", "A3", "A4", "A5"]
    alone, _ = engine.read_film(cases[:1])
    assert "A4" not in {r.level for r in alone}
    painted, _ = engine.read_film([look(0, "solid", None), look(1, "solid", None)])
    assert {r.of_100.p for r in painted if r.level == "A4"} == {0.01}
    assert all(type(r.calibrated) is bool for r in painted)
