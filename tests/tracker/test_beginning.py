from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from seethrough.tracker.beginning import Beginner
from seethrough.tracker.course import Spot
from seethrough.tracker.cuts import CutFinder
from seethrough.tracker.frames import Small
from seethrough.tracker.linking import earlier, joined
from seethrough.tracker.live import Live
from tests.tracker.scenes import drawn, scenery
from tests.tracker.test_course import spot

SMALL = Small(40, scenery())


class Glance:
    """A detector that gives a second look the score that it is told."""

    def __init__(self, mean: float, close: Spot | None = None) -> None:
        self.mean, self.close, self.asked = mean, close, 0

    def best(self, small: Small, at: Spot, rolls: Sequence[float]) -> Spot | None:
        return self.close

    def again(self, small: Small, spot: Spot) -> float:
        self.asked += 1
        return self.mean


def lost(x: float, step: float = 0, count: int = 20, score: float = 1.0) -> Live:
    live = Live.found(0, spot(x, score=score))
    for frame in range(1, count):
        live.see(frame, spot(x + step * frame, score=score))
    return live


@pytest.mark.parametrize(
    ("score", "mean", "begins"),
    [
        (0.95, 0.0, True),
        (0.7, 0.7, True),
        (0.7, 0.4, False),
        (0.3, 0.6, False),
        (0.3, 0.9, True),
        (0.2, 0.9, False),
    ],
)
def test_weak_detections_begin_where_a_second_look_agrees(
    score: float, mean: float, begins: bool
) -> None:
    beginner = Beginner(Glance(mean))  # type: ignore[arg-type]
    assert (beginner.begin(spot(50, score=score), SMALL, []) is not None) == begins


def test_a_weak_detection_near_a_lost_face_begins_and_is_never_dropped() -> None:
    beginner = Beginner(Glance(0.4))  # type: ignore[arg-type]
    begun = beginner.begin(spot(60, score=0.3), SMALL, [lost(50)])
    assert begun is not None
    assert begun.hits > 10
    assert beginner.begin(spot(160, score=0.3), SMALL, [lost(50)]) is None  # not near


def test_what_is_refused_is_listed_and_not_looked_at_again_at_once() -> None:
    glance = Glance(0.1)
    beginner = Beginner(glance)  # type: ignore[arg-type]
    for frame in (40, 42, 44):
        beginner.begin(spot(50, score=0.6), Small(frame, scenery()), [])
    assert glance.asked == 1
    assert beginner.refused == [(40, 0.6)]
    beginner.begin(spot(50, score=0.8), Small(46, scenery()), [])
    assert glance.asked == 2


def later(x: float, first: int, step: float) -> Live:
    live = Live.found(first, spot(x))
    for frame in range(1, 6):
        live.see(first + frame, spot(x + step * frame))
    return live


def test_a_face_found_where_it_was_going_is_the_same() -> None:
    before = lost(0, step=2)  # at 38 in frame 19
    after = later(38 + 2 * 21, 40, 2)
    assert earlier(after, [before], 75) is before
    both = joined(before, after)
    assert (both.course.first, both.course.last) == (0, 46)
    assert both.course[30][1] == "held"


@pytest.mark.parametrize("after", [later(80, 120, 2), later(300, 40, 2)], ids=["late", "far"])
def test_a_face_found_elsewhere_is_another(after: Live) -> None:
    assert earlier(after, [lost(0, step=2)], 75) is None


def test_a_face_that_is_seen_to_go_another_way_goes_on_unseen_as_well() -> None:
    live = lost(0, step=3)
    live.see(26, spot(30, score=0.5))
    twin = live.ghost(27)
    assert twin.course.last == 27
    assert twin.course[26][1] == "held"
    assert twin.course[26][0].centre[0] == pytest.approx(3 * 26, abs=3)


def test_what_hides_a_face_does_not_slow_it_down() -> None:
    live = Live.found(0, spot(0))
    for frame in range(1, 20):
        live.see(frame, spot(3 * frame))
    for frame in range(20, 26):  # its front is hidden more and more
        hidden = 3 * (frame - 19)
        box = np.array([3 * frame - 10, 40, 3 * frame + 10 - hidden, 60.0])
        live.see(frame, Spot(box, live.spot.points, 0.7))
    live.hold()
    assert live.spot.centre[0] == pytest.approx(3 * 26, abs=2)
    assert live.spot.box[2] - live.spot.box[0] == pytest.approx(20, abs=1)


def test_cuts_are_found_and_motion_is_none() -> None:
    cuts = CutFinder()
    pictures = [drawn((60 + 9 * i, 90, 50, 0)) for i in range(8)] + [drawn(None, 5)] * 3
    assert [cuts(picture) for picture in pictures] == [False] * 8 + [True, False, False]


@pytest.mark.parametrize(("x", "begins"), [(0, False), (60, True)])
def test_what_the_border_halves_bears_a_second_look_however_sure_a_close_one_is(
    x: float, begins: bool
) -> None:
    beginner = Beginner(Glance(0.4, spot(x + 14, score=0.98)))  # type: ignore[arg-type]
    assert (beginner.begin(spot(x, score=0.4), SMALL, []) is not None) == begins
