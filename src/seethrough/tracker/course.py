"""The course of one face while it is followed: a row for each frame, and where it goes next."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from seethrough.tracker.tracks import HOWS, How

_ROOM, _COLUMNS = 128, 16  # rows at first; box, landmarks, score, how
_GROW = 0.01  # at most, each frame that a face is not seen; logarithm

Array: TypeAlias = npt.NDArray[np.float64]

_KEEP = 0.5  # of the velocity before, where a new step is seen
_CALM = 0.98  # of the velocity, each frame that a face is not seen: it most likely moves on


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A face in one frame, in pixels of the reduced frame.

    Attributes
    ----------
    box : ndarray
        ``float64 (4,)`` xyxy, half-open: around the face, turned or not.
    points : ndarray
        ``float64 (5, 2)`` landmarks.
    score : float
        Range [0, 1].
    """

    box: Array
    points: Array
    score: float

    @property
    def centre(self) -> Array:
        return np.asarray((self.box[:2] + self.box[2:]) / 2)

    @property
    def size(self) -> float:
        """Mean side in pixels."""
        return math.sqrt(max(float(np.prod(self.box[2:] - self.box[:2])), 1e-6))

    @property
    def roll(self) -> float:
        """How far the face is turned clockwise in the picture, in radians."""
        down = self.points[3:].mean(axis=0) - self.points[:2].mean(axis=0)
        return math.atan2(-down[0], down[1])

    def moved(self, shift: Array, scale: float = 1.0, turn: float = 0.0) -> Spot:
        """Return it shifted, scaled and turned clockwise about its centre."""
        centre, half = self.centre, (self.box[2:] - self.box[:2]) / 2 * scale
        cos, sin = math.cos(turn) * scale, math.sin(turn) * scale
        offsets = (self.points + 0.5 - centre) @ np.array([[cos, sin], [-sin, cos]])
        to = centre + shift
        return Spot(np.concatenate([to - half, to + half]), to + offsets - 0.5, self.score)

    def grown(self, factor: float) -> Spot:
        """Return it with a larger box and the same landmarks."""
        half = (self.box[2:] - self.box[:2]) / 2 * factor
        return Spot(
            np.concatenate([self.centre - half, self.centre + half]), self.points, self.score
        )


@dataclass(slots=True, eq=False)
class Motion:
    """How a face moves from one frame to the next."""

    shift: Array = field(default_factory=lambda: np.zeros(2))
    scale: float = 0.0  # logarithm
    turn: float = 0.0

    def learn(self, before: Spot, after: Spot, frames: int) -> None:
        """Take the step between two sightings into account."""
        share = _KEEP if frames == 1 else 0.0
        self.shift = share * self.shift + (1 - share) * (after.centre - before.centre) / frames
        step = math.log(after.size / before.size) / frames
        self.scale = 0.7 * self.scale + 0.3 * float(np.clip(step, -0.1, 0.1))
        turn = (after.roll - before.roll + math.pi) % math.tau - math.pi
        self.turn = 0.6 * self.turn + 0.4 * float(np.clip(turn / frames, -0.5, 0.5))

    def calm(self) -> None:
        """Let it fade while the face is not seen."""
        self.shift = self.shift * _CALM
        # What hides a face makes it seem to shrink.
        self.scale = min(max(self.scale * _CALM, 0.0), _GROW)
        self.turn *= 0.8

    def ahead(self, spot: Spot) -> Spot:
        """Return where a face will be in the next frame."""
        return spot.moved(self.shift, math.exp(self.scale), self.turn)


class Course:
    """Rows of one face, frame by frame without gaps.

    Parameters
    ----------
    frame : int
        The first one.
    spot : Spot
        Where the face is there.
    how : How
        How it is known.
    """

    __slots__ = ("_begin", "_data", "_end", "first")

    def __init__(self, frame: int, spot: Spot, how: How = "detected") -> None:
        self.first = frame
        # Rows lie somewhere in the middle, so that both ends can grow.
        self._data = np.empty((_ROOM, _COLUMNS), np.float32)
        self._begin, self._end = _ROOM // 2, _ROOM // 2 + 1
        self._data[self._begin] = _row(spot, how)

    @property
    def last(self) -> int:
        """The frame after the last one."""
        return self.first + self._end - self._begin

    def append(self, spot: Spot, how: How) -> None:
        """Add a frame at the end."""
        if self._end == len(self._data):
            self._enlarge(0, len(self._data) // 2)
        self._data[self._end] = _row(spot, how)
        self._end += 1

    def prepend(self, spot: Spot, how: How) -> None:
        """Add a frame before the first."""
        if self._begin == 0:
            room = len(self._data) // 2
            self._enlarge(room, 0)
            self._begin, self._end = self._begin + room, self._end + room
        self._begin -= 1
        self._data[self._begin] = _row(spot, how)
        self.first -= 1

    @property
    def known(self) -> tuple[int, int]:
        """The first and the last frame in which it is not merely held."""
        known = np.flatnonzero(self.rows()[:, 15] != HOWS.index("held"))
        return self.first + int(known[0]), self.first + int(known[-1])

    def continued(self, other: Course) -> Course:
        """Return this course up to where it was last known, then the other, from where it was.

        Between them the face is held where it was last known.
        """
        end, start = self.known[1], other.known[0]
        joined = Course(self.first, self[self.first][0], self[self.first][1])
        for frame in range(self.first + 1, end + 1):
            joined.append(*self[frame])
        for _ in range(end + 1, start):
            joined.append(self[end][0], "held")
        for frame in range(start, other.last):
            joined.append(*other[frame])
        return joined

    def span(self, first: int, last: int) -> npt.NDArray[np.float64]:
        """Return the rows of some frames, half-open; see :meth:`rows`."""
        begin = self._begin + first - self.first
        return self._data[begin : begin + last - first].astype(np.float64)

    def __getitem__(self, frame: int) -> tuple[Spot, How]:
        row = self._row_of(frame)
        points = row[4:14].reshape(5, 2).astype(np.float64)
        return Spot(row[:4].astype(np.float64), points, float(row[14])), HOWS[int(row[15])]

    def __setitem__(self, frame: int, value: tuple[Spot, How]) -> None:
        self._row_of(frame)[:] = _row(*value)

    def rows(self) -> npt.NDArray[np.float32]:
        """Return all rows, not copied: box (4), landmarks (10), score, how."""
        return self._data[self._begin : self._end]

    def _row_of(self, frame: int) -> npt.NDArray[np.float32]:
        if not self.first <= frame < self.last:
            raise IndexError(frame)
        row: npt.NDArray[np.float32] = self._data[self._begin + frame - self.first]
        return row

    def _enlarge(self, before: int, after: int) -> None:
        self._data = np.pad(self._data, ((before, after), (0, 0)))


def _row(spot: Spot, how: How) -> npt.NDArray[np.float32]:
    return np.concatenate(
        [spot.box, spot.points.ravel(), [spot.score, HOWS.index(how)]], dtype=np.float32
    )
