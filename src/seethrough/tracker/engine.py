"""Follow all faces of a film, in one pass over its frames and in constant memory.

In each frame, faces that are expected are matched with what the detector sees in the whole frame;
who is missing is looked for closely where it should be, then followed by the motion of its pixels,
then held. The last two seconds of reduced frames are kept: a face that appears is followed back
through them, and so is one that was lost and is found again, so that it is covered before it was
first seen. Nothing is followed across a scene cut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import cv2
import numpy as np

from seethrough.errors import InputError
from seethrough.session import Device
from seethrough.tracker.association import assign
from seethrough.tracker.beginning import Beginner
from seethrough.tracker.course import Spot
from seethrough.tracker.cuts import CutFinder
from seethrough.tracker.finishing import Finisher
from seethrough.tracker.following import alike, appearance, follow
from seethrough.tracker.frames import FilmLike, FrameLike, Small
from seethrough.tracker.linking import earlier, joined
from seethrough.tracker.live import Live
from seethrough.tracker.looking import Look, Looker, distinct, overlap
from seethrough.tracker.options import TrackOptions
from seethrough.tracker.tracing import Tracer
from seethrough.tracker.tracks import Tracks
from seethrough.types import Image

_BEGIN_TURNED = 0.8  # the same in turned frames, where the detector errs more often
_CONTINUE = 0.3  # score of a close look that continues one
_CONTINUE_TURNED = 0.5  # the same, turned otherwise than before
_TAKEN = 0.4  # IoU from which a place belongs to another face
_TILTED = 0.5  # radians from which the whole frame's view is not trusted
_TURNS = (0.7, -0.7)  # radians to either side where a face is lost
_MANY = 8  # close looks that cost as much as the whole frame
_FOLLOW = 2.0  # seconds that pixels are followed without a detection
_REMEMBER = 3.0  # seconds in which a lost face may be found again
_LIKE = 0.5  # correlation below which what was followed is something else
_ASIDE = 0.4  # sizes of the face by which one that was lost is found aside: perhaps another
_ASTRAY = 0.02  # more of that, each frame since it was seen
_KEPT = 2.0  # seconds of reduced frames
_KEPT_FRAMES = 64  # at most
_WIDE_SIDES = 1280, 1920  # long side of the view for small faces: half the film's own between them
_WIDE, _WIDE_LOST = 15, 10  # every how many frames; where a face is lost
_TURNED = 8  # every how many frames a turned view is searched, three of them in turn
_HALVED = 3  # every how many frames faces are searched that the border halves
_ENLARGED = 3  # times, at most
_SETTLED = 3  # frames after which a new face's motion is known


def track(
    frames: Iterable[FrameLike],
    info: FilmLike,
    options: TrackOptions | None = None,
    *,
    device: Device = "auto",
    threads: int | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Tracks:
    """Follow all faces of a film.

    Parameters
    ----------
    frames : iterable of Frame
        All frames of the film, in order.
    info : FilmInfo
        Its size and rate.
    options : TrackOptions, optional
        Defaults where absent.
    device, threads
        As in :func:`seethrough.session.open_session`.
    progress : callable, optional
        Called after each frame with how many are done and how many there are, if that is known.

    Returns
    -------
    Tracks

    Raises
    ------
    InputError
        Where the film has no frame.
    VerificationError
        Where a face is lost and the options say ``stop``.
    """
    engine = _Engine(info, options or TrackOptions(), device, threads)
    for count, frame in enumerate(frames, 1):
        engine.take(frame)
        if progress is not None:
            progress(count, info.frames)
    return engine.finish()


class _Engine:
    def __init__(
        self, info: FilmLike, options: TrackOptions, device: Device, threads: int | None
    ) -> None:
        self._info, self._options = info, options
        rate = float(info.rate) if info.rate > 0 else 25.0
        self._follow = max(round(_FOLLOW * rate), 1)
        self._hold = round(options.hold * rate)
        self._looker = Looker(device, threads)
        self._cuts = CutFinder()
        self._kept: deque[Small] = deque(maxlen=min(max(round(_KEPT * rate), 8), _KEPT_FRAMES))
        self._tracer = Tracer(self._looker, self._hold // 2)
        self._remember = round(_REMEMBER * rate)
        self._beginner = Beginner(self._looker)
        self._live: list[Live] = []
        self._lost: list[Live] = []
        self._finisher = Finisher(info, options)
        self._count = 0
        self._shot = 0  # its first frame

    def take(self, frame: FrameLike) -> None:
        picture, factors = _readable(
            *frame.reduced(self._options.long_side), self._options.long_side
        )
        small = Small(self._count, picture)
        self._finisher.take(frame, factors, picture.shape)
        if self._cuts(picture):
            self._end_shot()
        self._advance(frame, small)
        self._kept.append(small.without_copies())
        self._trace()
        self._retire(picture.shape)
        self._count += 1

    def finish(self) -> Tracks:
        if self._count == 0:
            raise InputError("the film has no frame", "check that it was copied whole")
        self._end_shot()
        return self._finisher.finish(self._beginner.refused)

    def _end_shot(self) -> None:
        for live in self._live:
            live.left = True
        # All are traced back before any is closed: what is closed takes over nothing more.
        for live in list(self._live):
            self._trace_rest(live)
        for live in (*self._live, *self._lost):
            self._finisher.close(live)
        self._live.clear()
        self._lost.clear()
        self._kept.clear()
        self._shot = self._count

    def _advance(self, frame: FrameLike, small: Small) -> None:
        """Bring every live track into this frame, and begin new ones."""
        index = self._count
        waiting = list(self._live)
        expected = {id(live): live.expected for live in waiting}
        since = index - self._shot
        seen = self._views(frame, small, since)
        waiting, begun = self._match(waiting, expected, seen, index)
        waiting = self._look_closely(waiting, expected, small, begun)
        for live in waiting:
            self._follow_or_hold(live, expected[id(live)], small)
        self._begin(begun, small)
        for live in self._live:
            if live.seen == index:
                live.look = appearance(small.grey, live.spot)
        self._note_crossings()

    def _match(
        self, waiting: list[Live], expected: dict[int, Spot], seen: list[Spot], index: int
    ) -> tuple[list[Live], list[Spot]]:
        """Match tracks with detections; return who is still missing, and who is new."""
        reach = [self._reach(live) for live in waiting]
        pairs = assign([expected[id(live)] for live in waiting], reach, seen)
        tilted: list[int] = []
        another: list[tuple[int, int]] = []
        for row, column in pairs:
            live = waiting[row]
            if self._aside(live, expected[id(live)], seen[column]):
                another.append((row, column))  # it begins a track; this one is held
            elif abs(expected[id(live)].roll) > _TILTED:
                tilted.append(row)  # a close look knows better
            else:
                self._see(live, seen[column])
        done = {row for row, _ in pairs} - set(tilted) - {row for row, _ in another}
        used = {column for _, column in pairs}
        aside = {column for _, column in another}
        return (
            [live for row, live in enumerate(waiting) if row not in done],
            [spot for column, spot in enumerate(seen) if column in aside or column not in used],
        )

    def _aside(self, live: Live, expected: Spot, seen: Spot) -> bool:
        """Tell whether what is seen where a face was lost may well be another face."""
        if seen.score < _CONTINUE or self._count - live.seen < 2:
            return False
        away = float(np.linalg.norm(seen.centre - expected.centre))
        return away > _ASIDE * max(seen.size, expected.size)

    def _see(self, live: Live, spot: Spot) -> None:
        """The detector saw it; where that leads another way than it went, go both ways."""
        gap = self._count - live.sure
        if gap > _SETTLED and live.established:
            off = float(np.linalg.norm(spot.centre - live.went_on(self._count).centre))
            if off > (_ASIDE + _ASTRAY * gap) * max(spot.size, live.spot.size):
                twin = live.ghost(self._count)
                twin.hold()
                self._live.append(twin)
                live.sure = self._count
        live.see(self._count, spot)

    def _reach(self, live: Live) -> float:
        lost = self._count - 1 - live.seen - live.followed
        return min(0.7 + 0.06 * max(lost, 0), 2.0)

    def _views(self, frame: FrameLike, small: Small, since: int) -> list[Spot]:
        """Look at whole frames, more rarely for small faces and for those on their side."""
        found: list[Spot] = []
        if since % self._options.every == 0 or len(self._live) > _MANY:
            found += self._looker.whole(small.picture, continued=since % _HALVED == 0)
        held = any(live.how(self._count - 1) == "held" for live in self._live)
        side = max(small.picture.shape[:2])
        if since % (_WIDE_LOST if held else _WIDE) == 0 and max(frame.shape) > side:
            wide = max(_WIDE_SIDES[0], min(max(frame.shape) // 2, _WIDE_SIDES[1]))
            picture, _ = frame.reduced(wide)
            found += self._looker.whole(picture, side / max(picture.shape[:2]))
        if since % _TURNED == _TURNED // 2 or since == 0:
            turns = (1, 2, 3) if since == 0 else (1 + since // _TURNED % 3,)
            for turn in turns:
                seen = self._looker.whole(small.picture, quarter_turns=turn)
                found += [spot for spot in seen if spot.score >= _BEGIN_TURNED]
        return distinct(found)

    def _taken(self, spot: Spot, others: Iterable[Live], least: float = _TAKEN) -> bool:
        """Tell whether another track is at a place in this frame already."""
        placed = [live.spot for live in others if live.course.last > self._count]
        return bool(placed) and bool((overlap([spot], placed) > least).any())

    def _look_closely(
        self, waiting: list[Live], expected: dict[int, Spot], small: Small, begun: list[Spot]
    ) -> list[Live]:
        """Look for who is missing where each should be; return who is still missing.

        Faces that are seen aside of those places join ``begun``.
        """
        looks = [Look(expected[id(live)], expected[id(live)].roll) for live in waiting]
        due = [look for look, live in zip(looks, waiting, strict=True) if self._due(live, 25, 2)]
        found = distinct([spot for near in self._looker.close(small, due) for spot in near])
        found = [s for s in found if s.score >= _CONTINUE and not self._taken(s, self._live)]
        reach = [self._reach(live) for live in waiting]
        done = set()
        for row, column in assign([look.at for look in looks], reach, found):
            if self._aside(waiting[row], looks[row].at, found[column]):
                begun.append(found[column])
            else:
                self._see(waiting[row], found[column])
                done.add(row)
        return [live for row, live in enumerate(waiting) if row not in done]

    def _due(self, live: Live, often: int, every: int) -> bool:
        """Tell whether to look for a face: in every frame when it was seen not long ago."""
        return self._count - live.seen <= often or self._count % every == 0

    def _follow_or_hold(self, live: Live, expected: Spot, small: Small) -> None:
        rolls = [expected.roll + turn for turn in _TURNS] if self._due(live, 8, 4) else []
        turned = self._looker.best(small, expected, rolls)
        if (
            turned is not None
            and turned.score >= _CONTINUE_TURNED
            and not self._taken(turned, self._live)
            and not self._aside(live, expected, turned)
        ):
            self._see(live, turned)
            return
        last_how = live.how(self._count - 1)
        if last_how != "held" and live.followed < self._follow and self._kept:
            spot = follow(self._kept[-1].grey, small.grey, live.spot, live.expected)
            if spot is not None and self._same_look(live, spot, small):
                live.follow(self._count, spot)
                return
        live.hold()

    def _same_look(self, live: Live, spot: Spot, small: Small) -> bool:
        """Tell whether what was followed still looks like the face, and not like what hides it."""
        return live.look is None or alike(live.look, appearance(small.grey, spot)) >= _LIKE

    def _begin(self, spots: list[Spot], small: Small) -> None:
        lost = [live for live in self._live if live.seen < self._count and live.established]
        for spot in sorted(spots, key=lambda spot: -spot.score):
            if not self._taken(spot, self._live):
                live = self._beginner.begin(spot, small, lost)
                if live is not None and not self._taken(live.spot, self._live):
                    self._live.append(live)

    def _note_crossings(self) -> None:
        if len(self._live) < 2:
            return
        spots = [live.spot for live in self._live]
        together = np.triu(overlap(spots, spots) > 0.15, 1)
        for pair in np.argwhere(together):
            for index in pair:
                self._live[index].crossed.append(self._count)

    def _trace(self) -> None:
        """Follow back those who appeared, and those who were found again."""
        for live in list(self._live):
            if live not in self._live:  # it has just become part of another
                continue
            if live.pending and self._count - live.pending[0] >= _SETTLED:
                self._trace_back(live)

    def _trace_back(self, live: Live) -> bool:
        """Follow a track back; tell whether it turned out to be the rest of another one."""
        start = live.pending.pop(0)
        new = start == live.course.first
        others = [other for other in (*self._live, *self._lost) if other is not live]
        if self._tracer.back(live, start, self._kept, self._shot, others):
            self._live = [other for other in self._live if other is not live]
            return True
        if new and not live.entered:
            lost = [other for other in others if other.seen < live.course.known[0]]
            other = earlier(live, lost, self._remember)
            if other is not None:
                joined(other, live)
                self._live = [each for each in self._live if each is not other]
                self._lost = [each for each in self._lost if each is not other]
        return False

    def _retire(self, shape: tuple[int, ...]) -> None:
        staying, leaving = [], []
        for live in self._live:
            box = live.spot.box
            outside = box[2] <= 0 or box[3] <= 0 or box[0] >= shape[1] or box[1] >= shape[0]
            live.left = outside and live.how(self._count) != "detected"
            lost = self._count - live.seen - live.followed
            if live.left:
                leaving.append(live)
            elif lost > (self._hold if live.established else self._hold // 4):
                self._lost.append(live)
            else:
                staying.append(live)
        old = [live for live in self._lost if self._count - live.course.last > self._remember]
        self._live = staying
        self._lost = [live for live in self._lost if live not in old]
        for live in (*leaving, *old):  # what is closed may turn out to be the rest of another
            self._close(live)

    def _close(self, live: Live) -> None:
        if not self._trace_rest(live):
            self._finisher.close(live)

    def _trace_rest(self, live: Live) -> bool:
        """Follow a track back from wherever it still is to be; tell as :meth:`_trace_back`."""
        return any(self._trace_back(live) for _ in list(live.pending))


def _readable(
    picture: Image, factors: tuple[float, float], long_side: int
) -> tuple[Image, tuple[float, float]]:
    """Enlarge a small film's frame: the detector sees little of faces under 14 px."""
    height, width = picture.shape[:2]
    times = min(long_side // max(height, width), _ENLARGED)
    if times < 2:
        return picture, factors
    size = (times * width, times * height)
    larger = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(larger, np.uint8), (factors[0] / times, factors[1] / times)
