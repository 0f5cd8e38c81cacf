"""Recognise a track that begins as the rest of one that was lost, by the way both move."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from seethrough.tracker.course import Course
from seethrough.tracker.live import Live

_STEPS = 4  # frames over which a velocity is taken
_FAR = 1.5  # sizes of the face between where it went on to and where it is, at most
_ALIKE = 1.5  # ratio of sizes


def earlier(live: Live, lost: Iterable[Live], longest: int) -> Live | None:
    """Return the lost track whose rest a new one is, if there is one.

    Parameters
    ----------
    live : Live
        The new track.
    lost : iterable of Live
        Tracks of the same shot that are not seen any more.
    longest : int
        Frames that may lie between.
    """
    start = live.course.known[0]
    best: tuple[float, Live] | None = None
    for other in lost:
        end = other.course.known[1]
        gap = start - end
        if not 0 < gap <= longest:
            continue
        off = _off(other.course, end, live.course, start, gap)
        if off <= _FAR and (best is None or off < best[0]):
            best = off, other
    return None if best is None else best[1]


def joined(before: Live, after: Live) -> Live:
    """Return the later track with the earlier one's frames before it."""
    after.course = before.course.continued(after.course)
    after.hits += before.hits
    after.best = max(after.best, before.best)
    after.entered = before.entered
    after.crossed = before.crossed + after.crossed
    return after


def _off(before: Course, end: int, after: Course, start: int, gap: int) -> float:
    """Return how far two courses miss each other, in sizes of the face, at constant speed."""
    first, second = before[end][0], after[start][0]
    ratio = second.size / first.size
    if max(ratio, 1 / ratio) > _ALIKE:
        return math.inf
    velocity = (_velocity(before, end, -1) + _velocity(after, start, 1)) / 2
    miss = second.centre - first.centre - velocity * gap
    return float(np.linalg.norm(miss)) / max(first.size, second.size)


def _velocity(course: Course, frame: int, way: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return pixels a frame, from a frame and those before (way -1) or after it."""
    low, high = course.known
    other = min(max(frame + way * _STEPS, low), high)
    if other == frame:
        return np.zeros(2)
    step = (course[other][0].centre - course[frame][0].centre) / (other - frame)
    return np.asarray(step, np.float64)
