"""How the audit's report says odds, covers and findings."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from seethrough.auditor.report import words
from seethrough.auditor.types import Bare, FaceAudit, Leak, Odds
from seethrough.types import Operator
from tests.audit_examples import bare, exposed, followed, picture, reading, safe


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.0, "under 1 in 2,000"),
        (0.00049, "under 1 in 2,000"),
        (0.0005, "1 in 2,000"),
        (0.001, "1 in 1,000"),
        (0.0012, "1 in 830"),
        (0.01, "1 in 100"),
        (0.031, "1 in 32"),
        (1 / 99.6, "1 in 100"),
        (0.1, "1 in 10"),
        (0.3, "1 in 3"),
        (1 / 3, "1 in 3"),
        (0.4, "1 in 3"),
        (0.401, "4 in 10"),
        (0.5, "1 in 2"),
        (0.68, "7 in 10"),
        (0.949, "9 in 10"),
        (0.95, "95 in 100"),
        (0.994, "99 in 100"),
        (1.0, "over 99 in 100"),
    ],
)
def test_odds_are_said_as_one_in_so_many(p: float, expected: str) -> None:
    assert words.one_in(p) == expected


def test_larger_odds_never_read_as_smaller() -> None:
    def value(text: str) -> float:
        part, whole = re.findall(r"[\d,]+", text)
        return float(part.replace(",", "")) / float(whole.replace(",", ""))

    said = [value(words.one_in(p)) for p in np.geomspace(0.0005, 1, 4000)]
    assert said == sorted(said)


def test_said_odds_stay_close_to_the_truth() -> None:
    for p in np.geomspace(0.0005, 0.99, 4000):
        part, whole = (float(n.replace(",", "")) for n in re.findall(r"[\d,]+", words.one_in(p)))
        assert part / whole == pytest.approx(p, rel=0.21)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="no probability"):
        words.one_in(p)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.2, 0.5, "1 in 5 to 1 in 2"),
        (0.33, 0.34, "1 in 3"),
        (0.0, 0.02, "up to 1 in 50"),
        (0.0, 0.0001, "under 1 in 2,000"),
    ],
)
def test_an_interval_in_words(low: float, high: float, expected: str) -> None:
    assert words.between(Odds(100, (low + high) / 2, low, high)) == expected


def test_above_chance_means_the_whole_interval() -> None:
    assert words.above_chance(Odds(100, 0.05, 0.011, 0.1))
    assert not words.above_chance(Odds(100, 0.05, 0.009, 0.1))
    assert words.above_chance(Odds(1000, 0.005, 0.0011, 0.1))


@pytest.mark.parametrize(
    ("operator", "strength", "expected"),
    [
        (Operator("mosaic", (18, 18), (0, 0), 1), 8.0, "Mosaic, cells of 18 px, 8 to a face width"),
        (Operator("mosaic", (18, 20.25), None, 1), None, "Mosaic, cells of 18 by 20.2 px"),
        (
            Operator("gauss", (12, 12), None, 1),
            0.11,
            "Gaussian blur, sigma 12 px, 11 % of the face width",
        ),
        (
            Operator("box", (31, 31), None, 1),
            0.284,
            "Box blur, kernel 31 px, 28 % of the face width",
        ),
        (Operator("solid", None, None, 1), None, "Solid cover"),
        (Operator("eye-bar", None, None, 1), None, "Bar over the eyes"),
        (None, None, "Covered in a way that could not be named"),
    ],
)
def test_a_cover_in_words(operator: Operator | None, strength: float | None, expected: str) -> None:
    assert words.cover(operator, strength) == expected


def test_the_finding_names_the_strongest_attacker_its_odds_and_chance() -> None:
    said = words.finding(exposed())
    assert "a network trained to read identity straight from covered faces (A3)" in said
    assert "1 in 3 times (95 %: 1 in 5 to 1 in 2); a blind guess is right 1 in 100 times" in said
    assert "Among 1,000 people it is right 1 in 9 times" in said
    assert "dlib; MobileFaceNet also finds it above chance" in said


def test_a_finding_of_one_recogniser_alone_is_said_to_be_so() -> None:
    face = replace(
        exposed(), readings=(reading("A3", "dlib", 0.3), reading("A3", "mobilefacenet", 0.01))
    )
    assert "MobileFaceNet finds nothing above chance" in words.finding(face)


def test_a_finding_of_chance_quotes_the_bound_of_what_lies_outside() -> None:
    said = words.finding(safe())
    assert "no proof" in said
    assert "(hair, outline, ears) is matched 1 in 83 times" in said
    assert "at the 95 % limit, 1 in 29 times" in said


def test_a_leak_beside_attackers_that_fail_is_said_first() -> None:
    said = words.finding(replace(safe(), leaks=(Leak("transparent", "It shines through."),)))
    assert said.startswith("The redacted file itself gives this face away")
    assert "None of our attackers" in said


def test_faces_without_attackers_are_explained() -> None:
    assert "leaves this face uncovered" in words.finding(bare())
    assert "No attacker could be run" in words.finding(replace(exposed(), readings=()))


@pytest.mark.parametrize(
    ("faces", "expected"),
    [
        ((bare(), safe()), "In 1 of 2 pictures a face is not covered at all."),
        ((exposed(), exposed()), "In 2 of 2 pictures a covered face can still be recognised."),
        ((safe(), safe()), "In none of 2 pictures did our attackers beat a blind guess."),
    ],
)
def test_the_headline_of_several_pictures(faces: tuple[FaceAudit, ...], expected: str) -> None:
    assert words.headline([picture(face) for face in faces]) == expected


def test_odds_stay_on_one_line() -> None:
    assert words.glued("from 1 in 3 to 95 % of 2") == "from 1\xa0in\xa03 to 95\xa0% of 2"
    assert words.glued("7 in 10 times, 1 in 1,000") == "7\xa0in\xa010 times, 1\xa0in\xa01,000"


def test_durations() -> None:
    assert words.duration(8.44) == "8.4 seconds"
    assert words.duration(185.2) == "3 min 5 s"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0:00.00"), (3.2, "0:03.20"), (59.999, "1:00.00"), (3723.5, "1:02:03.50")],
)
def test_times_of_a_film(seconds: float, expected: str) -> None:
    assert words.clock(seconds) == expected


def test_bare_times_are_listed_up_to_a_point() -> None:
    spans = [Bare(second, second + 0.04, 1) for second in range(8)]
    assert words.times(spans[:1]) == "from 0:00.00 to 0:00.04 (1 frame)"
    assert words.times(spans).endswith("(1 frame) and 3 more times")
    assert words.times(spans).count("from") == 5


def test_a_film_that_is_bare_at_times_says_so_and_what_the_covers_leave() -> None:
    face = followed(exposed(), spans=(Bare(0.3, 0.38, 2),))
    assert "In 2 frames the redacted film leaves this face uncovered" in words.finding(face)
    assert "The strongest attacker" in words.finding(face)
    film = replace(picture(face), length=1.2)
    assert words.headline([film, picture(bare())]).startswith("In 2 of 2 files")
    assert words.headline([film, film]).startswith("In 2 of 2 films")
