"""What one pass over a film keeps of each face: a few looks, and when it is bare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import cv2
import numpy as np

from seethrough.auditor.types import Bare, Case, Leak
from seethrough.types import Box, Face, Image, Operator

_AROUND = 1.0  # of a face's size from its middle: what the strip shows
_SIDE = 144  # px of a picture of the strip
_BARE_SHOWN = 3  # bare frames that the strip shows, at most
_FEW = 4  # looks: of so few, one that differs may be right
_STEP = 1.25  # from one strength to the next: a larger one is another cover
_GAP = 1.5  # frames: bare frames nearer than this are one time


_Span: TypeAlias = tuple[float, float, int]  # seconds, half-open, and how many frames


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One frame of a face, looked at closely.

    Attributes
    ----------
    time : float
        Seconds of the redacted film.
    face : Face
        In pixels of the original frame.
    operator : Operator
        Lengths in pixels of the redacted frame.
    stand_in : bool
        Whether the cover was not made from the face.
    cover_box : Box
        In pixels of the original frame.
    width : float
        Of the face, in pixels of the redacted frame.
    case : Case
        The original frame, degraded again.
    leaks : tuple of Leak
        What else the redacted frame gives away.
    shown : Image
        The redacted frame around the face.
    """

    time: float
    face: Face
    operator: Operator
    stand_in: bool
    cover_box: Box
    width: float
    case: Case
    leaks: tuple[Leak, ...]
    shown: Image


@dataclass(eq=False)
class Seen:
    """What was seen of one face.

    Attributes
    ----------
    looks : list of Look
        In order of time.
    solid : Case or None
        Its clearest look, under a solid cover over the head.
    covered : int
        Frames of the redacted film in which something covers it.
    face : Face or None
        Where it was last, in pixels of the original frame.
    unnamed : int
        Frames that were looked at closely, and whose cover could not be named.
    """

    looks: list[Look] = field(default_factory=list)
    solid: Case | None = None
    covered: int = 0
    face: Face | None = None
    unnamed: int = 0
    _bare: list[_Span] = field(default_factory=list)
    _seen: list[_Span] = field(default_factory=list)
    _shown: list[tuple[float, Image]] = field(default_factory=list)
    _clearest: float = -1.0

    def add(self, look: Look) -> bool:
        """Keep a look; tell whether it is the clearest so far."""
        self.looks.append(look)
        if look.face.score <= self._clearest:
            return False
        self._clearest = look.face.score
        return True

    def add_bare(self, time: float, lasts: float, shown: Image | None) -> None:
        """Note a frame of the redacted film in which the face is bare, and until when it shows."""
        self._note(self._bare, time, lasts, shown)

    def add_seen(self, time: float, lasts: float, shown: Image | None) -> None:
        """Note a frame in which something covers the face, and it is seen all the same."""
        self._note(self._seen, time, lasts, shown)

    def _note(self, spans: list[_Span], time: float, lasts: float, shown: Image | None) -> None:
        if spans and time - spans[-1][1] < (_GAP - 1) * lasts:
            first, _, frames = spans[-1]
            spans[-1] = (first, time + lasts, frames + 1)
        else:
            spans.append((time, time + lasts, 1))
            if shown is not None and len(self._shown) < _BARE_SHOWN:
                self._shown.append((time, shown))

    @property
    def bare(self) -> tuple[Bare, ...]:
        """When the face is bare."""
        return tuple(Bare(*span) for span in self._bare)

    @property
    def seen(self) -> tuple[Bare, ...]:
        """When it is seen, though something covers it."""
        return tuple(Bare(*span) for span in self._seen)

    @property
    def strip(self) -> tuple[tuple[float, Image], ...]:
        """The redacted film around the face, in order of time."""
        found = [(look.time, look.shown) for look in self.looks] + self._shown
        return tuple(sorted(found, key=lambda each: each[0]))


def alike(looks: Sequence[Look]) -> list[list[Look]]:
    """Sort looks by cover: those of one operator and about one strength belong together.

    A cover may change during a film, and the weaker one decides what it gives away. In single
    frames an encoder's losses make a cover look like another one: what was told so only once is
    left out.

    Parameters
    ----------
    looks : sequence of Look
        Of one face, at least one.

    Returns
    -------
    list of list of Look
        Each in order of time, at least one look in all.
    """
    found: list[list[Look]] = []
    for kind in sorted({look.operator.kind for look in looks}):
        same = sorted((look for look in looks if look.operator.kind == kind), key=_strength)
        group = [same[0]]
        for look in same[1:]:
            if _strength(look) > _STEP * _strength(group[-1]):
                found.append(group)
                group = []
            group.append(look)
        found.append(group)
    often = [group for group in found if len(group) > 1 or len(looks) < _FEW]
    kept = often or found
    return [sorted(group, key=lambda look: look.time) for group in kept]


def _strength(look: Look) -> float:
    """A cell or the size of a blur, in pixels of the aligned crop."""
    size = look.case.operator.size
    return 1.0 if size is None else size[0]


def around(picture: Image, box: Box) -> Image:
    """Return a square part of a redacted frame around a face, small."""
    height, width = picture.shape[:2]
    reach = _AROUND * max(box.width, box.height)
    x, y = box.centre
    x0, x1 = (min(max(round(edge), 0), width) for edge in (x - reach, x + reach))
    y0, y1 = (min(max(round(edge), 0), height) for edge in (y - reach, y + reach))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return np.zeros((_SIDE, _SIDE, 3), np.uint8)
    part = np.ascontiguousarray(picture[y0:y1, x0:x1])
    factor = _SIDE / max(part.shape[:2])
    size = (max(1, round((x1 - x0) * factor)), max(1, round((y1 - y0) * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST
    small = np.asarray(cv2.resize(part, size, interpolation=how), np.uint8)
    result = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
    top, left = (_SIDE - small.shape[0]) // 2, (_SIDE - small.shape[1]) // 2
    result[top : top + small.shape[0], left : left + small.shape[1]] = small
    return result
