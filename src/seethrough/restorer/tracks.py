"""One face of a film on its way to restoration: steady in place, and of one mind."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from seethrough.geometry import similarity, tight_box
from seethrough.restorer.targets import CROP, Target
from seethrough.types import Box, CoveredRegion, Landmarks, Operator

Item = TypeVar("Item")

_SIGMA = 2.5  # frames: the aligner's jitter has no memory, a head's motion has
_REACH = 7  # frames
_JITTER = 0.05  # of the points' mean distance from their centre: what the aligner may err
_VOTES = 3  # searches that decide together whether a face is restored


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A face in one frame.

    Attributes
    ----------
    frame : int
        Counted from 0.
    landmarks : Landmarks
        ``float64 (5, 2)`` pixels.
    cover : CoveredRegion or None
        What covers it.
    score : float
        Of the last detection.
    target : Target or None
        What was judged of it, in frames that were searched.
    """

    frame: int
    landmarks: Landmarks
    cover: CoveredRegion | None
    score: float
    target: Target | None = None


class FaceTrack:
    """A face over consecutive frames.

    Attributes
    ----------
    first, last : int
        Frames, half-open.
    reason : str or None
        Why it is restored nowhere; ``None`` where it is.
    score : float
        The best detection's.
    """

    __slots__ = (
        "_boxes", "_landmarks", "_restored", "_sizes", "_still", "_targets",
        "first", "last", "reason", "score",
    )  # fmt: skip

    def __init__(self, sights: Sequence[Sight], *, still: bool) -> None:
        self.first, self.last = sights[0].frame, sights[-1].frame + 1
        self.score = max(sight.score for sight in sights)
        self._still = still
        raw = np.array([sight.landmarks for sight in sights])
        flat = raw.reshape(len(raw), -1)
        self._landmarks = np.asarray(
            (flat if still else steadied(flat)).reshape(raw.shape), np.float32
        )
        self._boxes = np.full((len(sights), 4), np.nan, np.float32)
        self._sizes = np.full((len(sights), 4), np.nan, np.float32)  # cell and phase
        for index, sight in enumerate(sights):
            if sight.cover is not None:
                self._boxes[index] = sight.cover.box.as_tuple()
                operator = sight.cover.operator
                self._sizes[index, :2] = operator.size or (np.nan, np.nan)
                self._sizes[index, 2:] = operator.phase or (np.nan, np.nan)
        judged = [(sight.frame, sight.target) for sight in sights if sight.target is not None]
        self._targets = tuple(judged)
        votes = [target.reason is None for _, target in judged]
        self._restored = tuple(
            2 * sum(near) > len(near) or (votes[at] and 2 * sum(near) == len(near))
            for at, near in ((at, _around(votes, at)) for at in range(len(votes)))
        )
        reasons = Counter(target.reason for _, target in judged if target.reason is not None)
        self.reason = None if any(self._restored) else reasons.most_common(1)[0][0]

    @classmethod
    def of(cls, sights: Sequence[Sight], *, still: bool = False) -> FaceTrack:
        """Make a track of what was seen frame by frame; ``still`` regions do not move."""
        return cls(sights, still=still)

    def box(self, frame: int) -> Box:
        """Return the tight face in a frame."""
        index = frame - self.first
        _, target = self._targets[self._nearest(frame)]
        return target.box if self._still else tight_box(self._landmarks[index].astype(np.float64))

    def searched(self, frame: int) -> bool:
        """Whether covers were searched in this frame, so that their place is exact."""
        return self._targets[self._nearest(frame)][0] == frame

    def at(self, frame: int) -> Target | None:
        """Return what is to be restored in a frame; ``None`` where nothing is."""
        if not self.first <= frame < self.last:
            return None
        near = self._nearest(frame)
        if not self._restored[near]:
            return None
        target = replace(self._operated(near), reason=None)
        if self._still:
            return target
        index = frame - self.first
        landmarks = self._landmarks[index].astype(np.float64)
        operator = target.operator
        cover = None
        if operator is not None and operator.kind != "mosaic":
            cover = self._soft_cover(near, landmarks, operator)
        elif operator is not None and np.isfinite(self._boxes[index]).all():
            if np.isfinite(self._sizes[index, :2]).all():
                size, phase = self._sizes[index, :2], self._sizes[index, 2:]
                operator = replace(
                    operator,
                    size=(float(size[0]), float(size[1])),
                    phase=(float(phase[0]), float(phase[1])) if np.isfinite(phase).all() else None,
                )
            cover = CoveredRegion(Box(*map(float, self._boxes[index])), operator)
        return replace(
            target,
            box=tight_box(landmarks),
            landmarks=landmarks,
            matrices=(similarity(landmarks, CROP),),
            cover=cover,
            operator=operator,
        )

    def _soft_cover(
        self, near: int, landmarks: Landmarks, operator: Operator
    ) -> CoveredRegion | None:
        """Return where a blur lies around a face, as the searches around agree.

        A blur's borders are hard to see, and a border that is wrong cuts the face: what one of
        the searches takes for covered counts, and if one sees no border there is none.
        """
        shares = []
        for _, target in _around(self._targets, near):
            if target.cover is None:
                return None
            own, box = target.box, target.cover.box
            corners = np.array(box.as_tuple()).reshape(2, 2) - own.centre
            shares.append(corners / (own.width, own.height))
        face = tight_box(landmarks)
        low, high = np.min(shares, axis=(0, 1)), np.max(shares, axis=(0, 1))
        size, centre = np.array([face.width, face.height]), np.array(face.centre)
        return CoveredRegion(Box(*(centre + low * size), *(centre + high * size)), operator)

    def example(self) -> tuple[int, Target]:
        """Return the frame and the target that stand for the track in a report."""
        wanted = [at for at, chosen in enumerate(self._restored) if chosen]
        at = wanted[len(wanted) // 2] if wanted else len(self._targets) // 2
        frame, target = self._targets[at]
        return frame, (self.at(frame) or target) if wanted else target

    def fingerprint(self) -> bytes:
        """Return bytes that differ where anything that is restored differs."""
        choices = [(frame, repr(target.operator)) for frame, target in self._targets]
        words = f"{self.first} {self._restored} {choices}".encode()
        return words + b"".join(
            array.tobytes() for array in (self._landmarks, self._boxes, self._sizes)
        )

    def _nearest(self, frame: int) -> int:
        """Return which of the searches lies nearest to a frame; of two, the earlier one."""
        after = bisect_left(self._targets, frame, key=lambda each: each[0])
        near = range(max(0, after - 1), min(after + 1, len(self._targets)))
        return min(near, key=lambda at: abs(self._targets[at][0] - frame))

    def _operated(self, near: int) -> Target:
        """Return a judged target, made by the operator that most of the searches around name."""
        targets = [target for _, target in _around(self._targets, near)]
        kinds = Counter(_kind(target.operator) for target in targets if target.reason is None)
        _, own = self._targets[near]
        if not kinds:
            return own
        kind = kinds.most_common(1)[0][0]
        if _kind(own.operator) == kind and own.reason is None:
            return own
        return next(t for t in targets if t.reason is None and _kind(t.operator) == kind)


def _kind(operator: Operator | None) -> str | None:
    return None if operator is None else operator.kind


def _around(items: Sequence[Item], at: int) -> Sequence[Item]:
    half = _VOTES // 2
    return items[max(0, at - half) : at + half + 1]


def tracks_of(courses: Sequence[Sequence[Sight]], *, still: bool = False) -> tuple[FaceTrack, ...]:
    """Return tracks of what was seen, by first frame, then left edge."""
    tracks = [FaceTrack.of(course, still=still) for course in courses]
    return tuple(sorted(tracks, key=lambda track: (track.first, track.box(track.first).x0)))


def steadied(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Smooth landmarks as far as they jitter, and no further.

    Parameters
    ----------
    rows : ndarray
        ``float64 (n, 10)``: x and y of five points, one row a frame.

    Returns
    -------
    ndarray
        :func:`smoothed`, but no further from the rows than the aligner errs: a head that is
        thrown about does not move along parabolas.
    """
    result = smoothed(rows)
    points = rows.reshape(len(rows), 5, 2)
    size = np.linalg.norm(points - points.mean(axis=1, keepdims=True), axis=2).mean(axis=1)
    away = np.sqrt(np.square(rows - result).mean(axis=1) * 2)
    kept = np.clip(1 - _JITTER * size / np.maximum(away, 1e-9), 0, None)
    return np.asarray(result + kept[:, None] * (rows - result))


def smoothed(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Smooth rows over time, without delay.

    Parameters
    ----------
    rows : ndarray
        ``float64 (n, k)``, one row a frame.

    Returns
    -------
    ndarray
        At each frame the value of the parabola that fits the frames around best, nearer ones
        counting more: steady motion and steady acceleration pass unchanged.
    """
    count = len(rows)
    result = np.empty_like(rows)
    for index in range(count):
        low, high = max(index - _REACH, 0), min(index + _REACH + 1, count)
        x = np.arange(low, high) - index
        degree = min(2, len(x) - 1)
        weight = np.exp(-0.5 * (x / _SIGMA) ** 2)
        design = np.vander(x / _SIGMA, degree + 1, increasing=True)
        normal = design.T @ (weight[:, None] * design)
        moments = design.T @ (weight[:, None] * rows[low:high])
        result[index] = np.linalg.solve(normal, moments)[0]
    return result
