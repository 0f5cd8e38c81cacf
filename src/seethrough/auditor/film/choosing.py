"""Which frames of a track are looked at closely: a few, spread over its length, where it is clear.

Frames that other tracks use too are preferred, as finding covers takes time for each frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seethrough.tracker import Sighting, Tracks

LOOKS = 8
"""Looks at one track, at most."""
_AS_GOOD = 0.05  # of score: a frame that another track uses is preferred up to so much
_MOST_TRIED = 64  # frames of a part whose scores are compared
_INSIDE = 0.75  # of the face lies inside the frame


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a look is due: at ``best``, or, if the redacted film lacks it, later before ``last``.

    Attributes
    ----------
    best, last : int
        Frames of the original, half-open.
    """

    best: int
    last: int


def choose(tracks: Tracks, looks: int = LOOKS) -> Mapping[int, tuple[Slot, ...]]:
    """Choose frames for every track.

    Parameters
    ----------
    tracks : Tracks
        Of the original.
    looks : int
        At most so many for each.

    Returns
    -------
    mapping
        Number of the track to its slots, in order of time; none where the face is never seen.
    """
    used: set[int] = set()
    found = {}
    for track in tracks.tracks:
        length = track.last - track.first
        parts = min(looks, length)
        slots = []
        for part in range(parts):
            first = track.first + part * length // parts
            last = track.first + (part + 1) * length // parts
            step = max(1, (last - first) // _MOST_TRIED)
            scores = {}
            for frame in sorted({*range(first, last, step), *_within(used, first, last)}):
                sighting = track.at(frame)
                if sighting is not None and seen(sighting, tracks) >= _INSIDE:
                    scores[frame] = sighting.score + _AS_GOOD * (frame in used)
            if scores:
                middle = (first + last) // 2
                best = max(scores, key=lambda frame: (scores[frame], -abs(frame - middle)))
                slots.append(Slot(best, last))
                used.add(best)
        found[track.number] = tuple(slots)
    return found


def seen(sighting: Sighting, tracks: Tracks) -> float:
    """Return how much of a face lies inside the frame; 0 where nothing but its place is held."""
    if sighting.how == "held":
        return 0.0
    box = sighting.box
    wide = min(box.x1, tracks.width) - max(box.x0, 0.0)
    high = min(box.y1, tracks.height) - max(box.y0, 0.0)
    return max(wide, 0.0) * max(high, 0.0) / box.area


def _within(used: set[int], first: int, last: int) -> list[int]:
    return [frame for frame in used if first <= frame < last]
