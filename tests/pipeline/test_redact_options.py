"""Options of `redact`: what is read, what is refused, and where defaults stand."""

from __future__ import annotations

import inspect
from dataclasses import fields
from fractions import Fraction
from typing import Any

import pytest

import seethrough
from seethrough.auditor.rates import Rate
from seethrough.errors import UsageError
from seethrough.pipeline import redact_rates
from seethrough.pipeline.redact_options import RedactOptions, seconds
from seethrough.pipeline.redact_photo import styles
from seethrough.pipeline.redact_rates import warning
from seethrough.redactor import SAFE, STYLES, Style
from seethrough.redactor.style import GROWTH
from seethrough.types import Box


def test_python_keywords_are_the_options_fields() -> None:
    parameters = inspect.signature(seethrough.redact).parameters
    keywords = set(parameters) - {"inputs", "output"}
    assert keywords == {field.name for field in fields(RedactOptions)}
    for name in keywords:
        assert name in str(seethrough.redact.__doc__)
        default = parameters[name].default
        assert getattr(RedactOptions(), name) == (
            () if default is None and name in ("only", "keep") else default
        )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0", 0),
        ("12.5", Fraction(25, 2)),
        ("00:12", 12),
        ("01:40", 100),
        ("90:00", 5400),
        ("1:02:03.250", Fraction(14893, 4)),
        ("00:00.1", Fraction(1, 10)),
        (7, 7),
        (0.5, Fraction(1, 2)),
        (Fraction(1, 3), Fraction(1, 3)),
    ],
)
def test_times(given: Any, expected: Any) -> None:
    assert seconds(given) == expected


@pytest.mark.parametrize(
    "given",
    ["", "soon", "-1", "1:2:3:4", "1:60", "1:60:00", "00:12:", "nan", "inf", "1e3", -2, "1,5"],
)
def test_times_that_are_none(given: Any) -> None:
    with pytest.raises(UsageError, match="no time of a film"):
        seconds(given)


@pytest.mark.parametrize(
    ("given", "expected"), [("1,3", (1, 3)), ("2", (2,)), (2, (2,)), ((3, 1, 3), (1, 3)), ((), ())]
)
def test_numbers_of_faces(given: Any, expected: tuple[int, ...]) -> None:
    assert RedactOptions.of(only=given).only == expected
    assert RedactOptions.of(keep=given).keep == expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"style": "pixelate"}, "there is no style"),
        ({"style": "mosaic", "strength": 0}, "strength 0"),
        ({"style": "mosaic", "strength": 1000}, "strength 1000"),
        ({"style": "blur", "strength": float("nan")}, "strength nan"),
        ({"style": "solid", "strength": 3}, "has no strength"),
        ({"strength": 3}, "--strength says how strong a style is"),
        ({"only": "0"}, "does not name faces"),
        ({"only": "1,,2"}, "does not name faces"),
        ({"keep": "two"}, "does not name faces"),
        ({"keep": [True]}, "does not name faces"),
        ({"only": "1", "keep": "2"}, "--only names"),
        ({"from_": "01:40", "to": "00:12"}, "is not before"),
        ({"from_": 3, "to": "3"}, "is not before"),
        ({"box": ["1,2,3"]}, "3 numbers in the box .*, not 4"),
        ({"box": [(5, 5, 5, 9)]}, "is empty"),
        ({"on_lost": "pray"}, "no --on-lost"),
        ({"voice": "distort"}, "voice"),
        ({"codec": "h263"}, "no codec"),
        ({"codec": "h264", "crf": 60}, "CRF"),
        ({"threads": 0}, "threads"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        RedactOptions.of(**options)


def test_boxes_are_read_like_those_of_restore() -> None:
    assert RedactOptions.of(box=["1,2,3,4", (5, 6, 7, 8)]).box == (Box(1, 2, 3, 4), Box(5, 6, 7, 8))


def test_the_end_is_not_covered() -> None:
    options = RedactOptions.of(from_="0.1", to="0.3")
    times = [Fraction(n, 10) for n in range(5)]
    assert [options.lasts(time) for time in times] == [False, True, True, False, False]
    assert RedactOptions().lasts(Fraction(99))


def test_only_a_style_that_nobody_asked_for_is_enlarged() -> None:
    assert [style.grow for style in styles(RedactOptions())] == list(GROWTH)
    assert {style.name for style in styles(RedactOptions())} == {"solid"}
    assert styles(RedactOptions.of(style="solid")) == (Style("solid"),)
    assert styles(RedactOptions.of(verify=False)) == (Style("solid"),)


def test_warnings_quote_the_nearest_rate() -> None:
    for name in STYLES:
        assert (warning(Style(name), film=False) is None) == (name in SAFE)
    said = warning(Style("mosaic", 12), film=False)
    assert said is not None
    assert "a mosaic of 12 cells per face width" in said
    assert "in 9 of 10 cases" in said
    assert "a mosaic of 3.6 cells" in str(warning(Style("mosaic", 2), film=True))
    assert "a sigma of 0.17 face widths" in str(warning(Style("blur", 1), film=False))
    assert "9 of 10 cases" in str(warning(Style("eye-bar"), film=True))


@pytest.mark.parametrize("found", [False, True])
def test_warnings_say_what_solid_would_have_left(
    found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rate(style: str, p: float, *, significant: bool) -> Rate:
        thrice = (p, p, p)
        return Rate(style, style, None, "A5", "dlib", thrice, thrice, 500, significant)

    made = (
        rate("eye-bar", 0.9, significant=True),
        rate("mask-head", 0.25, significant=False),
        rate("mask-head", 0.1, significant=found),
    )
    monkeypatch.setattr(redact_rates, "rates", lambda: made)
    monkeypatch.setattr(
        redact_rates,
        "strongest",
        lambda name: max((r for r in made if r.style == name), key=lambda r: r.of_100[0]),
    )
    said = warning(Style("eye-bar"), film=False)
    assert said is not None
    assert said.endswith("in 1 of 4 cases" if found else "could not be told from chance")
