"""Follow a face back in time through the frames that are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from seethrough.tracker.course import Motion, Spot
from seethrough.tracker.following import follow
from seethrough.tracker.frames import Small
from seethrough.tracker.live import Live
from seethrough.tracker.looking import Looker, overlap
from seethrough.tracker.tracks import How

_SURE = 0.3  # score of a close look that continues a track
_SAME = 0.4  # IoU from which two tracks are at one place
_AHEAD = 3  # frames from which a new face's motion is taken


class Tracer:
    """Follows faces back to before they were seen.

    Parameters
    ----------
    looker : Looker
        The detector.
    hold : int
        Frames for which a face is held where it can be followed no further.
    """

    def __init__(self, looker: Looker, hold: int) -> None:
        self._looker, self._hold = looker, hold

    def back(
        self, live: Live, start: int, kept: Sequence[Small], shot: int, others: Iterable[Live]
    ) -> bool:
        """Follow a face back from a frame in which it appeared or was found again.

        Parameters
        ----------
        live : Live
            The track; its course is extended, or filled where it was lost.
        start : int
            The frame.
        kept : sequence of Small
            The last frames, consecutive.
        shot : int
            The first frame of the shot.
        others : iterable of Live
            The other tracks.

        Returns
        -------
        bool
            Whether it turned out to be the rest of another, lost track, which has taken it over.
        """
        oldest = kept[0].index if kept else start
        motion = _reversed(live, start)
        spot = live.course[start][0]
        frame = start - 1
        while frame >= max(shot, oldest) and start < oldest + len(kept):
            small, later = kept[frame - oldest], kept[frame + 1 - oldest]
            known = live.course[frame] if frame >= live.course.first else None
            if known is not None and known[1] == "detected":
                return False
            found = self._step(small, later, spot, motion)
            if found is None:
                break
            here, how = found
            if known is None:
                other = _at(here, frame, others)
                if other is not None and _taken_over(live, other, frame):
                    return True
                if other is not None:
                    break  # hidden by another face, so far as can be told: held from here
                live.course.prepend(here, how)
            elif known[1] == "followed" and overlap([here], [known[0]])[0, 0] > _SAME:
                return False  # both ways agree
            else:
                both = here if known[1] == "held" else _union(here, known[0])
                live.course[frame] = (both, how)
            live.hits += how == "detected"
            motion.learn(spot, here, 1)
            spot = here
            frame -= 1
            if _outside(spot, small):
                live.entered = True
                return False
        if frame < shot:
            live.entered = True
        elif frame < live.course.first:
            self._hold_back(live, spot, motion, shot, kept)
        return False

    def _step(
        self, small: Small, later: Small, spot: Spot, motion: Motion
    ) -> tuple[Spot, How] | None:
        guess = motion.ahead(spot)
        flow = follow(later.grey, small.grey, spot, guess)
        near = flow if flow is not None else guess
        closer = self._looker.best(small, near, [near.roll])
        if closer is not None and closer.score >= _SURE:
            return closer, "detected"
        return None if flow is None else (flow, "followed")

    def _hold_back(
        self, live: Live, spot: Spot, motion: Motion, shot: int, kept: Sequence[Small]
    ) -> None:
        for _ in range(self._hold if live.established else self._hold // 4):
            if live.course.first <= shot:
                return
            motion.calm()
            spot = motion.ahead(spot)
            live.course.prepend(spot, "held")
            if kept and _outside(spot, kept[0]):
                live.entered = True
                return


def _reversed(live: Live, start: int) -> Motion:
    """Return how a face moves back in time, from its first frames."""
    motion = Motion()
    ahead = min(start + _AHEAD, live.course.last - 1)
    if ahead > start:
        motion.learn(live.course[ahead][0], live.course[start][0], ahead - start)
    return motion


def _at(spot: Spot, frame: int, others: Iterable[Live]) -> Live | None:
    """Return the track that is at the same place in a frame."""
    for other in others:
        if other.course.first <= frame < other.course.last:
            there = other.course[frame][0]
            if overlap([spot], [there])[0, 0] > _SAME:
                return other
    return None


def _taken_over(live: Live, other: Live, frame: int) -> bool:
    """Let a lost track go on as one that leads back to it; tell whether it was lost."""
    if other.seen > frame + 1 or live.course.last != other.course.last:
        return False
    # Where it was seen it is the same face; where it was not it may have been elsewhere.
    if other.how(frame) != "detected" and not _together(live, other, frame):
        return False
    for index in range(live.course.first, live.course.last):
        other.course[index] = live.course[index]
    other.motion, other.seen, other.followed = live.motion, live.seen, live.followed
    other.hits += live.hits
    other.best = max(other.best, live.best)
    other.crossed += live.crossed
    return True


def _together(live: Live, other: Live, frame: int) -> bool:
    """Tell whether a track, followed back, moves as the lost one did when it was last seen."""
    later = live.course[min(frame + 1 + _AHEAD, live.course.last - 1)][0]
    first = live.course[frame + 1][0]
    back = (later.centre - first.centre) / _AHEAD
    seen = other.course[other.seen][0]
    before = other.course[max(other.seen - _AHEAD, other.course.first)][0]
    there = (seen.centre - before.centre) / _AHEAD
    pace = max(float(np.linalg.norm(back)), float(np.linalg.norm(there)))
    return float(np.linalg.norm(back - there)) <= max(0.06 * seen.size, 0.5 * pace)


def _union(first: Spot, second: Spot) -> Spot:
    """Return the first face with a box around both: one of them may be wrong."""
    low = np.minimum(first.box[:2], second.box[:2])
    high = np.maximum(first.box[2:], second.box[2:])
    return Spot(np.concatenate([low, high]), first.points, first.score)


def _outside(spot: Spot, small: Small) -> bool:
    height, width = small.picture.shape[:2]
    x0, y0, x1, y1 = spot.box
    return bool(x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height)
