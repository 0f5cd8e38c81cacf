"""Attackers that cover the photos they compare with: who does, with what, and what it is worth."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from skimage.data import astronaut

from seethrough import geometry
from seethrough.auditor import odds
from seethrough.auditor.attackers import Naive, Parrot, directions
from seethrough.auditor.engine import AuditEngine
from seethrough.auditor.recognisers import RECOGNISERS, Recogniser
from seethrough.auditor.space import Space, spaces, unit
from seethrough.auditor.types import Case
from seethrough.degrade import Mosaic
from seethrough.types import Image, Operator

COVERING = {"A1", "A2", "A3"}


@pytest.fixture(scope="module")
def face() -> Image:
    points = [[206.5, 107.5], [248.5, 105], [231, 131], [211, 150], [248.5, 147.5]]
    picture = np.ascontiguousarray(astronaut())
    return geometry.crop(picture, geometry.similarity(np.array(points), 128), 128)


@pytest.fixture
def engine() -> AuditEngine:
    return AuditEngine("cpu", 1)


def other_photo(face: Image) -> Image:
    return np.ascontiguousarray(np.clip(face[:, ::-1] * 0.9, 0, 255).astype(np.uint8))


def case(face: Image, references: tuple[Image, ...]) -> Case:
    covered = np.ones((128, 128), np.bool_)
    covered[:8] = False  # the context attacker has something to see
    mosaic = Mosaic(6)
    return Case(
        clean=face,
        probe=mosaic(face),
        covered=covered,
        cover=mosaic,
        operator=Operator("mosaic", (6.0, 6.0), (0.0, 0.0), 1.0),
        references=references or (face,),
        same_frame=not references,
    )


Given = dict[str, list[tuple[str, Any]]]


def watched(engine: AuditEngine) -> Given:
    """What each attacker is given as its covered gallery from now on, by recogniser."""
    given: Given = {}

    def watch(level: str, compare: Callable[..., Any]) -> Callable[..., Any]:
        def spy(name: str, read: Any, gallery: Any, covered_gallery: Any = None) -> Any:
            given.setdefault(level, []).append((name, covered_gallery))
            return compare(name, read, gallery, covered_gallery)

        return spy

    for attacker in engine._attackers:
        spy = watch(attacker.level, attacker.compare)
        attacker.compare = spy  # type: ignore[method-assign]
    return given


def test_another_photo_is_covered_as_the_face_is(engine: AuditEngine, face: Image) -> None:
    photo = other_photo(face)
    given = watched(engine)
    engine.read(case(face, (photo,)))
    got = {level: {gallery is not None for _, gallery in seen} for level, seen in given.items()}
    assert got == {level: {level in COVERING} for level in ("A0", "A1", "A2", "A3", "A5")}
    restoring = next(each for each in engine._attackers if each.level == "A2")
    expected = restoring.read(restoring.look(Mosaic(6)(photo)[None]))
    for name, gallery in given["A2"]:
        np.testing.assert_allclose(gallery, expected[name], atol=1e-4)  # type: ignore[index]


def test_the_frame_itself_is_not_covered_once_more(engine: AuditEngine, face: Image) -> None:
    given = watched(engine)
    readings, _ = engine.read(case(face, ()))
    assert all(gallery is None for seen in given.values() for _, gallery in seen)
    assert "A1" not in given  # which would compare the picture with itself
    assert {reading.level for reading in readings} >= {"A0", "A1", "A2", "A3", "A5"}


def test_films_look_for_other_photos_too(engine: AuditEngine, face: Image) -> None:
    photo = other_photo(face)
    shifted = [np.roll(face, shift, axis=1) for shift in (-1, 0, 1)]
    found = {}
    for name, references in (("same", ()), ("other", (photo,))):
        readings, sights = engine.read_film([case(each, references) for each in shifted])
        joined = [reading for reading in readings if reading.level == "A4"]
        assert {reading.recogniser for reading in joined} == set(RECOGNISERS)
        assert all(reading.upper_bound_only == (name == "same") for reading in joined)
        assert any(sight.level == "A4" for sight in sights)
        found[name] = max(reading.of_100.p for reading in joined)
    assert all(p > 0.1 for p in found.values())


def test_a_photo_is_looked_for_between_itself_and_its_covered_self(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flat = Space(np.zeros(3, np.float32), np.zeros((0, 3), np.float32))
    monkeypatch.setattr("seethrough.auditor.attackers.base.spaces", lambda: {"dlib": flat})
    x, y, _ = np.eye(3, dtype=np.float32)[:, None]
    assert directions("dlib", x, x)[0, 0] == pytest.approx(1)
    assert directions("dlib", x, x, y, 1.0)[0, 0] == pytest.approx(math.sqrt(0.5))
    assert directions("dlib", y, x, y, 1.0)[0, 0] == pytest.approx(math.sqrt(0.5))
    assert directions("dlib", x, x, y, 0.0)[0, 0] == pytest.approx(1)
    both = unit(x + np.float32(0.75) * y)
    assert directions("dlib", both, x, y)[0, 0] == pytest.approx(1, abs=1e-6)


def test_a_parrot_needs_covered_photos(face: Image) -> None:
    recognisers = [Recogniser("dlib", "cpu", 1)]
    described = recognisers[0].describe(face[None])
    with pytest.raises(ValueError, match="covered photos"):
        Parrot(recognisers).compare("dlib", described, described)
    near = Parrot(recognisers).compare("dlib", described, described + 9, described)
    assert near[0, 0] == pytest.approx(0, abs=1e-3)
    assert Naive(recognisers).compare("dlib", described, described + 9, described)[0, 0] < -1


def test_all_that_cover_have_strangers_in_the_asset() -> None:
    found = odds.calibration()
    for level in sorted(COVERING):
        for name in RECOGNISERS:
            cover = odds.Cover(Operator("mosaic", (8.0, 8.0), None, 1.0), 1.0)
            mean, spread = found.strangers(level, name, cover)  # type: ignore[arg-type]
            assert np.isfinite(mean)
            assert 0 < spread < 1
    assert spaces().keys() == set(RECOGNISERS)


@pytest.mark.parametrize(("kind", "strongest"), [("mosaic", 32.0), ("gauss", 18.0), ("box", 94.0)])
def test_nothing_is_extrapolated_past_the_strongest_cover(kind: str, strongest: float) -> None:
    def cover(length: float) -> odds.Cover:
        return odds.Cover(Operator(kind, (length, length), None, 1.0), 1.0)  # type: ignore[arg-type]

    assert cover(4 * strongest).strength == cover(strongest).strength
    assert cover(strongest / 2).strength < cover(strongest).strength
    features = [odds.impostor_features(cover(length)) for length in (strongest, 4 * strongest)]
    np.testing.assert_array_equal(*features)
    # A parabola is held at its other end too.
    np.testing.assert_array_equal(
        odds.impostor_features(cover(1.0)), odds.impostor_features(cover(1.2))
    )
