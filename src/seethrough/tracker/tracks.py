"""Tracks: keyframes of a face, and where it is in the frames between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from seethrough import geometry
from seethrough.errors import InputError, UsageError
from seethrough.types import Box, Face, Landmarks

How: TypeAlias = Literal["detected", "followed", "held", "edited"]
HOWS: tuple[How, ...] = ("detected", "followed", "held", "edited")
"""``detected``: the network saw it. ``followed``: by motion, or between two detections. ``held``:
neither; the box stays and grows. ``edited``: a person placed it."""

FloatArray: TypeAlias = npt.NDArray[np.float64]

BOX_DIGITS, LANDMARK_DIGITS, SCORE_DIGITS = 1, 4, 2
"""Decimals that are kept, so that a file holds exactly what is in memory."""

USUAL_LANDMARKS: FloatArray = (
    geometry.template(128) + 0.5 - (geometry.TIGHT.x0, geometry.TIGHT.y0)
) / (geometry.TIGHT.width, geometry.TIGHT.height)
"""Five points of an upright face as shares of its box, where nothing better is known."""
USUAL_LANDMARKS.setflags(write=False)


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A face in one frame.

    Attributes
    ----------
    track : int
        Number of its track.
    frame : int
        Counted from 0.
    box : Box
        The tight face in upright pixels of the frame; parts of it, or all, may lie outside.
    landmarks : Landmarks
        ``float64 (5, 2)``, as in :class:`seethrough.types.Face`.
    score : float
        Range [0, 1]; of the nearest detections.
    how : {"detected", "followed", "held", "edited"}
        How it is known.
    """

    track: int
    frame: int
    box: Box
    landmarks: Landmarks
    score: float
    how: How


@dataclass(frozen=True, slots=True, eq=False)
class Keyframe:
    """A point of a track, between which boxes and landmarks move linearly.

    Attributes
    ----------
    frame : int
        Counted from 0.
    box : Box
        The tight face in upright pixels.
    landmarks : ndarray
        ``float64 (5, 2)``: shares of the box's width and height from its top left corner, so that
        a box that is moved takes its landmarks along.
    score : float
        Range [0, 1].
    how : {"detected", "followed", "held", "edited"}
        How it is known, here and up to the next keyframe.
    """

    frame: int
    box: Box
    landmarks: FloatArray
    score: float
    how: How


@dataclass(frozen=True, slots=True)
class UnsureSpan:
    """Frames that a person should look at.

    Attributes
    ----------
    track : int or None
        Number of the track; ``None`` where a weak detection was taken for no face.
    first, last : int
        Frames, half-open.
    from_, to : float
        The same in seconds.
    reason : str
        In words.
    """

    track: int | None
    first: int
    last: int
    from_: float
    to: float
    reason: str


class Track:
    """One face over consecutive frames.

    Parameters
    ----------
    number : int
        From 1.
    keyframes : sequence of Keyframe
        At least one, in order of their frames. The track lasts from the first to the last.

    Raises
    ------
    UsageError
        Where the keyframes are none or out of order, or the number is less than 1.
    """

    __slots__ = ("_boxes", "_frames", "_hows", "_landmarks", "_scores", "number")

    def __init__(self, number: int, keyframes: Sequence[Keyframe]) -> None:
        frames = np.array([k.frame for k in keyframes], np.int32)
        if number < 1:
            raise UsageError(f"a track has the number {number}", "count tracks from 1")
        if not len(frames) or frames[0] < 0 or (np.diff(frames) <= 0).any():
            raise UsageError(
                f"the keyframes of track {number} are none or out of order",
                "give at least one, sorted by frame, each frame once",
            )
        self.number = number
        self._frames = frames
        self._boxes = np.round([k.box.as_tuple() for k in keyframes], BOX_DIGITS)
        self._landmarks = np.round([k.landmarks for k in keyframes], LANDMARK_DIGITS)
        self._scores = np.round([k.score for k in keyframes], SCORE_DIGITS)
        self._hows = np.array([HOWS.index(k.how) for k in keyframes], np.uint8)

    @property
    def first(self) -> int:
        """First frame."""
        return int(self._frames[0])

    @property
    def last(self) -> int:
        """The frame after the last one."""
        return int(self._frames[-1]) + 1

    @property
    def keyframes(self) -> tuple[Keyframe, ...]:
        return tuple(
            Keyframe(
                int(self._frames[i]),
                Box(*self._boxes[i].tolist()),
                self._landmarks[i],
                float(self._scores[i]),
                HOWS[self._hows[i]],
            )
            for i in range(len(self._frames))
        )

    def at(self, frame: int) -> Sighting | None:
        """Return where the face is in a frame; ``None`` outside the track."""
        if not self.first <= frame < self.last:
            return None
        left = int(np.searchsorted(self._frames, frame, "right")) - 1
        right = min(left + 1, len(self._frames) - 1)
        span = max(int(self._frames[right] - self._frames[left]), 1)
        share = (frame - int(self._frames[left])) / span
        box = _between(self._boxes, left, right, share)
        relative = _between(self._landmarks, left, right, share)
        return Sighting(
            self.number,
            frame,
            Box(*box.tolist()),
            absolute(box, relative),
            float(_between(self._scores, left, right, share)),
            HOWS[self._hows[left]],
        )

    def renumbered(self, number: int) -> Track:
        """Return the same track under another number."""
        return Track(number, self.keyframes)


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """All faces of a film, or of a photo, which is a film of one frame.

    Attributes
    ----------
    width, height : int
        Of the upright film in pixels.
    rate : Fraction
        Average frames per second.
    frames : int
        How many the film has.
    tracks : tuple of Track
        By number: by first frame, then left edge, unless a person changed them.
    unsure : tuple of UnsureSpan
        What a person should look at, in order of time.
    """

    width: int
    height: int
    rate: Fraction
    frames: int
    tracks: tuple[Track, ...]
    unsure: tuple[UnsureSpan, ...] = ()

    def __post_init__(self) -> None:
        numbers = [track.number for track in self.tracks]
        if len(set(numbers)) != len(numbers):
            raise UsageError("two tracks have the same number", "give each its own")

    def at(self, frame: int) -> tuple[Sighting, ...]:
        """Return every face of a frame, by number of the track."""
        seen = (track.at(frame) for track in self.tracks)
        return tuple(sighting for sighting in seen if sighting is not None)

    def only(self, numbers: Sequence[int]) -> Tracks:
        """Keep the tracks with these numbers; their numbers stay.

        Raises
        ------
        UsageError
            Where there is no track of a number.
        """
        known = {track.number for track in self.tracks}
        for number in numbers:
            if number not in known:
                listed = ", ".join(map(str, sorted(known))) or "none"
                raise UsageError(f"there is no face {number}", f"the faces are {listed}")
        kept = set(numbers)
        return Tracks(
            self.width,
            self.height,
            self.rate,
            self.frames,
            tuple(track for track in self.tracks if track.number in kept),
            tuple(span for span in self.unsure if span.track is None or span.track in kept),
        )

    def without(self, numbers: Sequence[int]) -> Tracks:
        """Leave out the tracks with these numbers; the others keep theirs.

        Raises
        ------
        UsageError
            Where there is no track of a number.
        """
        self.only(numbers)
        left = [track.number for track in self.tracks if track.number not in set(numbers)]
        return self.only(left)

    def check_size(self, width: int, height: int) -> None:
        """Make sure that these are tracks of a film of this size.

        Raises
        ------
        InputError
            Where they are not.
        """
        if (self.width, self.height) != (width, height):
            raise InputError(
                f"the tracks are of a film of {self.width} x {self.height} pixels, "
                f"this one has {width} x {height}",
                "give the tracks that were made from this film",
            )

    def check_inside(self) -> None:
        """Make sure that every face shows in some frame: a typing error may put it elsewhere.

        Raises
        ------
        InputError
            Where one lies outside of the picture all the time.
        """
        picture = Box(0, 0, self.width, self.height)
        for track in self.tracks:
            seen = (track.at(frame) for frame in range(track.first, track.last))
            if not any(s is not None and s.box.intersection(picture) for s in seen):
                raise InputError(
                    f"face {track.number} of the tracks lies outside of the picture in every frame",
                    "move its boxes into the picture, or remove it",
                )

    def check_frames(self, frames: int) -> None:
        """Make sure that these are tracks of a film of so many frames.

        Raises
        ------
        InputError
            Where they are not.
        """
        if self.frames != frames:
            raise InputError(
                f"the tracks are of a film of {self.frames} frames, this one has {frames}",
                "give the tracks that were made from this film",
            )

    @staticmethod
    def of_photo(faces: Sequence[Face], shape: tuple[int, ...]) -> Tracks:
        """Return the faces of a photo of ``shape`` (H, W) as tracks, numbered from the left."""
        placed = sorted(faces, key=lambda face: (face.box.x0, face.box.y0))
        return Tracks(
            shape[1],
            shape[0],
            Fraction(1),
            1,
            tuple(
                Track(
                    number,
                    [
                        Keyframe(
                            0,
                            face.box,
                            relative(np.array(face.box.as_tuple()), face.landmarks),
                            face.score,
                            "detected",
                        )
                    ],
                )
                for number, face in enumerate(placed, 1)
            ),
        )


def absolute(boxes: FloatArray, landmarks: FloatArray) -> FloatArray:
    """Turn shares of boxes ``(..., 4)`` into points ``(..., 5, 2)``, a pixel's centre its index."""
    size = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., None, :2] + landmarks * size[..., None, :] - 0.5


def relative(boxes: FloatArray, landmarks: FloatArray) -> FloatArray:
    """Turn points ``(..., 5, 2)`` into shares of their boxes ``(..., 4)``."""
    size = boxes[..., 2:] - boxes[..., :2]
    return (landmarks + 0.5 - boxes[..., None, :2]) / size[..., None, :]


def _between(values: FloatArray, left: int, right: int, share: float) -> FloatArray:
    if share == 0:
        return np.asarray(values[left])  # exactly, whatever stands in the next keyframe
    return np.asarray(values[left] + share * (values[right] - values[left]))
