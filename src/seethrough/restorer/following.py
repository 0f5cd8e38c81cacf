"""Covered faces through a film: found now and then, followed between, smoothed over time.

Looking at a whole frame for covers and for the faces under them takes a second. So that happens
on every n-th frame; between, the aligner brings the face of the last frame onto the template of
the next, which is quick and does not drift: it knows what a covered face looks like, not what this
one looked like before. A face that is found for the first time is followed back to the frame
before the last search as well. Where the aligned crop no longer resembles the one before, the face
is gone, or the shot is another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.errors import UsageError
from seethrough.face_aligner import FaceAligner
from seethrough.face_network import Candidates
from seethrough.faces import FaceDetector
from seethrough.geometry import crop, similarity, tight_box
from seethrough.operators import find_covered, luma_of, mosaic
from seethrough.restorer.targets import Target, face_target, judged
from seethrough.restorer.tracks import Sight
from seethrough.session import Device
from seethrough.types import Box, CoveredRegion, Face, Image, Landmarks

SEARCH_SECONDS = Fraction(3, 5)
"""Time between two searches of whole frames."""

_SAME = 0.3  # IoU from which a face that is found is one that was followed
_MISSES = 2  # searches in a row that may miss a face that is followed
_LOOK = 32  # px: side of the crop by which a face is known again
_LOOK_SIGMA = 1.5  # px of it: under a moving mosaic only the coarse picture stays
_ALIKE = 0.6  # correlation of two looks of one face
_AROUND = 1.0  # of a face's size, on either side: what the aligner may look at
_ROUNDS = 2
_FAR = 0.05  # of a face's width: what the aligner moved by more, it should look at again
_STEP = 0.7  # share of the last frame's motion that is expected again
_SAME_COVER = 0.5  # IoU from which a mosaic is the one that was expected there
_CELLS = 2.0  # cells by which a mosaic may move from frame to frame


class FrameLike(Protocol):
    """A frame of a film, such as :class:`seethrough.video.Frame`."""

    @property
    def index(self) -> int: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    def picture(self) -> Image: ...
    def part(self, x0: int, y0: int, x1: int, y1: int) -> Image: ...


@dataclass(eq=False)
class _Followed:
    """A face while the film is read: what is known of it in each frame so far."""

    sights: list[Sight]
    look: npt.NDArray[np.float32]
    motion: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    misses: int = 0

    @property
    def last(self) -> Sight:
        return self.sights[-1]


class Follower:
    """Finds and follows covered faces.

    Parameters
    ----------
    detector : FaceDetector
        Finds them.
    device, threads
        As in :func:`seethrough.session.open_session`.
    """

    def __init__(
        self, detector: FaceDetector, device: Device = "auto", threads: int | None = None
    ) -> None:
        self._detector = detector
        self._aligner = FaceAligner(device, threads)

    def __call__(
        self,
        frames: Iterable[FrameLike],
        every: int,
        *,
        force: bool = False,
        placed: Sequence[Target] = (),
        progress: Callable[[int], None] | None = None,
    ) -> tuple[tuple[Sight, ...], ...]:
        """Follow every face of a film.

        Parameters
        ----------
        frames : iterable of FrameLike
            In order, from the first one.
        every : int
            Frames from one search to the next.
        force : bool
            Whether clear faces are to be restored too.
        placed : sequence of Target
            Regions that a person placed, the same in every frame: they replace detection.
        progress : callable, optional
            Called with the number of frames done.

        Returns
        -------
        tuple of tuple of Sight
            Each face, frame by frame, for :func:`seethrough.restorer.tracks.tracks_of`.
        """
        open_: list[_Followed] = []
        closed: list[_Followed] = []
        fixed: list[list[Sight]] = [[] for _ in placed]
        chunk: list[FrameLike] = []
        for frame in frames:
            chunk.append(frame)
            if frame.index % every == 0:
                covered = find_covered(frame.picture())
                if placed:
                    self._judge_placed(chunk, placed, covered, force, fixed)
                else:
                    open_ = self._searched(chunk, covered, force, open_, closed)
                chunk.clear()
            if progress is not None:
                progress(frame.index + 1)
        for left in open_:
            self._forward(left, chunk)
        for sights in fixed:
            sights += [replace(sights[-1], frame=f.index, target=None) for f in chunk]
        return tuple(tuple(f.sights) for f in closed + open_) or tuple(map(tuple, fixed))

    def _searched(
        self,
        chunk: Sequence[FrameLike],
        covered: Sequence[CoveredRegion],
        force: bool,
        faces: list[_Followed],
        closed: list[_Followed],
    ) -> list[_Followed]:
        """Follow what is known to the end of a chunk, search there, and bring both together."""
        frame = chunk[-1]
        picture = frame.picture()
        found = list(self._detector.detect(picture, covered))
        left: list[_Followed] = []
        for face in faces:
            if not self._forward(face, chunk):
                closed.append(face)
                continue
            here = tight_box(face.last.landmarks)
            best = max(found, key=lambda one: one.box.iou(here), default=None)
            if best is None or best.box.iou(here) < _SAME:
                face.misses += 1
                (closed if face.misses > _MISSES else left).append(face)
                continue
            found.remove(best)
            face.misses = 0
            face.sights[-1] = _sight(frame.index, picture, best, covered, force)
            left.append(face)
        for one in found:
            sight = _sight(frame.index, picture, one, covered, force)
            look = _look(picture, one.landmarks)
            if look is None:
                continue
            back = _Followed([sight], look)
            self._forward(back, chunk[-2::-1])
            left.append(_Followed(back.sights[::-1], look))
        return left

    def _forward(self, face: _Followed, frames: Iterable[FrameLike]) -> bool:
        """Follow a face through frames; return whether it is still there."""
        return all(self._step(face, frame) for frame in frames)

    def _step(self, face: _Followed, frame: FrameLike) -> bool:
        """Find a face of one frame in the next one."""
        last = face.last
        expected = last.landmarks + _STEP * face.motion
        window = _window(tight_box(expected), frame.shape)
        if window is None:
            return False
        x0, y0, x1, y1 = window
        part = frame.part(x0, y0, x1, y1)
        moved = self._aligned(part, expected - (x0, y0))
        look = _look(part, moved)
        if look is None or float((look * face.look).mean()) < _ALIKE:
            return False
        landmarks = np.add(moved, (x0, y0))
        face.motion = (landmarks - last.landmarks).mean(axis=0)
        face.look = look
        cover = _moved_cover(last, landmarks, frame)
        face.sights.append(Sight(frame.index, landmarks, cover, last.score))
        return True

    def _aligned(self, part: Image, points: Landmarks) -> Landmarks:
        """Bring five points onto the face; again where they were far from it."""
        for _ in range(_ROUNDS):
            box = tight_box(points)
            face = Candidates(np.ones(1), np.array([box.as_tuple()]), points[None])
            moved = self._aligner(part, face).landmarks[0]
            far = float(np.abs(moved - points).max()) > _FAR * box.width
            points = moved
            if not far:
                break
        return points

    def _judge_placed(
        self,
        chunk: Sequence[FrameLike],
        placed: Sequence[Target],
        covered: Sequence[CoveredRegion],
        force: bool,
        fixed: list[list[Sight]],
    ) -> None:
        picture = chunk[-1].picture()
        for target, sights in zip(placed, fixed, strict=True):
            known = judged(picture, target, covered, force)
            points = np.zeros((5, 2)) if target.landmarks is None else target.landmarks
            for frame in chunk:
                here = known if frame is chunk[-1] else None
                sights.append(Sight(frame.index, points, known.cover, target.score, here))


def _sight(
    index: int,
    picture: Image,
    face: Face,
    covered: Sequence[CoveredRegion],
    force: bool,
) -> Sight:
    target = judged(picture, face_target(face), covered, force)
    return Sight(index, face.landmarks, target.cover, face.score, target)


def _look(picture: Image, landmarks: Landmarks) -> npt.NDArray[np.float32] | None:
    """Return a face's coarse picture, of mean 0 and standard deviation 1."""
    try:
        view = crop(picture, similarity(landmarks, _LOOK), _LOOK)
    except UsageError:  # points that cannot be a face
        return None
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY).astype(np.float32)
    coarse = np.asarray(cv2.GaussianBlur(grey, (0, 0), _LOOK_SIGMA), np.float32)
    return np.asarray((coarse - coarse.mean()) / max(float(coarse.std()), 1e-3), np.float32)


def _window(box: Box, shape: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return what lies around a face, in whole pixels inside the frame."""
    reach_x, reach_y = _AROUND * box.width, _AROUND * box.height
    x0, y0 = max(0, int(box.x0 - reach_x)), max(0, int(box.y0 - reach_y))
    x1, y1 = min(shape[1], int(box.x1 + reach_x) + 1), min(shape[0], int(box.y1 + reach_y) + 1)
    inside = box.intersection(Box(0, 0, shape[1], shape[0])) > 0.25 * box.area
    return (x0, y0, x1, y1) if inside and x1 - x0 >= 16 and y1 - y0 >= 16 else None


def _moved_cover(last: Sight, landmarks: Landmarks, frame: FrameLike) -> CoveredRegion | None:
    """Return where a cover is in the next frame: a mosaic is read anew, others move along."""
    cover = last.cover
    if cover is None:
        return None
    shift = (landmarks - last.landmarks).mean(axis=0)
    box = cover.box
    carried = Box(box.x0 + shift[0], box.y0 + shift[1], box.x1 + shift[0], box.y1 + shift[1])
    if cover.operator.kind == "mosaic" and cover.operator.size is not None:
        reach = _CELLS * max(cover.operator.size)
        x0, y0 = max(0, int(carried.x0 - reach)), max(0, int(carried.y0 - reach))
        x1 = min(frame.shape[1], int(carried.x1 + reach) + 1)
        y1 = min(frame.shape[0], int(carried.y1 + reach) + 1)
        if x1 - x0 >= 16 and y1 - y0 >= 16:
            near = Box(carried.x0 - x0, carried.y0 - y0, carried.x1 - x0, carried.y1 - y0)
            found = mosaic.again(luma_of(frame.part(x0, y0, x1, y1)), near, cover.operator)
            if found is not None and found.box.iou(near) > _SAME_COVER:
                box = found.box
                placed = Box(box.x0 + x0, box.y0 + y0, box.x1 + x0, box.y1 + y0)
                return CoveredRegion(placed, mosaic.moved(found.operator, x0, y0))
    return CoveredRegion(carried, cover.operator)
