from __future__ import annotations

import math

import numpy as np
import pytest

from seethrough.tracker.course import Course, Motion, Spot
from seethrough.tracker.hidden import at_border, whole
from seethrough.tracker.smoothing import keyframes, smoothed
from seethrough.tracker.tracks import USUAL_LANDMARKS, absolute


def spot(x: float, y: float = 50, size: float = 20, score: float = 1.0) -> Spot:
    box = np.array([x - size / 2, y - size / 2, x + size / 2, y + size / 2])
    return Spot(box, absolute(box, USUAL_LANDMARKS), score)


def test_a_course_grows_at_both_ends() -> None:
    course = Course(1000, spot(1000))
    for step in range(1, 400):
        course.append(spot(1000 + step), "followed")
        course.prepend(spot(1000 - step), "held")
    assert (course.first, course.last) == (601, 1400)
    for frame in (601, 999, 1000, 1001, 1399):
        found, how = course[frame]
        assert found.centre[0] == pytest.approx(frame)
        assert how == ("held" if frame < 1000 else "detected" if frame == 1000 else "followed")
    assert course.known == (1000, 1399)
    assert course.rows().nbytes == 64 * 799
    with pytest.raises(IndexError):
        _ = course[600]


def test_a_course_goes_on_as_another_with_the_face_held_between() -> None:
    first, second = Course(0, spot(0)), Course(10, spot(100))
    first.append(spot(5), "detected")
    first.append(spot(9), "held")
    second.append(spot(110), "detected")
    joined = first.continued(second)
    assert [joined[i][1] for i in range(12)] == ["detected"] * 2 + ["held"] * 8 + ["detected"] * 2
    assert joined[5][0].centre[0] == pytest.approx(5)


def test_a_face_turned_in_the_picture_says_so() -> None:
    face = spot(50)
    assert face.roll == pytest.approx(0, abs=0.02)
    turned = face.moved(np.zeros(2), 2.0, math.radians(120))
    assert math.degrees(turned.roll) == pytest.approx(120, abs=1)
    assert turned.size == pytest.approx(40)
    assert turned.centre == pytest.approx(face.centre)


def test_motion_is_foreseen_but_nothing_hidden_shrinks() -> None:
    motion = Motion()
    motion.learn(spot(10), spot(14, size=18), 2)
    assert motion.ahead(spot(14)).centre[0] == pytest.approx(16)
    motion.calm()
    assert motion.ahead(spot(14)).size >= 20


def test_smoothing_takes_noise_away_and_does_not_lag() -> None:
    line = np.arange(40.0)[:, None] * 3
    assert smoothed(line) == pytest.approx(line)
    noise = np.random.default_rng(0).normal(0, 1, (400, 1))
    assert smoothed(noise).std() < 0.65


def test_keyframes_are_few_and_close() -> None:
    t = np.arange(200.0)
    values = np.zeros((200, 14))
    values[:, 0] = np.where(t < 100, 2 * t, 400 - 2 * t)
    sizes = np.full(200, 50.0)
    forced = np.zeros(200, np.bool_)
    assert keyframes(values, sizes, forced) in ([0, 100, 199], [0, 99, 100, 199], [0, 99, 199])
    forced[33] = True
    assert 33 in keyframes(values, sizes, forced)
    values[:, 0] = 40 * np.sin(t / 9)
    chosen = keyframes(values, sizes, np.zeros(200, np.bool_))
    between = np.interp(t, chosen, values[chosen, 0])
    assert np.abs(between - values[:, 0]).max() <= 0.02 * 50 + 1e-9
    assert len(chosen) < 100


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array([[*row, *[0.0] * 10] for row in rows])


def test_a_face_cut_by_the_border_keeps_its_size_beyond_it() -> None:
    values = boxes((30, 40, 50, 64), (10, 40, 30, 64), (0, 44, 12, 60))
    fixed = at_border(values, (100, 200))
    assert (fixed[:2] == values[:2]).all()
    assert fixed[2, :4] == pytest.approx((-8, 40, 12, 64))


def test_a_face_hidden_in_part_keeps_its_size_on_every_side() -> None:
    values = boxes((30, 40, 50, 64), (30, 40, 40, 64), (30, 40, 40, 64))
    fixed = whole(values, np.array([1.0, 0.5, 1.0]), np.ones(3, np.bool_))
    assert fixed[1, 0] < 30
    assert fixed[1, 2] > 44
    assert (fixed[[0, 2]] == values[[0, 2]]).all()


@pytest.mark.parametrize("sure", [1.0, 0.5])
def test_half_a_face_counts_as_such_however_sure_the_detector_is(sure: float) -> None:
    rows = [(30.0, 40.0, 50.0, 64.0)] * 10 + [(30.0, 40.0, 40.0, 64.0)] * 3
    values = boxes(*rows, *rows[:10])
    scores = np.ones(23)
    scores[10:13] = sure
    fixed = whole(values, scores, np.ones(23, np.bool_))
    assert (fixed[10:13, 0] <= 20).all()
    assert (fixed[10:13, 2] >= 50).all()
    assert (fixed[[0, 9, 13, 22]] == values[[0, 9, 13, 22]]).all()


def test_a_face_that_comes_near_is_not_taken_for_half_a_face() -> None:
    sizes = 20 * 1.03 ** np.arange(40)
    values = boxes(*[(100 - s, 100 - s, 100 + s, 100 + s) for s in sizes])
    fixed = whole(values, np.ones(40), np.ones(40, np.bool_))
    assert (fixed[5:] == values[5:]).all()


def test_a_held_box_says_nothing_about_the_size() -> None:
    values = boxes(*[(0, 0, 80, 80)] * 10, *[(30, 40, 50, 64)] * 10)
    held = np.arange(20) < 10
    assert (whole(values, np.ones(20), ~held) == values).all()
