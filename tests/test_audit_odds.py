"""Odds: scores against strangers, smooth logistic models, chance, and the shipped calibration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seethrough.auditor import odds
from seethrough.auditor.types import Odds
from seethrough.types import Operator, OperatorKind


def cover(kind: OperatorKind = "mosaic", size: float | None = 8, share: float = 1.0) -> odds.Cover:
    both = None if size is None else (size, size)
    return odds.Cover(Operator(kind, both, None, 1.0), share)


FAMILIES = {"mosaic": (0.5, 1.0), "gauss": (0.25, 0.5), "box": (2.0, 0.0)}


def toy() -> odds.Calibration:
    width = odds.features("A2", cover(), np.zeros(1), 100).shape[1]
    weights = np.zeros(width)
    weights[-1] = 1.0
    model = odds.Logistic(weights, np.eye(width) * 0.01)
    key = odds.key("A2", "dlib", False)
    impostors = np.zeros((2, len(odds.impostor_features(cover()))))
    impostors[:, 0] = -0.4, math.log(0.1)
    return odds.Calibration(
        {key: {100: model, 1000: model}}, {"A1 dlib": impostors}, {"dlib": FAMILIES}, 7
    )


def test_scores_are_distances_from_strangers_in_their_spread() -> None:
    strangers = np.array([[1.0, 3.0], [0.0, 0.0]])
    assert odds.z_score(np.array([4.0, 0.0]), strangers).tolist() == [2.0, 0.0]
    assert odds.z_score(np.array([0.5]), np.array([0.3, 0.1])) == pytest.approx(2.0)


def test_tail_is_the_chance_to_beat_so_many_strangers(rng: np.random.Generator) -> None:
    z = 2.0
    best = rng.normal(size=(4000, 99)).max(axis=1)
    (ahead,) = odds.tail(np.array([z]), 100)
    assert math.exp(-math.exp(-ahead)) == pytest.approx((best < z).mean(), abs=0.03)


def test_tail_grows_with_the_score_and_shrinks_with_the_crowd() -> None:
    found = odds.tail(np.linspace(-15, 15, 301), 100)
    assert np.all(np.diff(found) >= 0)
    assert np.abs(found).max() == 12
    assert np.all(odds.tail(np.array([1.0, 3.0]), 1000) < odds.tail(np.array([1.0, 3.0]), 100))


def test_strength_is_logarithmic_and_zero_at_the_usual_length() -> None:
    assert cover("mosaic", 8).strength == 0
    assert cover("mosaic", 16).strength == 1
    assert cover("gauss", 3).strength == -1
    assert cover("solid", None).strength == 0
    square = odds.Cover(Operator("box", (31, 31), None, 1.0), 1)
    oblong = odds.Cover(Operator("box", (15.5, 62), None, 1.0), 1)
    assert oblong.strength == pytest.approx(square.strength)


def test_families_share_no_weight() -> None:
    rows = [odds.family(cover(kind, 12)) for kind in ("mosaic", "gauss", "box", "eye-bar")]
    assert (np.abs(np.array(rows)[:, :4]).sum(axis=0) == 1).all()
    assert odds.family(cover("mosaic", 12, share=0.4))[-1] == 1


def test_the_parrot_with_the_very_frame_is_told_by_the_operator_alone() -> None:
    x = odds.features("A1", cover(), None, 100)
    assert x.shape == (1, len(odds.family(cover())))


def test_context_is_told_by_what_is_left() -> None:
    x = odds.features("A5", cover("solid", None, share=0.3), np.array([1.0]), 100)
    assert x[0].tolist() == [1.0, 0.3, *odds.tail(np.ones(1), 100)]


def test_odds_and_interval_of_a_known_model() -> None:
    first, second = toy().odds("A2", "dlib", cover(), 0.7, same_frame=False)
    assert (first.people, second.people) == (100, 1000)
    (ahead,) = odds.tail(np.array([0.7]), 100)
    assert first.p == pytest.approx(1 / (1 + math.exp(-ahead)))
    assert 0 < first.low < first.p < first.high < 1
    assert second.p < first.p
    assert first.chance == 0.01


def test_strangers_of_the_parrot() -> None:
    assert toy().strangers("A1", "dlib", cover()) == pytest.approx([-0.4, 0.1])


@pytest.mark.parametrize(
    ("kind", "length", "weight"),
    [
        ("mosaic", 8, 0.5),
        ("mosaic", 16, 1.0),
        ("mosaic", 64, 2.0),  # as the strongest that was fitted, 32
        ("mosaic", 1, 0.25),  # as the weakest, 4
        ("gauss", 12, 0.25 * 2**0.5),
        ("box", 62, 2.0),
        ("eye-bar", None, 0.5),
    ],
)
def test_the_trained_attacker_counts_more_the_more_is_hidden(
    kind: OperatorKind, length: float | None, weight: float
) -> None:
    found = odds.fusion_weights({"dlib": FAMILIES}, cover(kind, length))
    assert found == {"dlib": pytest.approx(weight)}


def test_one_weight_for_all_covers() -> None:
    fusion = odds.alike({"dlib": 0.7})
    for kind, length in (("mosaic", 4), ("gauss", 9), ("box", 80), ("solid", None)):
        assert odds.fusion_weights(fusion, cover(kind, length)) == {"dlib": pytest.approx(0.7)}


def test_json_keeps_the_calibration() -> None:
    before, after = toy(), odds.from_json(odds.to_json(toy()))
    assert (after.fusion, after.people) == (before.fusion, 7)
    for z in (-1.0, 0.3, 4.0):
        for b, a in zip(
            before.odds("A2", "dlib", cover(), z, same_frame=False),
            after.odds("A2", "dlib", cover(), z, same_frame=False),
            strict=True,
        ):
            assert (a.p, a.low, a.high) == pytest.approx((b.p, b.low, b.high), abs=1e-5)


def test_chance_is_one_in_n() -> None:
    assert [(o.people, o.p, o.low, o.high) for o in odds.chance()] == [
        (100, 0.01, 0.01, 0.01),
        (1000, 0.001, 0.001, 0.001),
    ]


def test_above_chance_is_corrected_for_many_questions() -> None:
    weak = Odds(100, 0.02, 0.0105, 0.038)  # alone it would count
    assert odds.above_chance([weak]) == [True]
    assert odds.above_chance([weak] + [odds.chance()[0]] * 11) == [False] * 12
    strong = Odds(100, 0.4, 0.3, 0.5)
    assert odds.above_chance([weak, strong, Odds(100, 0.005, 0.001, 0.02)]) == [True, True, False]
    assert odds.above_chance([]) == []


def test_false_alarms_are_rare(rng: np.random.Generator) -> None:
    """Twelve readings that are right about chance, a thousand times."""
    alarms = 0
    for _ in range(1000):
        logits = math.log(0.01 / 0.99) + rng.normal(0, 0.5, 12)
        low, middle, high = (
            1 / (1 + np.exp(-(logits + side * 0.5 * odds.WIDTH))) for side in (-1, 0, 1)
        )
        alarms += any(
            odds.above_chance([Odds(100, *row) for row in zip(middle, low, high, strict=True)])
        )
    assert alarms < 80


# -- the calibration that ships ------------------------------------------------------------

KEYS = sorted(odds.calibration().models)


def split(name: str) -> tuple[str, str, bool]:
    level, recogniser, frame = name.split(" ", 2)
    return level, recogniser, frame == "same frame"


def test_every_attacker_is_calibrated_for_both_recognisers_and_galleries() -> None:
    levels = {split(name)[0] for name in KEYS}
    assert {"A0", "A1", "A2"} <= levels
    assert len(KEYS) == 4 * len(levels)


@pytest.mark.parametrize("name", KEYS)
@settings(deadline=None, max_examples=40)
@given(z=st.floats(-2, 7), size=st.floats(3, 24))
def test_odds_are_smooth_in_score_and_strength(name: str, z: float, size: float) -> None:
    level, recogniser, same = split(name)
    score = None if level == "A1" and same else z
    near = None if score is None else score + 0.02

    def of_100(length: float, value: float | None) -> Odds:
        return odds.calibration().odds(
            level,  # type: ignore[arg-type]
            recogniser,  # type: ignore[arg-type]
            cover("mosaic", length),
            value,
            same_frame=same,
        )[0]

    here = of_100(size, score)
    assert 0 <= here.low <= here.p <= here.high <= 1
    assert abs(of_100(size * 1.01, near).p - here.p) < 0.06


@pytest.mark.parametrize("name", [n for n in KEYS if split(n)[:1] != ("A1",)])
def test_a_better_score_means_better_odds(name: str) -> None:
    level, recogniser, same = split(name)
    if level == "A1" and same:
        return
    found = [
        odds.calibration().odds(
            level,  # type: ignore[arg-type]
            recogniser,  # type: ignore[arg-type]
            cover("gauss", 6, 0.5 if level == "A5" else 1),
            z,
            same_frame=same,
        )
        for z in (0.0, 2.0, 4.0, 6.0)
    ]
    assert np.all(np.diff([each[0].p for each in found]) > 0)
    assert found[-1][0].p >= found[-1][1].p
