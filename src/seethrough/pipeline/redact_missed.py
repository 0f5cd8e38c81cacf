"""Cover what verification found beside the faces that were followed, and try again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Generic, TypeVar

from seethrough.pipeline.film_parts import Times
from seethrough.pipeline.redact_faces import Choice
from seethrough.pipeline.redact_options import RedactOptions
from seethrough.pipeline.remains import Remain
from seethrough.redactor import Finding, Style
from seethrough.tracker import Keyframe, Sighting, Track, Tracks, UnsureSpan
from seethrough.tracker.cuts import CutFinder
from seethrough.tracker.tracks import USUAL_LANDMARKS
from seethrough.types import Box
from seethrough.video import Frame

Shown = TypeVar("Shown")

EVERY = 10
"""Frames from one look at a whole picture of a film to the next."""

_GLANCE = 64  # pixels of a frame in which a cut is seen
_MOMENT = Fraction(1, 2)  # seconds for which a face may show beside its track
_ROUNDS = 2  # how often faces are added
_NEAR = 1.0  # faces that a face moves at most, from one look to the next
_ROOM = 1.3  # of a cover that has to hold from one look to the next
_REASON = "found by the second detector alone: covered from where it was seen"


def is_asked(options: RedactOptions) -> bool:
    """Whether all faces but named ones are to be covered, so that a missed one is a failure.

    Where a person says which faces to cover, or where they are, the others are theirs to leave.
    """
    return options.verify and not (options.only or options.tracks)


def is_told(options: RedactOptions) -> bool:
    """Whether faces beside those of a given file are told of, though they may be meant to show.

    Whoever edits tracks may leave a face out on purpose; a slip looks the same.
    """
    return options.verify and options.tracks is not None and not options.only


def parted(
    found: Sequence[Remain], options: RedactOptions
) -> tuple[tuple[Remain, ...], tuple[Remain, ...]]:
    """Return what fails verification, and faces beside the covers that are only told of."""
    bare = tuple(r for r in found if is_told(options) and r.finding.what == "missed")
    return tuple(remain for remain in found if remain not in bare), bare


def count_faces(missed: Sequence[Remain]) -> int:
    """Return of how many faces the looks at whole frames tell."""
    return len(_chains(missed))


def left_alone(choice: Choice, frame: int) -> tuple[Sighting, ...]:
    """Return the faces of a frame that are left as they are.

    They may show a moment before their track begins and after it ends.
    """
    covered = {track.number for track in choice.covered.tracks}
    moment = round(_MOMENT * choice.known.rate)
    found = []
    for track in choice.known.tracks:
        nearest = min(max(frame, track.first), track.last - 1)
        seen = track.at(nearest)
        if track.number not in covered and seen is not None and abs(frame - nearest) <= moment:
            found.append(seen)
    return tuple(found)


class Moments(Generic[Shown]):
    """Which frames of a film are looked at as a whole: every n-th, and both ends of each shot."""

    def __init__(self) -> None:
        self._cuts = CutFinder()
        self._ago: int | None = None  # frames since the last look of this shot
        self._waiting: list[Shown] = []  # the last frame, where it was not looked at

    def take(self, frame: Frame, shown: Shown, *, lasts: bool) -> list[Shown]:
        """Take the next frame; return what to look at now, in order.

        Parameters
        ----------
        frame : Frame
            The original's.
        shown : Shown
            What is handed back where it is to be looked at.
        lasts : bool
            Whether faces are covered at this time at all.
        """
        cut = self._cuts(frame.reduced(_GLANCE)[0])
        now = self.rest() if cut or not lasts else []
        if not lasts:
            return now
        if self._ago is None or self._ago + 1 >= EVERY:
            self._ago, self._waiting = 0, []
            return [*now, shown]
        self._ago, self._waiting = self._ago + 1, [shown]
        return now

    def rest(self) -> list[Shown]:
        """End a shot; return its last frame, where it was not looked at."""
        now, self._waiting, self._ago = self._waiting, [], None
        return now


def settle(
    candidates: Sequence[Style],
    attempt: Callable[[Style, bool], Sequence[Remain] | None],
    add: Callable[[Sequence[Remain]], None],
    retry: Callable[[Style, Finding], None],
) -> None:
    """Try covers until nothing shows, or nothing is left to try.

    Parameters
    ----------
    candidates : sequence of Style
        From the smallest covers to the largest. Where there is but one, a person asked for it, and
        nothing is changed about it.
    attempt : callable
        Told the style, and whether it is the last; returns what still shows, or ``None`` where
        the style need not be tried.
    add : callable
        Told which faces were missed, to cover them from now on.
    retry : callable
        Told of a finding before the next attempt.
    """
    number = added = 0
    while True:
        style, last = candidates[number], number == len(candidates) - 1
        found = attempt(style, last)
        if found is None:
            number += 1
            continue
        missed = [remain for remain in found if remain.finding.what == "missed"]
        adding = bool(missed) and added < _ROUNDS and len(candidates) > 1
        if not found or (last and not adding):
            return
        retry(style, found[0].finding)
        if adding:
            add(missed)
            added += 1
        if len(missed) < len(found) or not adding:
            number = min(number + 1, len(candidates) - 1)


def with_missed(tracks: Tracks, missed: Sequence[Remain], times: Times | None = None) -> Tracks:
    """Return tracks with those of faces that were missed.

    Parameters
    ----------
    tracks : Tracks
        The known faces.
    missed : sequence of Remain
        What the looks at whole frames found, in order of frames.
    times : Times or None
        When each frame is shown; absent for a photo.

    Notes
    -----
    From one look to the next a face may be anywhere between: at each look the cover holds where
    the face was seen before and after it too. It begins a look early and ends a look late.
    """
    first = max((track.number for track in tracks.tracks), default=0) + 1
    new = [
        _track(number, chain, tracks.frames) for number, chain in enumerate(_chains(missed), first)
    ]
    spans = () if times is None else tuple(_span(track, times) for track in new)
    return replace(
        tracks,
        tracks=(*tracks.tracks, *new),
        unsure=tuple(sorted((*tracks.unsure, *spans), key=lambda s: (s.first, s.track or 0))),
    )


def _chains(missed: Sequence[Remain]) -> list[list[Finding]]:
    """Join what was found at one look after another, near by."""
    chains: list[list[Finding]] = []
    for finding in (remain.finding for remain in missed):
        for chain in chains:
            before = chain[-1]
            if EVERY >= finding.frame - before.frame > 0 and _near(before.box, finding.box):
                chain.append(finding)
                break
        else:
            chains.append([finding])
    return chains


def _near(one: Box, other: Box) -> bool:
    size = (one.area * other.area) ** 0.25
    (x, y), (u, v) = one.centre, other.centre
    return bool(max(abs(x - u), abs(y - v)) <= _NEAR * size)


def _track(number: int, chain: Sequence[Finding], frames: int) -> Track:
    places = {finding.frame: finding.box for finding in chain}
    begin, end = max(chain[0].frame - EVERY, 0), min(chain[-1].frame + EVERY, frames - 1)
    places = {begin: chain[0].box} | places | ({end: chain[-1].box} if end not in places else {})
    looks = sorted(places)
    keyframes = []
    for index, frame in enumerate(looks):
        around = [places[each] for each in looks[max(index - 1, 0) : index + 2]]
        keyframes.append(Keyframe(frame, _hull(around), USUAL_LANDMARKS, 1.0, "detected"))
    return Track(number, keyframes)


def _hull(boxes: Sequence[Box]) -> Box:
    """Return a box around boxes, with room."""
    x0, y0 = min(box.x0 for box in boxes), min(box.y0 for box in boxes)
    x1, y1 = max(box.x1 for box in boxes), max(box.y1 for box in boxes)
    across, down = (_ROOM - 1) / 2 * (x1 - x0), (_ROOM - 1) / 2 * (y1 - y0)
    return Box(x0 - across, y0 - down, x1 + across, y1 + down)


def _span(track: Track, times: Times) -> UnsureSpan:
    first, last = track.first, track.last
    return UnsureSpan(track.number, first, last, float(times[first]), float(times[last]), _REASON)
