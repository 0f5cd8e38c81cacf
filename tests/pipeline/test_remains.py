"""Findings of one frame after another are told as one that lasts."""

from __future__ import annotations

from fractions import Fraction

from seethrough.pipeline.remains import Remains
from seethrough.redactor import Finding
from seethrough.types import Box


def finding(frame: int, track: int = 1, what: str = "face") -> Finding:
    return Finding(frame, Fraction(frame, 25), Box(frame, 0, frame + 9, 9), what, track)  # type: ignore[arg-type]


def test_findings_that_go_on_are_one() -> None:
    remains = Remains()
    for frame in (3, 4, 6, 20):
        remains.add(
            [finding(frame), finding(frame, what="bare")] if frame == 4 else [finding(frame)]
        )
    remains.add([finding(21, track=2)])
    found = [(r.finding.what, r.finding.track, r.finding.frame, r.last) for r in remains.all()]
    assert found == [("face", 1, 3, 7), ("bare", 1, 4, 5), ("face", 1, 20, 21), ("face", 2, 21, 22)]
    assert remains.all()[0].to == Fraction(6, 25)
    assert remains.all()[0].finding.box == Box(3, 0, 12, 9)
