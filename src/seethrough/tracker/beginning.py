"""Which detections begin a track: sure ones, and weaker ones that bear a second look.

Things that look like a face now and then (leaves, folds) lose their likeness when they are shown a
little larger, smaller or mirrored; faces do not. What is refused is listed for a person to check.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from seethrough.tracker.course import Spot
from seethrough.tracker.frames import Small
from seethrough.tracker.live import Live
from seethrough.tracker.looking import Looker, at_edge, overlap

BEGIN = 0.25
"""Score from which a detection may begin a track anywhere."""

_SURE = 0.9  # score from which no second look is asked for
_ACCEPT = 0.5  # mean score of the second look; faces in films had 0.68 and more, leaves up to 0.42
_ACCEPT_WEAK, _WEAK = 0.7, 0.45  # the same for scores below the second; small faces had 0.84
_ACCEPT_LOST = 0.3  # the same where a face was lost: part of it may show
_LISTED = 0.5  # score from which a detection that was refused is listed
_AROUND = 2.0  # sizes of a lost face, around it
_AGAIN = 15  # frames in which a place that was refused is not looked at again for as little
_SAME = 0.5  # IoU of places
_QUARTERS = (math.pi / 2, math.pi, -math.pi / 2)


class Beginner:
    """Begins tracks.

    Parameters
    ----------
    looker : Looker
        The detector.
    """

    def __init__(self, looker: Looker) -> None:
        self._looker = looker
        self._recent: list[tuple[int, Spot]] = []
        self.refused: list[tuple[int, float]] = []
        """Frames and scores of detections that were taken for no face."""

    def begin(self, spot: Spot, small: Small, lost: Sequence[Live]) -> Live | None:
        """Begin a track, if a detection bears a second look.

        Parameters
        ----------
        spot : Spot
            What was detected.
        small : Small
            The frame.
        lost : sequence of Live
            Faces that were surely seen before and are not seen now.
        """
        near = _near(spot, lost)
        if not near and spot.score < BEGIN:
            return None
        if self._refused_before(small.index, spot):
            return None
        closer = self._looker.best(small, spot, [spot.roll])
        if closer is None and not near and spot.score < _SURE:  # turned otherwise than it seemed?
            closer = self._looker.best(small, spot, [spot.roll + turn for turn in _QUARTERS])
        better = closer if closer is not None and closer.score >= spot.score else spot
        # A reflection at the border makes half of anything a whole something.
        halved = at_edge(spot, small.picture.shape)
        if better.score < _SURE or halved:
            mean = self._looker.again(small, better)
            usual = _ACCEPT if better.score >= _WEAK else _ACCEPT_WEAK
            if mean < (_ACCEPT_LOST if near else usual):
                self._recent.append((small.index, spot))
                if spot.score >= _LISTED:
                    self.refused.append((small.index, spot.score))
                return None
        live = Live.found(small.index, better)
        if near:  # it is there because a face was: never dropped for being seen rarely
            live.hits += max(other.hits for other in near)
        return live

    def _refused_before(self, frame: int, spot: Spot) -> bool:
        self._recent = [(at, other) for at, other in self._recent if frame - at < _AGAIN]
        worse = [other for _, other in self._recent if other.score >= spot.score - 0.05]
        return bool(worse) and bool((overlap([spot], worse) > _SAME).any())


def _near(spot: Spot, lost: Sequence[Live]) -> list[Live]:
    """Return the lost faces near whose place a detection lies."""
    found = []
    for live in lost:
        box = live.spot.grown(_AROUND).box
        if ((spot.centre >= box[:2]) & (spot.centre <= box[2:])).all() and _alike(spot, live.spot):
            found.append(live)
    return found


def _alike(first: Spot, second: Spot) -> bool:
    return bool(np.abs(np.log(first.size / second.size)) < np.log(2))
