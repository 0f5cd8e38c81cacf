"""A face while it is followed, and what is known about how well."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from seethrough.tracker.course import Course, Motion, Spot
from seethrough.tracker.tracks import How

_BEFORE = (4, 30)  # frames in which its size and velocity are looked up
_LENGTHS = 1.5  # or so many as it needs to move by so many of its sizes
_OFTEN, _CERTAIN = 4, 0.9  # seen so often, and once so surely, it is certainly a face
_SURE = 0.8  # score from which it is surely this face
_WHOLE = 0.92  # of its size: what is smaller may be hidden in part
_BRIEFLY = 5  # frames: longer, where its pixels were followed to is the better guess


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
    def established(self) -> bool:
        """Whether it is certainly a face."""
        return self.hits >= _OFTEN and self.best >= _CERTAIN

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
        whole = spot.size >= _WHOLE * self.course[self.sure][0].size
        if spot.score >= _SURE and (whole or frame - self.sure > _BEFORE[1] // 2):
            self.sure = frame
        self.best = max(self.best, spot.score)

    def follow(self, frame: int, spot: Spot) -> None:
        """Its pixels were followed."""
        self.motion.learn(self.spot, spot, 1)
        self.course.append(spot, "followed")
        self.followed += 1

    def hold(self) -> None:
        """It was neither seen nor followed."""
        frame = self.course.last
        if self.how(frame - 1) != "held":
            self.motion.shift = self._going()[1]
            if self.followed <= _BRIEFLY:
                self.course.append(self.went_on(frame), "held")
                return
        self.motion.calm()
        self.course.append(self.expected, "held")

    def went_on(self, frame: int) -> Spot:
        """Return where it would be, had it gone on as when it was last surely seen."""
        base, velocity = self._going()
        return self.course[base][0].moved(velocity * (frame - base))

    def ghost(self, frame: int) -> Live:
        """Return the track that it would be, had it gone on unseen since it was surely seen.

        What was seen since then has gone another way, and may be another face.
        """
        twin = Live(
            Course(self.sure, self.course[self.sure][0]),
            Motion(self._going()[1]),
            self.sure,
            hits=self.hits,
            best=self.best,
            sure=self.sure,
            look=self.look,
        )
        for each in range(self.sure + 1, frame):
            twin.course.append(self.went_on(each), "held")
        return twin

    def _going(self) -> tuple[int, npt.NDArray[np.float64]]:
        """Return the last frame in which it was seen whole, and its velocity there.

        What begins to hide a face makes its box smaller, and its middle seem to slow down.
        """
        last = self.course[self.sure][0]
        pace = max(float(np.linalg.norm(self.motion.shift)), 1e-3)
        # In fast motion only the last few frames tell where it goes.
        before = int(np.clip(_LENGTHS * last.size / pace, *_BEFORE))
        first = max(self.course.first, self.sure - before)
        rows = self.course.span(first, self.sure + 1)
        size = rows[:, 2:4] - rows[:, :2]
        seen = rows[:, 14] >= min(_SURE, float(rows[:, 14].max()))
        whole = (size >= _WHOLE * size[seen].max(axis=0)).all(axis=1) & seen
        frames = np.flatnonzero(whole if whole.any() else seen)[-max(before // 3, 3) :]
        base = first + int(frames[-1])
        if len(frames) < 2:
            return base, self.motion.shift
        centres = (rows[frames, :2] + rows[frames, 2:4]) / 2
        times = frames - frames.mean()
        velocity = times @ (centres - centres.mean(axis=0)) / (times @ times)
        return base, np.asarray(velocity, np.float64)

    def how(self, frame: int) -> How:
        return self.course[frame][1]
