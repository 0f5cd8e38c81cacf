"""A face while it is followed, and what is known about how well."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from seethrough.tracker.course import Course, Motion, Spot
from seethrough.tracker.tracks import How

_STEADY = 8  # frames
_SURE = 0.8


@dataclass(slots=True, eq=False)
class Live:
    """A face that is being followed.

    Attributes
    ----------
    course : Course
        Where it was in each frame so far.
    motion : Motion
        How it moves.
    seen : int
        The last frame in which the detector saw it.
    followed : int
        Frames since then in which its pixels were followed.
    hits : int
        How often the detector saw it.
    best : float
        The best score of these, range [0, 1].
    sure : int
        The last frame in which it was surely seen, or what was seen since was accepted.
    pending : list of int
        Frames in which it appeared or was found again, from where it is still to be followed back.
    entered : bool
        Whether its course begins where it came into view: at the border or with the shot.
    left : bool
        Whether it ends where it went out of view: at the border, or with the shot.
    crossed : list of int
        Frames in which another face overlaps it.
    look : ndarray or None
        What it looked like when it was last seen.
    """

    course: Course
    motion: Motion
    seen: int
    followed: int = 0
    hits: int = 1
    best: float = 0.0
    sure: int = 0
    pending: list[int] = field(default_factory=list)
    entered: bool = False
    left: bool = False
    crossed: list[int] = field(default_factory=list)
    look: npt.NDArray[np.float32] | None = None

    @staticmethod
    def found(frame: int, spot: Spot) -> Live:
        """Begin to follow a face."""
        return Live(
            Course(frame, spot), Motion(), frame, best=spot.score, sure=frame, pending=[frame]
        )

    @property
    def spot(self) -> Spot:
        """Where it was in the last frame."""
        return self.course[self.course.last - 1][0]

    @property
    def expected(self) -> Spot:
        """Where it should be in the next frame."""
        return self.motion.ahead(self.spot)

    def see(self, frame: int, spot: Spot) -> None:
        """The detector saw it."""
        self.motion.learn(self.course[self.seen][0], spot, frame - self.seen)
        if frame - self.seen > 2:
            self.pending.append(frame)
        self.course.append(spot, "detected")
        self.seen, self.followed = frame, 0
        self.hits += 1
        if spot.score >= _SURE:
            self.sure = frame
        self.best = max(self.best, spot.score)

    def follow(self, frame: int, spot: Spot) -> None:
        """Its pixels were followed."""
        self.motion.learn(self.spot, spot, 1)
        self.course.append(spot, "followed")
        self.followed += 1

    def hold(self) -> None:
        """It was neither seen nor followed."""
        if self.how(self.course.last - 1) != "held":
            self.motion.shift = self.steady()
        self.motion.calm()
        self.course.append(self.expected, "held")

    def went_on(self, frame: int) -> Spot:
        """Return where it would be, had it gone on as when it was last surely seen."""
        seen = self.course[self.sure][0]
        return seen.moved(self.steady() * (frame - self.sure))

    def ghost(self, frame: int) -> Live:
        """Return the track that it would be, had it gone on unseen since it was surely seen.

        What was seen since then has gone another way, and may be another face.
        """
        twin = Live(
            Course(self.sure, self.course[self.sure][0]),
            Motion(self.steady()),
            self.sure,
            hits=self.hits,
            best=self.best,
            sure=self.sure,
            look=self.look,
        )
        for each in range(self.sure + 1, frame):
            twin.course.append(self.went_on(each), "held")
        return twin

    def steady(self) -> npt.NDArray[np.float64]:
        """Return its velocity over the last frames in which it was surely seen.

        What begins to hide a face makes its box smaller, and its middle seem to slow down.
        """
        end = self.sure
        start = max(end - _STEADY, self.course.first)
        if end == start:
            return self.motion.shift
        step = self.course[end][0].centre - self.course[start][0].centre
        return np.asarray(step / (end - start))

    def how(self, frame: int) -> How:
        return self.course[frame][1]
